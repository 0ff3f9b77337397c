/**
 * Attenuation can only narrow: whatever is added to a token, it allows nothing that the token itself does not, and that at every link of the
 * chain. Random chains and requests through the plugin and the real policy; budgets are spent on the way.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { Policy } from '../../core/ports/engine.ts'
import { Payload } from '../../core/request.ts'
import { readVerdict, type Verdict } from '../../core/verdict.ts'
import type { Caveat } from '../../formats/cap1/index.ts'
import { ENTRYPOINT, tokenBundle } from '../../test/enforcement.ts'
import { testEngine } from '../../test/engine.ts'
import { NOW, RECORDS } from '../../test/presented.ts'
import { compiler } from '../../test/rego.ts'
import {
  authorityOf,
  CELL,
  canonicalBytes,
  extended,
  granted,
  linkOf,
  type Made,
  sealed,
  tokenText,
} from '../../test/tokens.ts'
import { capability } from './facts.ts'
import type { CapabilityFacts } from './schema.ts'

let policy: Policy
beforeAll(async () => {
  policy = await testEngine().load(await tokenBundle())
})
afterAll(async () => {
  await policy.close()
  await compiler.close()
})

const names = ['a', 'b', 'c']
const name = fc.constantFrom(...names)
const someNames = fc.uniqueArray(name, { maxLength: 3 })
const near = fc.integer({ min: NOW - 3, max: NOW + 3 })
const small = fc.integer({ min: 0, max: 6 })
const path = fc.constantFrom('/', '/a', '/a/', '/a/b', '/ab', '/a/../b', '/a//b', 'a', '/b')
const address = fc.constantFrom('10.0.0.1', '10.9.0.1', '192.0.2.1', '2001:db8::1', 'nowhere')
const network = fc.constantFrom(
  '10.0.0.0/8',
  '10.0.0.0/16',
  '0.0.0.0/0',
  '2001:db8::/32',
  '10.0.0.0/99',
)
const minute = fc.integer({ min: 475, max: 490 })

/** A value for each type that ships, mostly one that its schema takes. */
const VALUES: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  attestation_level: small,
  aud: fc.constantFrom(CELL, 'cell-B'),
  byte_budget: small.map((bytes) => ({ bytes })),
  daily_window: fc
    .record({ from: minute, until: minute, days: fc.constantFrom([5], [1, 2], [5, 6]) })
    .map((window) => ({ ...window })),
  exp: near,
  max_bytes: small,
  op: someNames,
  parent_workload: name,
  partition: someNames,
  path_prefix: fc.array(path, { minLength: 1, maxLength: 2 }),
  program: name.map((letter) => `sha256:${letter.repeat(64)}`),
  purpose: someNames,
  rate_budget: fc
    .record({ count: fc.integer({ min: 1, max: 2 }), seconds: small.map((s) => s + 1) })
    .map((budget) => ({ ...budget })),
  resource: fc.constantFrom('gpu-0', 'gpu-1'),
  session: name,
  source_network: fc.array(network, { maxLength: 2 }),
  time_window: fc.record({ from: near, until: near }).map((window) => ({ ...window })),
}
const known = fc
  .constantFrom(...Object.keys(VALUES))
  .chain((t) => (VALUES[t] as fc.Arbitrary<Json>).map((v): Caveat => ({ t, v })))
const odd: fc.Arbitrary<Caveat> = fc.oneof(
  fc.record({ t: fc.constantFrom('OP', '__proto__', 'unheard_of'), v: small }),
  known.map((caveat) => ({ ...caveat, extra: true })),
  fc.record({
    t: fc.constantFrom(...Object.keys(VALUES)),
    v: fc.constantFrom(null, 'x', -1, [[]]),
  }),
)
const caveat = fc.oneof({ weight: 24, arbitrary: known }, { weight: 1, arbitrary: odd })
const chainOf = fc.array(fc.array(caveat, { maxLength: 2 }), { minLength: 1, maxLength: 5 })

