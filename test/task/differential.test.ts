/** The policies and a node's agent say the same about whatever somebody makes of tasks and sets. */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { openEnvelope, parseEnvelope } from '../../formats/dsse/index.ts'
import {
  type KnownSets,
  readVerifierSet,
  remember,
  type VerifierKey,
  type VerifierSet,
} from '../../formats/task/index.ts'
import { SET_REASONS, TASK_REASONS } from '../../node-agent/index.ts'
import { compiler } from '../rego.ts'
import { type Judged, judgeSet, judgeTask } from './gate.ts'
import { envelope, Platform, type PlatformKey, START } from './platform.ts'

afterAll(() => compiler.close())

const platform = new Platform()
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => platform.key(name)) as [
  PlatformKey,
  PlatformKey,
  PlatformKey,
  PlatformKey,
]
const keys = [a, b, c, d, platform.root]

function knownFrom(...texts: readonly string[]): KnownSets {
  let known: KnownSets | undefined
  for (const text of texts) {
    const { payload = new Uint8Array() } = parseEnvelope(text) ?? {}
    known = remember(readVerifierSet(payload) as VerifierSet, sha256Hex(payload), known)
  }
  return known as KnownSets
}
/** a was revoked and is not listed any more. */
const known = knownFrom(
  platform.set(1, [a.active, b.preActive, c.preActive]),
  platform.set(2, [a.revoked, b.active, c.preActive]),
  platform.set(3, [b.grace(START + 50), c.active, d.preActive]),
)
const seen = new Set<string>()
function agree({ agent, rego }: Judged): void {
  seen.add(rego)
  expect(agent).toBe(rego)
}
const entryOf = fc.constantFrom('active', 'grace', 'pre-active', 'retired', 'revoked')

