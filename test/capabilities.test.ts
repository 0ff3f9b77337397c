/** policies/capabilities is what scripts/make-capabilities.ts makes of the compiler and the engine as they are. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { HOST_BUILTINS } from '../adapters/engine/wasm/builtins.ts'
import { makeCapabilities } from '../scripts/capabilities.ts'
import { compiler } from './rego.ts'

interface Capabilities {
  readonly builtins: readonly { readonly name: string; readonly nondeterministic?: boolean }[]
  readonly allow_net: readonly string[]
}
const read = (name: string): Capabilities =>
  JSON.parse(
    readFileSync(new URL(`../policies/capabilities/${name}.json`, import.meta.url), 'utf8'),
  ) as Capabilities
const namesIn = (set: Capabilities): string[] => set.builtins.map(({ name }) => name)

test('making the sets again changes nothing', async () => {
  const made = makeCapabilities(await compiler.declared(), new Set(HOST_BUILTINS.keys()))
  for (const name of ['compat', 'trust'] as const)
    expect(JSON.parse(made[name])).toEqual(read(name))
})

const NOWHERE = /^(rand|uuid\.rfc|http|net\.lookup|opa|providers|rego\.parse|trace|print)/

test('trust has no clock, randomness, network, host or cryptography', () => {
  const set = read('trust')
  const outside = (one: string): boolean => NOWHERE.test(one) || /^(time|io|crypto)/.test(one)
  expect(namesIn(set).filter(outside)).toEqual([])
  expect(set.builtins.filter(({ nondeterministic }) => nondeterministic)).toEqual([])
})

test('compat has no randomness, network or host; its clock is the decision’s', () => {
  const set = read('compat')
  expect(namesIn(set).filter((one) => NOWHERE.test(one))).toEqual([])
  const clocked = set.builtins.filter(({ nondeterministic }) => nondeterministic)
  expect(clocked.map(({ name }) => name)).toEqual(['io.jwt.decode_verify', 'time.now_ns'])
})

describe.each(['trust', 'compat'])('%s', (name) => {
  test('reaches no other host', () => {
    expect(read(name).allow_net).toEqual([])
  })

  test('has what an engine has, and nothing that does not end', async () => {
    const { native } = await compiler.declared()
    const there = [...native, ...HOST_BUILTINS.keys(), 'assign', 'eq']
    const compiledAway = ['rego.metadata.chain', 'rego.metadata.rule']
    expect(namesIn(read(name)).filter((one) => !there.includes(one))).toEqual(compiledAway)
    expect(namesIn(read(name))).not.toContain('replace')
    expect(namesIn(read(name))).toEqual(
      expect.arrayContaining(['sprintf', 'regex.match', 'concat']),
    )
  })
})

test('compat is trust and more', () => {
  const compat = namesIn(read('compat'))
  const trust = namesIn(read('trust'))
  expect(trust.filter((name) => !compat.includes(name))).toEqual([])
  expect(compat.length).toBeGreaterThan(trust.length)
})
