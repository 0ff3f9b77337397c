/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { typedInput } from '../../core/input.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { compiler } from '../../test/rego.ts'
import { release } from './facts.ts'

const folder = join(import.meta.dirname, '../../policies')
afterAll(() => compiler.close())

const { schemas, sources: bindings } = typedInput([release as Plugin])
const check = (sources: Sources) =>
  compiler.check({ ...sources, ...bindings }, { capabilities: 'trust', schemas })

test('they pass a strict check against the schema of their input', async () => {
  expect(await check(await loadFolder(folder))).toEqual([])
})

test('they do not pass with a fact that does not exist', async () => {
  const sources = await loadFolder(folder)
  const wrong = 'package assay.release.wrong\n\np if input.facts.sums.digets == []\n'
  const problems = await check({ ...sources, 'release/wrong.rego': wrong })
  expect(problems).toMatchObject([{ code: 'rego_type_error', file: 'release/wrong.rego', row: 3 }])
})
