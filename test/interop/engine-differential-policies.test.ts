/**
 * The policies that the repository hands out, in generated JavaScript, in OPA's WebAssembly and in OPA's own evaluator. All their Rego tests
 * are evaluated as ordinary rules, so that each input and each `with` of those tests is a case; then decisions on inputs that were changed.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOpaCompiler } from '../../adapters/compiler/opa/index.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { root } from '../source.ts'
import { Dice } from './differential/dice.ts'
import { type Engines, open, oracle } from './differential/subjects.ts'
import { changed, reordered } from './differential/values.ts'

const compiler = createOpaCompiler()
afterAll(() => compiler.close())

type Document = { readonly [name: string]: Json }

/** What a decision of each plugin can be asked, made as its tests make it. */
const QUESTIONS = `package questions

import data.assay.access.given_test as access_given
import data.assay.announce.given_test as announce_given
import data.assay.audit.given_test as audit_given
import data.assay.capability.given_test as capability_given
import data.assay.enrolment.given_test as enrolment_given
import data.assay.lease.given_test as lease_given
import data.assay.release.given_test as release_given

access := [access_given.asked_by_operator("access.assign", {}, {})]

announce := [
	announce_given.receives(announce_given.signer({}), announce_given.offer),
	announce_given.learns(announce_given.signer({}), announce_given.broadcast([announce_given.entry({})])),
]

audit := [audit_given.asks(audit_given.operator, "audit.read", audit_given.about([audit_given.record({})]))]

capability := [
	capability_given.with_token({}),
	capability_given.with_state({}),
	capability_given.with_caveat("max_bytes", 10, {"bytes": 3}),
]

enrolment := [enrolment_given.binds(enrolment_given.operator, [])]

lease := [
	lease_given.adding({}), lease_given.granting({}), lease_given.renewing({}),
	lease_given.reporting(true, {}), lease_given.observing({}),
]

release := [release_given.verifies({}), release_given.states({})]
`

/** What makes an entry point of a rule, beside being asked for. */
const ANNOTATED = '# entrypoint: true'
const PLUGINS = ['access', 'announce', 'audit', 'capability', 'enrolment', 'lease', 'release']

/**
 * Policies and their tests alike, so that what tests say can be asked for: in `held.<number>`, one for each file of tests, as OPA makes no
 * entry point of a rule that a function uses.
 */
async function sourcesWithTests(): Promise<Sources> {
  const files = Object.entries(await loadFolder(join(root, 'policies'))).map(
    ([path, text]) =>
      [
        path.replace(/_test\.rego$/, '_held.rego'),
        text.replaceAll(ANNOTATED, '# custom: {}'),
      ] as const,
  )
  const held = files.flatMap(([path, text], i) => {
    const [, name = ''] = /^package (\S+)$/m.exec(text) ?? []
    const rules = new Set([...text.matchAll(/^(test_\w+)/gm)].map(([, rule = '']) => rule))
    if (!path.endsWith('_held.rego') || rules.size === 0) return []
    const asked = [...rules].map((rule) => `${rule} := data.${name}.${rule}`)
    return [[`held/h${i}.rego`, `${[`package held.h${i}`, ...asked].join('\n\n')}\n`] as const]
  })
  return Object.fromEntries([...files, ...held, ['questions.rego', QUESTIONS]])
}

let sources: Sources
/** Of the tests, and of the policies alone: a test's function may use what decides. */
let testing: Engines
let engines: Engines
let said: Document
let asked: Document

beforeAll(async () => {
  sources = await sourcesWithTests()
  const held = Object.keys(sources).filter((path) => path.startsWith('held/'))
  testing = await opened(
    sources,
    held.map((path) => path.replace('.rego', '')),
  )
  engines = await opened(
    await loadFolder(join(root, 'policies')),
    PLUGINS.map((name) => `assay/${name}/decision`),
  )
  const [all = 'undefined'] = await oracle(compiler, sources, 'held', [{}])
  said = JSON.parse(all) as Document
  const [given = 'undefined'] = await oracle(compiler, sources, 'questions', [{}])
  asked = JSON.parse(given) as Document
}, 240_000)

async function opened(from: Sources, entrypoints: readonly string[]): Promise<Engines> {
  return await open(await compiler.build(from, { capabilities: 'compat', entrypoints }))
}

test('the tests of the policies say in each engine what they say in OPA', () => {
  let held = 0
  for (const [name, wanted] of Object.entries(said)) {
    const told = { jit: testing.jit(`held/${name}`, {}), wasm: testing.wasm(`held/${name}`, {}) }
    const text = canonicalJson(wanted)
    expect({ name, ...told }).toEqual({ name, jit: text, wasm: text })
    held += Object.values(wanted as Document).filter((is) => is === true).length
  }
  expect(held).toBeGreaterThan(450)
}, 120_000)

describe('decisions on changed inputs', () => {
  test.each(PLUGINS)(
    'of %s',
    async (name) => {
      const dice = new Dice(name.length)
      const given = (asked[name] ?? []) as readonly Json[]
      expect(given.length).toBeGreaterThan(0)
      const inputs = Array.from({ length: 60 }, (_, i) => {
        const input = dice.pick(given)
        return i < given.length ? reordered(dice, given[i]!) : changed(dice, input)
      })
      const path = `assay/${name}/decision`
      const wanted = await oracle(compiler, sources, path, inputs)
      for (const [i, input] of inputs.entries()) {
        const told = { jit: engines.jit(path, input), wasm: engines.wasm(path, input) }
        expect({ input, ...told }).toEqual({ input, jit: wanted[i], wasm: wanted[i] })
      }
    },
    60_000,
  )
})
