/** The package's own policies: explanations say what the engine says, and the condition that they name is the one that matters. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../../core/canonical.ts'
import type { Json } from '../../../../core/json.ts'
import type { Policy } from '../../../../core/ports/engine.ts'
import { NO_CALLER } from '../../../../formats/call/caller.ts'
import { tree } from '../../../../test/explaining.ts'
import { compiler } from '../../../../test/rego.ts'
import { OWN_POLICIES } from '../../../config/complete.ts'
import { loadFolder } from '../../../policies/folder.ts'
import { toJson } from '../../value/json.ts'
import { get, type Value } from '../../value/value.ts'
import { createJitEngine } from '../engine.ts'
import { createExplainer, type Explainer } from './explainer.ts'
import type { Explanation } from './explanation.ts'

let explainer: Explainer
let policy: Policy
beforeAll(async () => {
  const sources = await loadFolder(OWN_POLICIES)
  const entrypoints = ['access', 'capability', 'lease'].map((name) => `assay/${name}/decision`)
  const bundle = await compiler.build(sources, { capabilities: 'trust', entrypoints })
  explainer = createExplainer(bundle, { syntax: await compiler.syntax(bundle.sources) })
  policy = await createJitEngine().load(bundle)
}, 120_000)
afterAll(() => compiler.close())

type Members = { readonly [name: string]: Json }
const NOW = 1_800_000_000
const KEY = 'A'.repeat(43)

function asked(action: string, kind: string, facts: Members): Members {
  const request = { action, obligations: [], peer: { id: 'root', kind } }
  return { facts, now: NOW, request }
}

const ALLOWED: { readonly [plugin: string]: Members } = {
  access: asked('access.evaluate', 'anonymous', {
    claimed: { action: {}, context: {}, resource: {}, subject: {} },
    payload: { action: 'read', check: 'valid' },
    resource: {
      attributes: { node: 'n1' },
      found: true,
      id: 'c1',
      related: { workload: { attributes: { owner: 'ada' }, found: true, id: 'w1' } },
      type: 'checkpoint',
    },
    roles: { assigned: ['researcher'], members: {} },
    subject: {
      attributes: {},
      found: true,
      id: 'ada',
      incarnation: 'i1',
      related: {
        allocation: {
          attributes: { holder: 'ada', nodes: { n1: true }, until: NOW + 60 },
          found: true,
          id: 'a1',
        },
      },
      type: 'user',
    },
  }),
  capability: asked('capability.use', 'anonymous', {
    caller: { ...NO_CALLER },
    claimed: { at: 'cell-a', operation: { op: 'submit', resource: 'gpu-0' } },
    payload: { check: 'valid' },
    proof: { check: 'absent' },
    report: {},
    state: {
      cell: { local: true },
      counters: {},
      lease: {
        cell: 'cell-a',
        expires_at: NOW + 200,
        generation: 4,
        resource: 'gpu-0',
        state: 'active',
        tenant: 'acme',
      },
      resource: { lease: 'l1', state: 'leased' },
      revocations: [],
    },
    sweep: { records: [] },
    token: {
      aud: 'cell-a',
      bound: false,
      caveats: {},
      check: 'valid',
      exp: NOW + 200,
      gen: 4,
      handles: ['a'.repeat(64)],
      iat: NOW - 100,
      iss: 'cell-a',
      jti: 'j',
      key_state: 'active',
      lease: 'l1',
      resource: 'gpu-0',
      sealed: false,
      signer: 'AAAA',
      surplus: [],
      tenant: 'acme',
      unsupported: 0,
    },
  }),
  lease: asked('lease.grant', 'operator', {
    caller: { ...NO_CALLER },
    cell: { custody: 'cell-a', found: true, local: true, name: 'cell-a' },
    claimed: { why: '' },
    lease: { found: false },
    payload: { check: 'valid', nk: KEY, ttl: 60 },
    resource: {
      found: true,
      name: 'gpu-0',
      record: { cell: 'cell-a', epoch: 6, resource: 'gpu-0', since: NOW - 60, state: 'free' },
    },
    revoked: {},
    tenant: { found: true, name: 'demo', state: 'active' },
  }),
}

/** What is changed in a request that is allowed, and where the condition stands that refuses it then. */
const BROKEN: readonly (readonly [plugin: string, path: string, value: Json, place: string])[] = [
  ['access', 'facts.resource.related.workload.attributes.owner', 'ben', 'access/abac.rego:18:2'],
  ['access', 'facts.resource.related.workload.found', false, 'access/abac.rego:17:2'],
  ['access', 'facts.subject.related.allocation.found', false, 'access/abac.rego:23:2'],
  ['access', 'facts.subject.related.allocation.attributes.holder', 'ben', 'access/abac.rego:24:2'],
  ['access', 'facts.resource.attributes.node', 'n2', 'access/abac.rego:25:2'],
  ['access', 'facts.subject.related.allocation.attributes.until', NOW - 1, 'access/abac.rego:59:2'],
  ['access', 'facts.subject.found', false, 'access/evaluate.rego:20:2'],
  ['access', 'facts.subject.attributes.disabled', true, 'access/abac.rego:63:25'],
  ['access', 'facts.payload.action', 'write', 'access/rbac.rego:61:2'],
  ['access', 'facts.payload.check', 'malformed', 'access/decision.rego:56:2'],
  ['access', 'facts.resource.type', 'release', 'access/rbac.rego:61:2'],
  ['lease', 'facts.resource.record.state', 'leased', 'lease/state.rego:71:2'],
  ['lease', 'facts.resource.record.cell', 'cell-b', 'lease/state.rego:44:2'],
  ['lease', 'facts.tenant.state', 'revoked', 'lease/issuer.rego:70:19'],
  ['lease', 'facts.tenant.found', false, 'lease/issuer.rego:58:2'],
  ['lease', 'facts.cell.custody', '', 'lease/issuer.rego:40:2'],
  ['lease', 'facts.payload.ttl', 4000, 'lease/issuer.rego:84:10'],
  ['lease', 'request.peer.kind', 'service', 'lease/peers.rego:43:2'],
  ['lease', 'facts.payload.check', 'malformed', 'lease/decision.rego:34:2'],
  ['capability', 'facts.token.check', 'too_large', 'capability/token.rego:16:2'],
  ['capability', 'facts.token.aud', 'cell-b', 'capability/token.rego:79:18'],
  ['capability', 'facts.token.exp', NOW - 1, 'capability/token.rego:84:2'],
  ['capability', 'facts.token.iat', NOW + 100, 'capability/token.rego:81:10'],
  ['capability', 'facts.state.lease.state', 'freed', 'capability/state.rego:88:10'],
  ['capability', 'facts.token.gen', 3, 'capability/state.rego:102:10'],
]

