/** The rules of a plugin, checked with its own schema: what a typing error in a fact's name would come to. */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadFolder } from '../adapters/policies/folder.ts'
import { typedInput } from '../core/input.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Sources } from '../core/ports/compiler.ts'
import { compiler } from './rego.ts'
import { root } from './source.ts'

/** Declares the two tests that each plugin has. @param typo a condition on a fact that does not exist */
export function rulesAreTyped(
  plugin: Plugin,
  typo: string,
  load: () => Promise<Sources> = () => loadFolder(join(root, 'policies')),
): void {
  const { schemas, sources: bindings } = typedInput([plugin])
  const check = (sources: Sources) =>
    compiler.check({ ...sources, ...bindings }, { capabilities: 'trust', schemas })
  afterAll(() => compiler.close())

  test('they pass a strict check against the schema of their input', async () => {
    expect(await check(await load())).toEqual([])
  })

  test('they do not pass with a fact that does not exist', async () => {
    const file = `${plugin.name}/wrong.rego`
    const wrong = `package assay.${plugin.name}.wrong\n\np if ${typo}\n`
    const problems = await check({ ...(await load()), [file]: wrong })
    expect(problems).toMatchObject([{ code: 'rego_type_error', file, row: 3 }])
  })
}

/** The rules of this plugin and what they stand on: another plugin's facts may have another form. */
export async function rulesOf(plugin: string): Promise<Sources> {
  const all = Object.entries(await loadFolder(join(root, 'policies')))
  return Object.fromEntries(
    all.filter(([path]) => /^(lib\/|[^/]+$)/.test(path) || path.startsWith(`${plugin}/`)),
  )
}
