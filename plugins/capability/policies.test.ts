/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { typedInput } from '../../core/input.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { tokenPolicies } from '../../test/enforcement.ts'
import { compiler } from '../../test/rego.ts'
import { readText, repositoryFiles, root } from '../../test/source.ts'
import { capability } from './facts.ts'

const TYPES = 'policies/capability/caveats'
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

describe('types of caveats', () => {
  const types = readdirSync(join(root, TYPES)).sort()

  test('are a folder each, with a rule, a schema and a test', () => {
    for (const type of types)
      expect(readdirSync(join(root, TYPES, type)).sort()).toEqual(
        ['data.json', `${type}.rego`, `${type}_test.rego`].sort(),
      )
  })

  test('are named by nothing else: no other rule, no code', async () => {
    const rules = Object.entries(await tokenPolicies()).filter(
      ([path]) => !path.includes('/caveats/'),
    )
    const code = repositoryFiles().filter((path) =>
      /^(plugins\/capability|formats\/cap1)\/.*(?<!\.test)\.ts$/.test(path),
    )
    const texts = [...rules.map(([, text]) => text), ...code.map(readText)]
    const named = types.filter((type) =>
      texts.some((text) => new RegExp(`['"\`]${type}['"\`]`).test(text)),
    )
    // The members of a token and of an operation that have the same names.
    const members = ['aud', 'exp', 'op', 'resource']
    expect(named.filter((type) => !members.includes(type))).toEqual([])
  })

  test('are all described', () => {
    const [, table = ''] =
      /^## Types that ship$([\s\S]*?)^## /m.exec(readText('docs/caveats.md')) ?? []
    const described = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) => [
      ...cell.matchAll(/`([a-z_]+)`/g),
    ])
    expect(described.map(([, type]) => type).sort()).toEqual(types)
  })
})
