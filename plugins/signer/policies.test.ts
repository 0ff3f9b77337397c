/** The rules, checked with the plugin's own schema, and what they must agree on with custody and with the format's own table. */
import { afterAll, expect, test } from 'vitest'
import type { Plugin } from '../../core/plugin.ts'
import {
  KEY_ALGORITHMS,
  KEY_SCOPES,
  KEY_STATES,
  KEY_TRANSITIONS,
} from '../../core/ports/custody.ts'
import { MANAGED_STATES } from '../../formats/signingkey/index.ts'
import { testEngine } from '../../test/engine.ts'
import { fixture } from '../../test/fixtures.ts'
import { policiesOf } from '../../test/kernel/real.ts'
import { bundle, compiler } from '../../test/rego.ts'
import { rulesAreTyped, rulesOf } from '../../test/typed-rules.ts'
import { signer } from './facts.ts'
import { ALGORITHMS, SCOPES } from './schema.ts'

afterAll(() => compiler.close())

rulesAreTyped(signer as Plugin, 'input.facts.key.knwon == []', () => rulesOf('signer'))

test('scopes, states and algorithms are those of custody, and secrets', () => {
  expect(SCOPES).toEqual([...KEY_SCOPES, 'secret'])
  expect(MANAGED_STATES).toEqual(KEY_STATES)
  expect(ALGORITHMS).toEqual([...KEY_ALGORITHMS, 'opaque'])
})

interface Table {
  readonly next: Readonly<Record<string, readonly string[]>>
  readonly emergency: Readonly<Record<string, readonly string[]>>
}

async function table(): Promise<Table> {
  const file = 'signer/transition.rego'
  const sources = {
    [file]: (await policiesOf(['signer']))[file] ?? '',
    't/table.rego':
      'package t\n\nimport data.assay.signer.transition as of\n\ntable := {"emergency": of.emergency, "next": of.next}\n',
  }
  const policy = await testEngine().load(await bundle(sources, ['t/table']))
  const found = await policy.evaluate('t/table', { text: '{}', value: {} })
  await policy.close()
  return found as unknown as Table
}
const sorted = (states: readonly string[]): readonly string[] => [...states].sort()

test('its states and steps are those of custody, which makes keys from nothing', async () => {
  const { next } = await table()
  const { none, ...others } = next
  expect(none).toEqual(['pre-active'])
  expect(Object.keys(others).sort()).toEqual(Object.keys(KEY_TRANSITIONS).sort())
  for (const [from, to] of Object.entries(KEY_TRANSITIONS))
    expect(sorted(others[from] ?? [])).toEqual(sorted(to))
})

const cases = fixture('task', 'tasks.json')

test.skipIf(cases === undefined)('its table is that of the shared format', async () => {
  const { readFile } = await import('node:fs/promises')
  const { transitions } = JSON.parse(await readFile(cases ?? '', 'utf8')) as {
    transitions: { states: readonly string[]; allowed: Readonly<Record<string, readonly string[]>> }
  }
  const { emergency, next } = await table()
  expect(Object.keys(next).sort()).toEqual(sorted(transitions.states))
  for (const [from, to] of Object.entries(transitions.allowed)) {
    const hurried = (emergency[from] ?? []).map((state) => `${state}!`)
    expect(sorted([...(next[from] ?? []), ...hurried])).toEqual(sorted(to))
  }
})
