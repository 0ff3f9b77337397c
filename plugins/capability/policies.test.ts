/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { afterAll, expect, test } from 'vitest'
import { typedInput } from '../../core/input.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { tokenPolicies } from '../../test/enforcement.ts'
import { compiler } from '../../test/rego.ts'
import { capability } from './facts.ts'

afterAll(() => compiler.close())

const { schemas, sources: bindings } = typedInput([capability as Plugin])
const check = (sources: Sources) =>
  compiler.check({ ...sources, ...bindings }, { capabilities: 'trust', schemas })

test('they pass a strict check against the schema of their input', async () => {
  expect(await check(await tokenPolicies())).toEqual([])
})

test('they do not pass with a fact that does not exist', async () => {
  const sources = await tokenPolicies()
  const wrong = 'package assay.capability.wrong\n\np if input.facts.token.isuer == "x"\n'
  const problems = await check({ ...sources, 'capability/wrong.rego': wrong })
  expect(problems).toMatchObject([
    { code: 'rego_type_error', file: 'capability/wrong.rego', row: 3 },
  ])
})