/** What an enforcement point knows; each member may be missing. */
const operation = fc
  .record(
    {
      attestation_level: small,
      bytes: fc.oneof(small, fc.constantFrom(-1, 0.5, '1', null)),
      parent_workload: name,
      partition: name,
      path,
      program: name.map((letter) => `sha256:${letter.repeat(64)}`),
      purpose: name,
      session: name,
      source: address,
    },
    { requiredKeys: [] },
  )
  .chain((known) =>
    fc
      .record({ op: name, resource: fc.constantFrom('gpu-0', 'gpu-0', 'gpu-1') })
      .map((asked): { readonly [member: string]: Json } => ({ ...(known as object), ...asked })),
  )

/** The token after each of its blocks: the first one has only the authority block's caveats. */
function lineage(blocks: readonly (readonly Caveat[])[]): readonly Made[] {
  const [first = [], ...added] = blocks
  const line: Made[] = [granted(canonicalBytes({ ...authorityOf({ caveats: first }) }))]
  for (const [i, caveats] of added.entries()) {
    const payload = canonicalBytes({ caveats, nk: linkOf(i + 1).publicKey })
    line.push(extended(line[i] as Made, payload, linkOf(i), linkOf(i + 1)))
  }
  return line
}

/** Records of counters, which the verdict's effects write when they are carried out. */
class Counters implements Pick<ReadPorts, 'get' | 'getFrom'> {
  readonly spent = new Map<string, Json>()
  get = async (sort: string): Promise<Json | undefined> => this.spent.get(sort)
  getFrom = async (plugin: string, sort: string): Promise<Json | undefined> =>
    RECORDS[plugin]?.[sort]
  keep({ effects }: Verdict): void {
    for (const { amount, counter, since, until } of effects)
      this.spent.set(`spent/${counter}`, { amount, since, until } as Json)
  }
}

async function decide(token: string, asked: Json, counters: Counters): Promise<Verdict> {
  const payload = Payload.fromJson({ at: CELL, operation: asked, token })
  const request = { action: 'capability.use', obligations: [] }
  const peer = { id: 'a', kind: 'anonymous' }
  const signal = new AbortController().signal
  const read = counters as unknown as ReadPorts
  const facts: CapabilityFacts = await capability.facts(
    { ...request, payload, peer },
    read,
    NOW,
    signal,
  )
  const value = { facts, now: NOW, request: { ...request, peer } } as unknown as Json
  const verdict = readVerdict(
    (await policy.evaluate(ENTRYPOINT, { value, text: JSON.stringify(value) })) as Json,
  )
  if ('problem' in verdict) throw new Error(verdict.problem)
  return verdict
}

let allowed = 0
let narrowed = 0

test('no descendant allows what an ancestor denies', { timeout: 180_000 }, async () => {
  const property = fc.asyncProperty(
    chainOf,
    fc.array(operation, { minLength: 1, maxLength: 4 }),
    fc.nat(),
    fc.boolean(),
    async (blocks, operations, who, seals) => {
      const line = lineage(blocks)
      const counters = new Counters()
      for (const [i, asked] of operations.entries()) {
        const verdicts: Verdict[] = []
        for (const made of line)
          verdicts.push(await decide(tokenText(seals ? sealed(made) : made), asked, counters))
        for (const [depth, verdict] of verdicts.entries())
          if (verdict.allow) expect(verdicts.slice(0, depth).every(({ allow }) => allow)).toBe(true)
        allowed += verdicts.filter(({ allow }) => allow).length
        if (verdicts[0]?.allow && !verdicts.at(-1)?.allow) narrowed++
        // One of them is used for real, so that the next operation finds budgets spent.
        const used = verdicts[(who + i) % verdicts.length] as Verdict
        if (used.allow) counters.keep(used)
      }
    },
  )
  await fc.assert(property, { numRuns: 400 })
  // It would hold of tokens that allow nothing, too.
  expect(allowed).toBeGreaterThan(100)
  expect(narrowed).toBeGreaterThan(20)
})

test('every type that ships is tried, with a value that its schema takes', async () => {
  const bundle = await tokenBundle()
  const { capability: bounds } = bundle.data as { capability: { caveats: object } }
  expect(Object.keys(VALUES).sort()).toEqual(Object.keys(bounds.caveats).sort())
})
