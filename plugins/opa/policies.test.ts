/** The policy folders, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createOpaCompiler } from '../../adapters/compiler/opa/compiler.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { typedInput } from '../../core/input.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { opaSubject } from '../../test/conformance/opa-subject.ts'

const root = join(import.meta.dirname, '../..')
const compiler = createOpaCompiler()
afterAll(() => compiler.close())

const { schemas, sources: bindings } = typedInput([opaSubject.plugin])
const check = (sources: Sources) =>
  compiler.check({ ...sources, ...bindings }, { capabilities: 'trust', schemas })

describe.each(['policies', 'examples/opa-migration/policies'])('%s', (folder) => {
  test('passes a strict check against the schema of its input', async () => {
    expect(await check(await loadFolder(join(root, folder)))).toEqual([])
  })

  test('does not pass with a fact that does not exist', async () => {
    const sources = await loadFolder(join(root, folder))
    const wrong = 'package assay.opa.wrong\n\np if input.facts.query.entry == ""\n'
    const problems = await check({ ...sources, 'opa/wrong.rego': wrong })
    expect(problems).toMatchObject([{ code: 'rego_type_error', file: 'opa/wrong.rego', row: 3 }])
  })
})

test('the example has the package’s own rules, but for who may write', async () => {
  const [own, example] = await Promise.all(
    ['policies', 'examples/opa-migration/policies'].map((folder) => loadFolder(join(root, folder))),
  )
  const different = Object.keys(example!).filter((path) => example![path] !== own![path])
  // It signs nothing, so its data do not say what keys may sign.
  expect(different).toEqual(['data.json', 'opa/write.rego'])
  const { signing, ...others } = JSON.parse(own!['data.json']!) as { readonly signing: unknown }
  expect(JSON.parse(example!['data.json']!)).toEqual(others)
})
