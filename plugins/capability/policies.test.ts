/** The rules, checked with the plugin's own schema: what a typing error in a fact's name would come to. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Plugin } from '../../core/plugin.ts'
import { tokenPolicies } from '../../test/enforcement.ts'
import { readText, repositoryFiles, root } from '../../test/source.ts'
import { rulesAreTyped } from '../../test/typed-rules.ts'
import { capability } from './facts.ts'

const TYPES = 'policies/capability/caveats'

rulesAreTyped(capability as Plugin, 'input.facts.token.isuer == "x"', tokenPolicies)

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
