/** policies/capabilities is what scripts/make-capabilities.ts makes of the compiler and the engines as they are. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BUILTINS, CLOCK_AND_CHANCE, REFUSED } from '../adapters/engine/builtins/index.ts'
import { REROUTED } from '../adapters/engine/wasm/detours.ts'
import {
  COMPILED_AWAY,
  declaredIn,
  leftOut,
  leftOutText,
  makeCapabilities,
} from '../scripts/capabilities.ts'
import { compiler } from './rego.ts'

interface Capabilities {
  readonly builtins: readonly { readonly name: string; readonly nondeterministic?: boolean }[]
  readonly allow_net: readonly string[]
}
const textOf = (name: string): string =>
  readFileSync(new URL(`../policies/capabilities/${name}`, import.meta.url), 'utf8')
const read = (name: string): Capabilities => JSON.parse(textOf(`${name}.json`)) as Capabilities
const namesIn = (set: Capabilities): string[] => set.builtins.map(({ name }) => name)
const library = new Set(BUILTINS.keys())

test('making the sets again changes nothing', async () => {
  const { capabilities } = await compiler.declared()
  const made = makeCapabilities(capabilities, library)
  for (const name of ['compat', 'trust'] as const)
    expect(JSON.parse(made[name])).toEqual(read(name))
  expect(textOf('README.md')).toBe(leftOutText(capabilities))
})

describe('of all that OPA declares', () => {
  test('nothing is forgotten: the library has it, or it is left out for a reason', async () => {
    const declared = declaredIn((await compiler.declared()).capabilities)
    const known = new Set([...library, ...COMPILED_AWAY, ...REFUSED])
    const forTests = /^(?:print|trace|internal\.(?:print|test_case))$/
    const forgotten = declared.filter(({ name }) => !known.has(name) && !forTests.test(name))
    expect(forgotten.map(({ name }) => name)).toEqual([])
  })

  test('the library has nothing else, and nothing that is refused', async () => {
    const { capabilities, native } = await compiler.declared()
    const names = declaredIn(capabilities).map(({ name }) => name)
    expect([...library].filter((name) => !names.includes(name) || REFUSED.has(name))).toEqual([])
    expect([...REFUSED, ...CLOCK_AND_CHANCE].filter((name) => !names.includes(name))).toEqual([])
    // What the wasm engine takes from the runtime in C is there, and in the library too.
    const rerouted = REROUTED.map(([name]) => name)
    expect(rerouted.filter((name) => !native.includes(name) || !library.has(name))).toEqual([])
  })

  test('what is in a set is in the library, and what is in the library is in a set or left out', async () => {
    const { capabilities } = await compiler.declared()
    for (const name of ['compat', 'trust'] as const) {
      const names = new Set(namesIn(read(name)))
      const there = (one: string): boolean => library.has(one) || COMPILED_AWAY.includes(one)
      expect([...names].filter((one) => !there(one))).toEqual([])
      for (const builtin of declaredIn(capabilities))
        if (there(builtin.name))
          expect(names.has(builtin.name), builtin.name).toBe(leftOut(builtin, name) === undefined)
    }
  })
})

const NOWHERE = /^(rand|uuid\.rfc|http|net\.lookup|opa|providers|rego\.parse|trace|print)/

test('trust has no clock, randomness, network, host or cryptography', () => {
  const outside = (one: string): boolean => NOWHERE.test(one) || /^(time|io|crypto)/.test(one)
  expect(namesIn(read('trust')).filter(outside)).toEqual([])
  expect(namesIn(read('trust'))).toEqual(
    expect.arrayContaining(['sprintf', 'regex.match', 'concat', 'json.unmarshal', 'replace']),
  )
})

test('compat has no randomness, network or host; its clock is the decision’s', () => {
  const set = read('compat')
  expect(namesIn(set).filter((one) => NOWHERE.test(one))).toEqual([])
  const varying = set.builtins.filter(({ nondeterministic }) => nondeterministic)
  // OPA would let a schema refer to another host; nothing does here.
  expect(varying.map(({ name }) => name)).toEqual([
    'io.jwt.decode_verify',
    'json.match_schema',
    'json.verify_schema',
    'time.now_ns',
  ])
})

test.each(['trust', 'compat'])('%s reaches no other host', (name) => {
  expect(read(name).allow_net).toEqual([])
})

test('compat is trust and more', () => {
  const compat = namesIn(read('compat'))
  const trust = namesIn(read('trust'))
  expect(trust.filter((name) => !compat.includes(name))).toEqual([])
  expect(compat.length).toBeGreaterThan(trust.length)
})