function changed(value: Json, [name, ...rest]: readonly string[], to: Json): Json {
  if (name === undefined) return to
  const members = value as Members
  return { ...members, [name]: changed(members[name] ?? {}, rest, to) }
}

function explain(plugin: string, input: Json): Explanation {
  return explainer.explain(`assay/${plugin}/decision`, JSON.stringify(input)).explanation
}

describe('the condition that is named first', () => {
  test.each(Object.entries(ALLOWED))('is absent where %s allows', (plugin, input) => {
    expect(explain(plugin, input)).toMatchObject({ outcome: 'allowed', missed: [] })
    expect(explain(plugin, input)).not.toHaveProperty('nearest')
  })

  test.each(BROKEN)('of %s names %s where it is %j', (plugin, path, value, place) => {
    const broken = changed(ALLOWED[plugin] as Json, path.split('.'), value)
    const { nearest, outcome } = explain(plugin, broken)
    expect(outcome).toBe('denied')
    expect(`${nearest?.file}:${nearest?.row}:${nearest?.col}`).toBe(place)
    expect(nearest?.saw.map(({ ref }) => ref)).toContain(`input.${path}`)
  })

  test('leads, one after the other, to everything that is wrong', () => {
    const plugins = fc.constantFrom(...Object.keys(ALLOWED))
    const asked = plugins.chain((plugin) => {
      const ways = BROKEN.filter(([of]) => of === plugin)
      return fc.record({ plugin: fc.constant(plugin), broken: fc.subarray(ways, { minLength: 1 }) })
    })
    fc.assert(
      fc.property(asked, ({ broken, plugin }) => {
        const good = ALLOWED[plugin] as Json
        const wrong = new Map(broken.map(([, path, value]) => [path, value]))
        for (let steps = broken.length; steps >= 0; steps--) {
          const { nearest, outcome } = explain(plugin, brokenBy(good, wrong))
          if (outcome === 'allowed') return
          const named = nearest?.saw.map(({ ref }) => ref.replace('input.', '')) ?? []
          const found = named.find((path) => wrong.has(path))
          expect({ named, wrong: [...wrong.keys()], found }).toMatchObject({
            found: expect.any(String),
          })
          wrong.delete(found as string)
        }
        expect.unreachable('what was named was mended, and it is still denied')
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})

describe('a rule of the whole organisation that refuses', () => {
  const HOLD = `package assay.main

deny contains {"code": "on_hold", "message": "on hold", "rule": "assay.main.deny"} if {
	input.facts.resource.id in data.hold
}
`
  let held: Explainer
  beforeAll(async () => {
    const sources = {
      ...(await loadFolder(OWN_POLICIES)),
      'hold.rego': HOLD,
      'hold/data.json': '["c1"]',
    }
    const entrypoints = ['assay/access/decision']
    const bundle = await compiler.build(sources, { capabilities: 'trust', entrypoints })
    held = createExplainer(bundle, { syntax: await compiler.syntax(bundle.sources) })
  }, 120_000)

  test.each([
    ['something grants', {}],
    ['something is missing too', { 'facts.payload.action': 'write' }],
    ['another rule refuses too', { 'facts.subject.found': false }],
  ])('is told, and is named first where it alone refuses, although %s', (_, wrong) => {
    const input = brokenBy(ALLOWED.access as Json, new Map(Object.entries<Json>(wrong)))
    const { explanation } = held.explain('assay/access/decision', JSON.stringify(input))
    const { fired, nearest } = explanation
    const told = tree(fired).filter((line) => /^ *data\.assay\.main\.deny@/.test(line))
    expect(told.length).toBe(1)
    if (!('facts.subject.found' in wrong))
      expect(nearest).toMatchObject({ file: 'hold.rego', row: 4, col: 2, why: 'held' })
    expect(tree(fired).filter((line) => /\.(missing|grant)@/.test(line))).toEqual([])
  })
})

/** As the engine answers: an integer that JSON readers would round is no answer, for either. */
function plain(value: Value | undefined): Json | undefined {
  try {
    return value === undefined ? undefined : (toJson(value) as Json)
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
    return 'no answer'
  }
}

async function answered(entrypoint: string, text: string): Promise<Json | undefined> {
  try {
    return await policy.evaluate(entrypoint, { value: JSON.parse(text), text })
  } catch (error) {
    expect(error).toMatchObject({ code: 'evaluation_failed' })
    return 'no answer'
  }
}

/** Members of what is not there are not there either. */
function brokenBy(good: Json, wrong: ReadonlyMap<string, Json>): Json {
  return [...wrong].reduce((input, [path, value]) => changed(input, path.split('.'), value), good)
}

describe('an explanation', () => {
  test('answers what the engine answers, whatever the input is', async () => {
    const facts = fc.array(fc.constantFrom(...BROKEN.map(([, path]) => path)), { maxLength: 6 })
    const input = fc.record({
      plugin: fc.constantFrom(...Object.keys(ALLOWED)),
      changes: facts.chain((paths) =>
        fc.tuple(
          ...paths.map((path) => fc.tuple(fc.constant(path), fc.jsonValue({ maxDepth: 2 }))),
        ),
      ),
    })
    await fc.assert(
      fc.asyncProperty(input, async ({ changes, plugin }) => {
        const value = brokenBy(ALLOWED[plugin] as Json, new Map(changes as [string, Json][]))
        const text = JSON.stringify(value)
        const entrypoint = `assay/${plugin}/decision`
        const answer = await answered(entrypoint, text)
        const explained = explainer.explain(entrypoint, text)
        const told = plain(explained.value)
        expect(told === undefined ? undefined : canonicalJson(told)).toBe(
          answer === undefined ? undefined : canonicalJson(answer),
        )
        const allow = get(explained.value, 'allow')
        expect(explained.explanation.outcome).toBe(allow === true ? 'allowed' : 'denied')
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})
