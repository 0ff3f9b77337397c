/** The policy folders, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createOpaCompiler } from '../../adapters/compiler/opa/compiler.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { typedInput } from '../../core/input.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { access } from './facts.ts'

const root = join(import.meta.dirname, '../..')
const compiler = createOpaCompiler()
afterAll(() => compiler.close())

const { schemas, sources: bindings } = typedInput([access as Plugin])
const check = (sources: Sources) =>
  compiler.check({ ...sources, ...bindings }, { capabilities: 'trust', schemas })

describe.each(['policies', 'examples/authzen/policies'])('%s', (folder) => {
  test('passes a strict check against the schema of its input', async () => {
    expect(await check(await loadFolder(join(root, folder)))).toEqual([])
  })

  test('does not pass with a fact that does not exist', async () => {
    const sources = await loadFolder(join(root, folder))
    const wrong = `package assay.access.wrong\n\np if input.facts.subject.atributes.a == 1\n`
    const problems = await check({ ...sources, 'access/wrong.rego': wrong })
    expect(problems).toMatchObject([{ code: 'rego_type_error', file: 'access/wrong.rego', row: 3 }])
  })
})
