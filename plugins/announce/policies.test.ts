/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { typedInput } from '../../core/input.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { KEY_STATES } from '../../core/ports/custody.ts'
import { compiler } from '../../test/rego.ts'
import { STATES } from './checks.ts'
import { announce } from './facts.ts'

const folder = join(import.meta.dirname, '../../policies')
afterAll(() => compiler.close())

const { schemas, sources: bindings } = typedInput([announce as Plugin])
const check = (sources: Sources) =>
  compiler.check({ ...sources, ...bindings }, { capabilities: 'trust', schemas })

/** The rules of this plugin and what they stand on: another plugin's facts have another form. */
async function own(): Promise<Sources> {
  const all = Object.entries(await loadFolder(folder))
  return Object.fromEntries(all.filter(([path]) => /^(announce|lib)\/|^[^/]+$/.test(path)))
}

test('they pass a strict check against the schema of their input', async () => {
  expect(await check(await own())).toEqual([])
})

test('they do not pass with a fact that does not exist', async () => {
  const wrong = 'package assay.announce.wrong\n\np if input.facts.message.chekc == "x"\n'
  const problems = await check({ ...(await own()), 'announce/wrong.rego': wrong })
  expect(problems).toMatchObject([{ code: 'rego_type_error', file: 'announce/wrong.rego', row: 3 }])
})

test('states are those of custody', () => {
  expect(STATES).toEqual([...KEY_STATES, 'none'])
})