describe('tasks', () => {
  const times = fc.constantFrom(-4000, -600, -1, 0, 1, 50, 51, 300, 301, 600, 3600, 3601, 4000)
  const changes = fc.record(
    {
      node_id: fc.constantFrom('node-7', 'node-8'),
      type: fc.constantFrom('node.install-package', 'node.reboot'),
      version: fc.constantFrom(1, 2, 0),
      issued_at: times.map((at) => START + at),
      expires_at: times.map((at) => START + at),
      task_id: fc.constantFrom('t', 'used'),
      params: fc.constantFrom({}, { digest: 'x', name: 'y' }),
      sudo: fc.constant(true),
    },
    { requiredKeys: [] },
  )
  const signers = fc.array(fc.constantFrom(...keys), { maxLength: 3 })

  test('as anybody may sign them', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        ...([changes, signers, fc.boolean(), fc.boolean(), times] as const),
        async (more, signed, keyids, require_keyid, at) => {
          const text = platform.task('t', signed, more, { keyids })
          const state = { known, nodeId: 'node-7', now: START + at, root: platform.root.x }
          const json = JSON.parse(text) as Json
          agree(await judgeTask(json, { ...state, used: ['used'] }, { require_keyid }))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('of each reason', { timeout: 60_000 }, async () => {
    const by = (key: PlatformKey, more: object = {}, keyids = true): Json =>
      JSON.parse(platform.task('t', [key], { ...more }, { keyids })) as Json
    const good = { issued_at: START - 10, expires_at: START + 100 }
    const other = openEnvelope(by(c))?.payload ?? new Uint8Array()
    const state = { known, nodeId: 'node-7', root: platform.root.x, used: ['used'] }
    const retired = knownFrom(platform.set(1, [b.retired, c.active]))
    const cases: readonly (readonly [string, Json, object?, object?])[] = [
      ['accept', by(c)],
      ['malformed', { payload: 7 }],
      ['malformed', by(c, { sudo: true })],
      ['malformed', by(c, { params: {} })],
      ['signature_missing', { ...(by(c) as object), signatures: [] }],
      ['keyid_missing', by(c, {}, false), {}, { require_keyid: true }],
      ['key_unknown', by(platform.root)],
      ['signature_invalid', { ...(by(c) as object), payloadType: 'x' }],
      ['key_not_active', by(d)],
      ['accept', by(b, good), { now: START + 49 }],
      ['key_grace_over', by(b, good), { now: START + 50 }],
      ['key_retired', by(b), { known: retired }],
      ['key_revoked', by(a)],
      ['payload_type_not_allowed', JSON.parse(envelope('text/plain', other, [c])) as Json],
      ['audience_mismatch', by(c, { node_id: 'node-8' })],
      ['not_yet_valid', by(c, { issued_at: START + 301, expires_at: START + 900 })],
      ['task_expired', by(c, { expires_at: START })],
      ['ttl_exceeds_max', by(c, { expires_at: START + 3591 })],
      ['task_type_unknown', by(c, { type: 'node.reboot' })],
      ['replayed', by(c, { task_id: 'used' })],
    ]
    for (const [expected, json, more = {}, bounds = {}] of cases) {
      const judged = await judgeTask(json, { ...state, now: START, ...more }, bounds)
      expect([json, judged]).toEqual([json, { agent: expected, rego: expected }])
    }
    const reached = new Set(cases.map(([expected]) => expected))
    expect(TASK_REASONS.filter((reason) => !reached.has(reason))).toEqual([])
  })
})

describe('sets', () => {
  const entry = fc.tuple(fc.constantFrom(a, b, c, d), entryOf, fc.boolean(), fc.boolean())
  const listed = fc
    .uniqueArray(entry, { maxLength: 4, selector: ([key]) => key.kid })
    .map((entries) =>
      entries.map(
        ([key, state, ends, named]): VerifierKey => ({
          ...key.entry(state as VerifierKey['state'], ends ? { grace_until: START + 9 } : {}),
          ...(named ? {} : { kid: '0000000000000000' }),
        }),
      ),
    )
  const more = fc.record(
    { emergency: fc.boolean(), scope: fc.constantFrom('node-task-signing', 'release-signing') },
    { requiredKeys: [] },
  )

  test('as anybody may sign them', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        ...([
          fc.integer({ min: 1, max: 6 }),
          listed,
          more,
          fc.constantFrom(...keys),
          fc.boolean(),
        ] as const),
        async (version, entries, said, signer, rooted) => {
          const text = platform.set(version, entries, said, rooted ? platform.root : signer)
          const state = { known, nodeId: 'node-7', now: START, root: platform.root.x }
          agree(await judgeSet(JSON.parse(text) as Json, state))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('of each reason', { timeout: 60_000 }, async () => {
    const weak: VerifierKey = {
      ...b.active,
      kid: sha256Hex(new Uint8Array(32)).slice(0, 16),
      x: 'A'.repeat(43),
    }
    const named = { ...b.active, kid: '0000000000000000' }
    const set = (
      version: number,
      entries: readonly VerifierKey[],
      said = {},
      key = platform.root,
    ) => platform.set(version, entries, said, key)
    const cases: readonly (readonly [string, string])[] = [
      ['accept', set(4, [c.active, b.retired])],
      ['accept', set(4, [d.active, c.grace(START + 9)])],
      ['accept', set(9, [platform.key('e').active])],
      ['malformed', set(4, [c.active, c.active])],
      ['malformed', set(4, [c.active], { sudo: true })],
      ['malformed', envelope('text/plain', new Uint8Array(), [platform.root])],
      ['key_unknown', set(4, [c.active], {}, c)],
      ['signature_invalid', set(4, [c.active]).replace(/"sig":"..../, '"sig":"AAAA')],
      ['scope_mismatch', set(4, [c.active], { scope: 'release-signing' })],
      ['kid_mismatch', set(4, [named])],
      ['weak_key', set(4, [weak])],
      ['verifier_set_rollback', set(2, [c.active])],
      ['not_newer', platform.set(3, [b.grace(START + 50), c.active, d.preActive])],
      ['equivocation', set(3, [c.active])],
      ['no_active_key', set(4, [c.preActive])],
      ['more_than_one_active', set(4, [c.active, d.active])],
      ['activated_without_publication', set(4, [platform.key('e').active])],
      ['grace_without_end', set(4, [c.active, b.entry('grace')])],
      ['revoked_key_reactivated', set(4, [c.active, a.retired])],
    ]
    for (const [expected, text] of cases) {
      const state = { known, nodeId: 'node-7', now: START, root: platform.root.x }
      const judged = await judgeSet(JSON.parse(text) as Json, state)
      expect([text, judged]).toEqual([text, { agent: expected, rego: expected }])
    }
    const reached = new Set(cases.map(([expected]) => expected))
    expect(SET_REASONS.filter((reason) => !reached.has(reason))).toEqual([])
  })
})

test('what was tried led to many answers', () => {
  // Fewer than chance ever brings about, so that a generator which makes one kind of thing is noticed.
  expect(seen.size).toBeGreaterThan(7)
})
