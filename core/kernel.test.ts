import { describe, expect, it } from 'vitest'
import { openMemory } from '../adapters/store/memory/index.ts'
import { logWith, storeWith } from '../test/conformance/store/delegate.ts'
import { testCustody } from '../test/kernel/custody.ts'
import {
  ALLOW,
  bundle,
  DENY,
  functionEngine,
  kit,
  NOW,
  type NoteFacts,
  notePlugin,
  type PolicyFunction,
  submission,
} from '../test/kernel/kit.ts'
import { EngineError, RegistryError, StoreError } from './error.ts'
import type { Json } from './json.ts'
import type { Plugin } from './plugin.ts'
import type { Outbound } from './ports/outbound.ts'
import { schema } from './schema.ts'

const withEffects = (effects: readonly Json[], base: object = ALLOW) => ({ ...base, effects })
const codes = (reasons: readonly { code: string }[]): string[] => reasons.map(({ code }) => code)

describe('a decision', () => {
  it('is in the log with its leaf, and its receipt is under a signed head', async () => {
    const { kernel, leaves } = await kit()
    const decision = await kernel.decide(submission())
    expect(decision).toMatchObject({ allow: true, seal: 'sealed', reasons: ALLOW.reasons })
    const leaf = (await leaves()).at(-1)
    expect(leaf).toMatchObject({
      type: 'assay.decision/v1',
      id: decision.id,
      action: 'note.read',
      allow: true,
      reasons: [{ code: 'owner', rule: 'note.owner' }],
      time: NOW / 1000,
    })
    expect(Object.keys(leaf?.commitments as object)).toEqual([
      'facts.claimed',
      'facts.evidence',
      'facts.record',
      'payload',
      'request',
      'verdict',
    ])
    expect(JSON.stringify(leaf)).not.toContain('alice')
    expect((await decision.receipt()).proof).toContain('c2sp.org/tlog-proof@v1')
    expect(await kernel.receipt(decision.id)).toEqual(await decision.receipt())
  })

  it('applies effects and leaf together, and the next decision reads them', async () => {
    const { kernel, record } = await kit({
      policy: ({ request, facts }) =>
        request.action === 'note.write'
          ? withEffects([{ kind: 'note.put', value: { owner: 'alice' } }])
          : { ...ALLOW, output: { seen: facts.record } },
    })
    expect((await kernel.decide(submission('note.write'))).allow).toBe(true)
    expect(await record()).toEqual({ owner: 'alice' })
    expect((await kernel.decide(submission())).output).toEqual({ seen: { owner: 'alice' } })
  })

  it('runs on a deny only the effects that may', async () => {
    const { kernel, record } = await kit({
      policy: () => withEffects([{ kind: 'note.burn' }], DENY),
    })
    expect((await kernel.decide(submission())).allow).toBe(false)
    expect(await record()).toBe('burnt')
  })

  it('carries a signature that the policy asked for, and signs nothing in a dry run', async () => {
    const custody = await testCustody()
    const policy = () => withEffects([{ kind: 'note.sign', key: 'cell' }])
    const { kernel } = await kit({ custody, policy })
    const before = custody.signatures
    expect((await kernel.check(submission())).allow).toBe(true)
    expect(custody.signatures).toBe(before)
    expect((await kernel.decide(submission())).output).toEqual({
      token: expect.stringMatching(/^[\w-]{86}$/),
    })
  })

  it('passes obligations through when the caller declared them, and denies otherwise', async () => {
    const obligations = [{ id: '1', type: 'step-up' }]
    const { kernel } = await kit({ policy: () => ({ ...ALLOW, obligations }) })
    const able = await kernel.decide({ ...submission(), obligations: ['step-up'] })
    expect(able).toMatchObject({ allow: true, obligations })
    const unable = await kernel.decide(submission())
    expect(codes(unable.reasons)).toEqual(['kernel/unsupported_obligation'])
    expect(unable.obligations).toEqual([])
  })
})

describe('whatever fails is a denial and a leaf', () => {
  const hang = () => new Promise<never>(() => {})
  const plugin = (facts: Plugin<NoteFacts>['facts']) => notePlugin({ facts })
  const good: NoteFacts = { claimed: null, evidence: { check: 'valid' }, record: null }
  const facts = (value: unknown) => plugin(async () => value as NoteFacts)
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const table: readonly [string, string, Parameters<typeof kit>[0]][] = [
    [
      'the plugin throws at once',
      'plugin_failed',
      {
        plugin: plugin(() => {
          throw new Error('secret')
        }),
      },
    ],
    [
      'the plugin rejects',
      'plugin_failed',
      { plugin: plugin(() => Promise.reject(new Error('secret'))) },
    ],
    ['the plugin hangs', 'deadline', { plugin: plugin(hang) }],
    ['facts are nothing', 'invalid_facts', { plugin: facts(undefined) }],
    ['facts are no object', 'invalid_facts', { plugin: facts('facts') }],
    [
      'a fact is missing',
      'invalid_facts',
      { plugin: facts({ claimed: null, evidence: { check: 'valid' } }) },
    ],
    ['a fact is unknown', 'invalid_facts', { plugin: facts({ ...good, more: 1 }) }],
    [
      'a fact is of the wrong type',
      'invalid_facts',
      { plugin: facts({ ...good, evidence: 'valid' }) },
    ],
    ['a fact is cyclic', 'invalid_facts', { plugin: facts({ ...good, record: cyclic }) }],
    ['a fact is not a number', 'invalid_facts', { plugin: facts({ ...good, record: Number.NaN }) }],
    ['a fact is a function', 'invalid_facts', { plugin: facts({ ...good, record: () => 1 }) }],
    [
      'the policy throws',
      'policy_failed',
      {
        policy: () => {
          throw 'opa_malloc: failed'
        },
      },
    ],
    [
      'the policy takes too many steps',
      'budget_exhausted',
      {
        policy: () => {
          throw new EngineError('engine', 'budget_exhausted', 'secret')
        },
      },
    ],
    [
      'two engines disagree',
      'internal/engine_mismatch',
      {
        policy: () => {
          throw new EngineError('engine', 'engine_mismatch', 'secret')
        },
      },
    ],
    ['the policy hangs', 'deadline', { policy: hang }],
    ['the policy has no answer', 'invalid_verdict', { policy: () => undefined }],
    ['the verdict is no object', 'invalid_verdict', { policy: () => true }],
    [
      'the verdict has more members',
      'invalid_verdict',
      { policy: () => ({ ...ALLOW, permit: true }) },
    ],
    ['the verdict has fewer members', 'invalid_verdict', { policy: () => ({ allow: true }) }],
    ['allow is not a boolean', 'invalid_verdict', { policy: () => ({ ...ALLOW, allow: 'true' }) }],
    ['a denial has no reason', 'invalid_verdict', { policy: () => ({ ...DENY, reasons: [] }) }],
    [
      'a reason poses as the kernel',
      'invalid_verdict',
      { policy: () => ({ ...DENY, reasons: [{ code: 'kernel/x', message: '', rule: '' }] }) },
    ],
    [
      'an effect is unknown',
      'unknown_effect',
      { policy: () => withEffects([{ kind: 'note.format-disk' }]) },
    ],
    [
      'an effect is named like a prototype member',
      'unknown_effect',
      { policy: () => withEffects([{ kind: 'constructor' }]) },
    ],
    [
      'an effect does not conform',
      'invalid_effect',
      { policy: () => withEffects([{ kind: 'note.put' }]) },
    ],
    [
      'an effect may not run on a deny',
      'effect_not_allowed_on_deny',
      { policy: () => withEffects([{ kind: 'note.put', value: 1 }], DENY) },
    ],
    [
      'an effect cannot be planned',
      'effect_failed',
      { policy: () => withEffects([{ kind: 'note.throw' }]) },
    ],
    [
      'an effect writes what facts did not read',
      'effect_failed',
      { policy: () => withEffects([{ kind: 'note.unread' }]) },
    ],
    [
      'an effect writes a record twice',
      'effect_failed',
      { policy: () => withEffects([{ kind: 'note.put', value: 1 }, { kind: 'note.burn' }]) },
    ],
    [
      'nobody performs an external action',
      'unknown_effect',
      { policy: () => withEffects([{ kind: 'note.send' }]) },
    ],
    [
      'a signature cannot be made',
      'signing_failed',
      { policy: () => withEffects([{ kind: 'note.sign', key: 'nobody' }]) },
    ],
    ['no policy is active', 'no_policy', { activate: false }],
  ]
  it.each(table)('%s', async (_title, name, options) => {
    const code = name.includes('/') ? name : `kernel/${name}`
    const { kernel, leaves, record } = await kit(options)
    const before = (await leaves()).length
    const decision = await kernel.decide(submission('note.write'), { timeoutMs: 100 })
    expect(decision.allow).toBe(false)
    expect(codes(decision.reasons)).toEqual([code])
    expect(decision.reasons[0]?.message).not.toContain('secret')
    const written = (await leaves()).slice(before)
    expect(written).toHaveLength(1)
    expect(written[0]).toMatchObject({
      id: decision.id,
      allow: false,
      reasons: [{ code }],
    })
    expect(await record()).toBeUndefined()
  })

  it('an action that nobody answers, whose name stays out of the leaf', async () => {
    const { kernel, leaves } = await kit()
    const decision = await kernel.decide(submission('alice.smith'))
    expect(codes(decision.reasons)).toEqual(['kernel/no_plugin'])
    expect((await leaves()).at(-1)).toMatchObject({ action: 'unknown', allow: false })
  })

  it('a decision that is larger than the store takes', async () => {
    const { store, log } = openMemory()
    const small = storeWith(store, { maxValueBytes: 2000 })
    const { kernel, leaves } = await kit({ store: small, log })
    const decision = await kernel.decide(submission('note.read', 'x'.repeat(3000)))
    expect(codes(decision.reasons)).toEqual(['kernel/too_large'])
    expect(Object.keys((await leaves()).at(-1)?.commitments as object)).toEqual(['request'])
  })
})

describe('an effect', () => {
  it('may write a record named after its decision, which nobody can have read', async () => {
    const { kernel, store } = await kit({ policy: () => withEffects([{ kind: 'note.file' }]) })
    const { allow, id } = await kernel.decide(submission('note.write'))
    expect(allow).toBe(true)
    expect(await store.get({ partition: 'note', sort: `filed/${id}` })).toBeDefined()
  })
})

describe('the floor', () => {
  const check = (value: string) =>
    kit({
      plugin: notePlugin({
        facts: async () => ({ claimed: null, evidence: { check: value }, record: null }),
      }),
    })

  it('refuses an allow on evidence that failed', async () => {
    const { kernel } = await check('signature_invalid')
    const decision = await kernel.decide(submission())
    expect(codes(decision.reasons)).toEqual(['kernel/unverified_evidence'])
  })
  it('refuses an allow without evidence where the action needs it, and only there', async () => {
    const { kernel } = await check('absent')
    expect((await kernel.decide(submission('note.sign'))).allow).toBe(false)
    expect((await kernel.decide(submission('note.read'))).allow).toBe(true)
  })
})

describe('guarded reads', () => {
  it('a revocation that lands between facts and commit wins', async () => {
    const { store, log } = openMemory()
    let interfere = async (): Promise<void> => {}
    const plugin = notePlugin({
      facts: async (_request, read) => {
        const record = (await read.get('record')) ?? null
        await interfere()
        return { claimed: null, evidence: { check: 'valid' }, record }
      },
    })
    const policy = ({ facts }: { facts: { record?: Json } }) =>
      facts.record === 'revoked' ? DENY : ALLOW
    const { kernel, leaves } = await kit({ store, log, plugin, policy: policy as never })
    interfere = async () => {
      interfere = async () => {}
      const key = { partition: 'note', sort: 'record' }
      await store.commit([
        { writes: [{ put: key, value: new TextEncoder().encode('"revoked"'), if: 'absent' }] },
      ])
    }
    const decision = await kernel.decide(submission())
    expect(codes(decision.reasons)).toEqual(['not_owner'])
    expect((await leaves()).filter((leaf) => leaf.action === 'note.read')).toHaveLength(1)
  })

  it('two reads of one record at the same time give one value', async () => {
    const { store, log } = openMemory()
    const key = { partition: 'note', sort: 'record' }
    let reads = 0
    const moving = storeWith(store, {
      get: async (wanted) => {
        if (wanted.sort !== 'record') return store.get(wanted)
        // The first read is answered last, with what was there before the second one.
        if (reads++ > 0) {
          await store.commit([{ writes: [{ put: key, value: bytesOf('"new"'), if: 'absent' }] }])
          return store.get(key)
        }
        const found = await store.get(key)
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
        return found
      },
    })
    const plugin = notePlugin({
      facts: async (_request, read) => {
        const both = await Promise.all([read.get('record'), read.get('record')])
        const record = both.map((value) => value ?? null)
        return { claimed: null, evidence: { check: 'valid' }, record }
      },
    })
    const policy: PolicyFunction = ({ facts }) => ({ ...DENY, output: facts.record })
    const { kernel } = await kit({ store: moving, log, plugin, policy })
    const { output } = await kernel.decide(submission())
    expect(output).toEqual(['new', 'new'])
  })

  it('sees no phantom below a listed prefix', async () => {
    let members = 0
    const plugin = notePlugin({
      actions: ['note.join', 'note.count'],
      facts: async ({ action }, read) => {
        const listed = await read.listGuarded('list/')
        if (action === 'note.join') await read.get(`list/${listed.length}`)
        return { claimed: null, evidence: { check: 'valid' }, record: listed.length }
      },
      effects: {
        'note.join': {
          onDeny: false,
          schema: notePlugin().effects?.['note.put']?.schema as never,
          plan: ({ value }) => ({ writes: [{ put: `list/${value}`, value: 1 }] }),
        },
      },
    })
    const policy = ({ facts }: { facts: { record?: Json } }) =>
      (facts.record as number) < 3
        ? withEffects([{ kind: 'note.join', value: facts.record as number }])
        : DENY
    const tables = { ...plugin.effects }
    tables['note.join'] = {
      ...tables['note.join'],
      schema: { json: {}, problem: () => undefined },
    } as never
    const { kernel } = await kit({
      plugin: { ...plugin, effects: tables },
      policy: policy as never,
    })
    const all = await Promise.all(
      Array.from({ length: 12 }, () => kernel.decide(submission('note.join'))),
    )
    members = all.filter(({ allow }) => allow).length
    expect(members).toBe(3)
  })

  it('gives up on endless conflict with a denial and a leaf', async () => {
    const { store, log } = openMemory()
    const contended = storeWith(store, {
      commit: async (batches) => {
        const outcomes = await store.commit(
          batches.map((b) => (fights(b.writes) ? { writes: [] } : b)),
        )
        return outcomes.map((outcome, i) =>
          fights(batches[i]?.writes ?? [])
            ? { conflict: { partition: 'note', sort: 'record' } }
            : outcome,
        )
      },
    })
    const fights = (writes: readonly object[]) => writes.some((w) => 'check' in w)
    const { kernel, leaves } = await kit({ store: contended, log })
    const decision = await kernel.decide(submission())
    expect(codes(decision.reasons)).toEqual(['kernel/contended'])
    expect((await leaves()).at(-1)).toMatchObject({ id: decision.id, allow: false })
  })
})

describe('idempotency', () => {
  it('answers the same request with the same decision, once in the log', async () => {
    const { kernel, leaves } = await kit({
      policy: () => ({ ...withEffects([{ kind: 'note.sign', key: 'cell' }]), obligations: [] }),
    })
    const first = await kernel.decide({ ...submission(), idempotencyKey: 'k' })
    const again = await kernel.decide({ ...submission(), idempotencyKey: 'k' })
    expect(again).toMatchObject({
      id: first.id,
      allow: true,
      index: first.index,
      output: first.output as object,
      reasons: first.reasons,
    })
    expect((await leaves()).filter(({ id }) => id === first.id)).toHaveLength(1)
  })
  it('holds for requests at the same time', async () => {
    const { kernel } = await kit()
    const keyed = { ...submission(), idempotencyKey: 'k' }
    const all = await Promise.all(Array.from({ length: 20 }, () => kernel.decide(keyed)))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
  })
  it('refuses another request under the key, and keeps peers apart', async () => {
    const { kernel } = await kit()
    const first = await kernel.decide({ ...submission(), idempotencyKey: 'k' })
    const other = { ...submission('note.read', { by: 'bob' }), idempotencyKey: 'k' }
    await expect(kernel.decide(other)).rejects.toMatchObject({ code: 'idempotency_mismatch' })
    const peer = { kind: 'anonymous', id: 'anonymous' }
    const elsewhere = await kernel.decide({ ...submission(), idempotencyKey: 'k', peer })
    expect(elsewhere.id).not.toBe(first.id)
  })
  it('ends after five minutes, and the rows are swept', async () => {
    const { kernel, clock, store } = await kit({ limits: { windowMs: 20 } })
    const first = await kernel.decide({ ...submission(), idempotencyKey: 'k' })
    clock.advance(5 * 60_000 + 1)
    const again = await kernel.decide({ ...submission(), idempotencyKey: 'k' })
    expect(again.id).not.toBe(first.id)
    clock.advance(5 * 60_000 + 1)
    await expect
      .poll(async () => {
        let rows = 0
        for await (const _row of store.list('#idempotency', '')) rows++
        return rows
      })
      .toBe(0)
  })
})

describe('no decision', () => {
  it('and a caller that is refused at the door takes no place', async () => {
    const { kernel } = await kit({ limits: { maxInFlight: 1 } })
    const signal = {} as AbortSignal
    await expect(kernel.decide(submission(), { signal })).rejects.toThrow(TypeError)
    expect(kernel.readiness().inFlight).toBe(0)
    await kernel.close()
  })
  it('over the limit of decisions under way', async () => {
    const { kernel } = await kit({ limits: { maxInFlight: 2 } })
    const all = await Promise.allSettled([1, 2, 3].map(() => kernel.decide(submission())))
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect((all[2] as PromiseRejectedResult).reason).toMatchObject({
      code: 'overloaded',
      retryAfterMs: 1000,
    })
    expect((await kernel.decide(submission())).allow).toBe(true)
  })
  it('when the caller gives up before the commit, and nothing is written', async () => {
    const { kernel, leaves } = await kit({
      plugin: notePlugin({ facts: () => new Promise(() => {}) }),
    })
    const before = (await leaves()).length
    const controller = new AbortController()
    const pending = kernel.decide(submission(), { signal: controller.signal })
    controller.abort()
    await expect(pending).rejects.toMatchObject({ code: 'aborted' })
    await expect(kernel.decide(submission(), { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    expect((await leaves()).length).toBe(before)
  })
  it('when the clock is behind the newest decision, also after a restart', async () => {
    const memory = openMemory()
    const custody = await testCustody()
    const { kernel, clock } = await kit({ ...memory, custody })
    await kernel.decide(submission())
    clock.set(NOW - 5000)
    await expect(kernel.decide(submission())).rejects.toMatchObject({ code: 'unavailable' })
    expect(kernel.readiness()).toMatchObject({ ready: false, problems: ['clock_behind'] })
    clock.set(NOW)
    expect(kernel.readiness().ready).toBe(true)
  })
  it('when the store fails: nothing happened, and it recovers', async () => {
    const { store, log } = openMemory()
    let broken = false
    const flaky = storeWith(store, {
      commit: async (batches) => {
        if (broken) throw new StoreError('memory', 'full', 'no room')
        return store.commit(batches)
      },
    })
    const { kernel, leaves } = await kit({ store: flaky, log })
    const before = (await leaves()).length
    broken = true
    await expect(kernel.decide(submission())).rejects.toMatchObject({ code: 'unavailable' })
    expect(kernel.readiness().problems).toEqual(['store_failed'])
    expect((await leaves()).length).toBe(before)
    broken = false
    expect((await kernel.decide(submission())).seal).toBe('sealed')
    expect(kernel.readiness().ready).toBe(true)
  })
  it('when the outcome of a commit is unknown it looks, and answers what it finds', async () => {
    const { store, log } = openMemory()
    let lost: 'after' | 'before' | undefined
    const flaky = storeWith(store, {
      commit: async (batches) => {
        const mode = lost
        lost = undefined
        if (mode !== 'before') {
          const outcomes = await store.commit(batches)
          if (mode === undefined) return outcomes
        }
        throw new StoreError('memory', 'unknown_outcome', 'the answer was lost')
      },
    })
    const { kernel } = await kit({ store: flaky, log })
    lost = 'after'
    const decision = await kernel.decide(submission())
    expect(decision).toMatchObject({ allow: true, seal: 'sealed' })
    lost = 'before'
    await expect(kernel.decide(submission())).rejects.toMatchObject({ code: 'unavailable' })
    expect((await kernel.decide(submission())).seal).toBe('sealed')
  })
  it.each([
    ['an action that is none', { action: 'READ' }],
    ['an empty idempotency key', { idempotencyKey: '' }],
    ['an endless idempotency key', { idempotencyKey: 'k'.repeat(129) }],
    ['a lone surrogate in a peer', { peer: { kind: 'x', id: '\ud800' } }],
    ['a payload that is none', { payload: {} as never }],
  ])('for %s', async (_title, wrong) => {
    const { kernel } = await kit()
    await expect(kernel.decide({ ...submission(), ...wrong })).rejects.toMatchObject({
      code: 'malformed',
    })
  })
})

describe('time', () => {
  it('a decision that waited for longer than its age is made again', async () => {
    const { store, log } = openMemory()
    let runs = 0
    const { kernel, clock, leaves } = await kit({
      store,
      log,
      plugin: notePlugin({
        facts: async () => {
          runs++
          if (runs === 1) clock.advance(2001)
          return { claimed: null, evidence: { check: 'valid' }, record: null }
        },
      }),
    })
    const decision = await kernel.decide(submission())
    expect(runs).toBe(2)
    expect((await leaves()).at(-1)).toMatchObject({
      id: decision.id,
      time: Math.floor((NOW + 2001) / 1000),
    })
  })
})

describe('seals and groups', () => {
  it('256 decisions at a time share commits and signatures', async () => {
    const memory = openMemory()
    let commits = 0
    const store = storeWith(memory.store, {
      commit: (batches) => {
        commits++
        return memory.store.commit(batches)
      },
    })
    const custody = await testCustody()
    const { kernel } = await kit({ store, log: memory.log, custody })
    const [before, signed] = [commits, custody.signatures]
    const all = await Promise.all(Array.from({ length: 256 }, () => kernel.decide(submission())))
    expect(all.every(({ seal }) => seal === 'sealed')).toBe(true)
    expect(new Set(all.map(({ index }) => index)).size).toBe(256)
    expect(commits - before).toBeLessThanOrEqual(8)
    expect(custody.signatures - signed).toBeLessThanOrEqual(8)
  })
  it('a head that cannot be signed leaves the decision committed, and the receipt comes later', async () => {
    const custody = await testCustody()
    const { kernel } = await kit({ custody })
    custody.failing = true
    const decision = await kernel.decide(submission())
    expect(decision.seal).toBe('committed_unsealed')
    expect(kernel.readiness().problems).toEqual(['unsealed'])
    await expect(decision.receipt()).rejects.toMatchObject({
      code: 'unavailable',
      decisionId: decision.id,
    })
    custody.failing = false
    await expect.poll(() => kernel.readiness().ready, { timeout: 5000 }).toBe(true)
    expect((await decision.receipt()).leaf).toContain(decision.id)
  })
  it('durable does not wait for the signature', async () => {
    const custody = await testCustody()
    const { kernel } = await kit({ custody })
    custody.failing = true
    expect((await kernel.decide(submission(), { seal: 'durable' })).seal).toBe('durable')
  })
  it('reopens with the same head, and refuses rows that do not lead to it', async () => {
    const memory = openMemory()
    const custody = await testCustody()
    const first = await kit({ ...memory, custody })
    for (let i = 0; i < 5; i++) await first.kernel.decide(submission())
    const head = await first.kernel.log.checkpoint()
    const second = await kit({ ...memory, custody })
    expect(await second.kernel.log.checkpoint()).toEqual(head)
    const forged = logWith(memory.log, { leaves: async () => [new TextEncoder().encode('{}')] })
    await expect(kit({ store: memory.store, log: forged, custody })).rejects.toMatchObject({
      code: 'corrupt',
    })
  })
})

describe('policies', () => {
  it('logs an activation once, with what is needed to run it again', async () => {
    const { kernel, leaves, store } = await kit()
    await kernel.activate(bundle())
    const activations = (await leaves()).filter(({ action }) => action === 'kernel.activate-policy')
    expect(activations).toHaveLength(1)
    const { digest, revision } = bundle()
    const kept = await store.get({ partition: '#policy', sort: `${digest}/${revision}` })
    expect(new TextDecoder().decode(kept?.value)).toContain('package assay.note')
    await kernel.activate(bundle('b'))
    expect(kernel.readiness().policy?.digest).toBe(bundle('b').digest)
  })
  it('keeps a policy that is larger than one record in several', async () => {
    const { kernel, store } = await kit()
    const data = { rows: 'x'.repeat(2.5 * store.maxValueBytes) }
    const { digest, revision } = await kernel.activate({ ...bundle(), data, revision: 'large' })
    let text = ''
    for (const part of ['', '/1', '/2']) {
      const kept = await store.get({ partition: '#policy', sort: `${digest}/${revision}${part}` })
      text += new TextDecoder().decode(kept?.value)
    }
    expect(JSON.parse(text)).toMatchObject({ data, capabilities: 'trust' })
  })
  it('keeps the old policy when the new one lacks an entry point or cannot be evaluated', async () => {
    const engine = functionEngine(() => ALLOW)
    const { kernel } = await kit({
      engine: {
        name: 'picky',
        load: async (b) => ({
          ...(await engine.load(b)),
          evaluate: () => {
            if (b.digest === bundle('c').digest)
              throw new EngineError('picky', 'budget_exhausted', 'too many steps')
            if (b.digest !== bundle().digest) throw new Error('broken')
            return ALLOW as never
          },
        }),
      },
    })
    await expect(kernel.activate(bundle('b'))).rejects.toMatchObject({ code: 'invalid_bundle' })
    const exhausted = expect.stringContaining('budget_exhausted')
    const refused = { code: 'invalid_bundle', message: exhausted }
    await expect(kernel.activate(bundle('c'))).rejects.toMatchObject(refused)
    await expect(kernel.activate(bundle('a', []))).rejects.toMatchObject({ code: 'invalid_bundle' })
    expect((await kernel.decide(submission())).allow).toBe(true)
  })
})

describe('the outbox', () => {
  it('performs at least once, and logs the outcome as a decision', async () => {
    const performed: string[] = []
    let failures = 2
    const mail: Outbound = {
      name: 'mail',
      kinds: ['mail'],
      perform: async ({ key }) => {
        if (failures-- > 0) throw new Error('down')
        performed.push(key)
        return { status: 'sent' }
      },
    }
    const { kernel, clock, leaves, store } = await kit({
      outbound: [mail],
      policy: () => withEffects([{ kind: 'note.send' }]),
    })
    const decision = await kernel.decide(submission())
    await expect
      .poll(
        () => {
          clock.advance(1100)
          return performed
        },
        { timeout: 5000 },
      )
      .toEqual([`${decision.id}/0`])
    await expect
      .poll(async () => (await leaves()).filter(({ action }) => action === 'kernel.perform').length)
      .toBe(1)
    for await (const _entry of store.list('#outbox', '')) expect.unreachable('the outbox is empty')
    await kernel.close()
  })
})

describe('an outbox whose receivers differ', () => {
  const send = (name: string, to: string) => ({
    onDeny: false,
    schema: schema.object({ kind: schema.literal(name) }),
    plan: () => ({ outbox: [{ kind: to, body: null }] }),
  })
  const plugin = notePlugin({
    effects: { 'note.mail': send('note.mail', 'mail'), 'note.fax': send('note.fax', 'fax') },
  })

  it('one that does not answer holds up no other, and each entry is settled once', async () => {
    const got: string[] = []
    const never = Promise.withResolvers<Json>()
    const mail: Outbound = { name: 'mail', kinds: ['mail'], perform: () => never.promise }
    const fax: Outbound = {
      name: 'fax',
      kinds: ['fax'],
      perform: async ({ key }) => got.push(key),
    }
    let kind = 'note.mail'
    const policy = () => withEffects([{ kind }])
    const { kernel, leaves, store } = await kit({ plugin, outbound: [mail, fax], policy })
    for (let i = 0; i < 100; i++) await kernel.decide(submission())
    kind = 'note.fax'
    const faxed = await Promise.all(Array.from({ length: 100 }, () => kernel.decide(submission())))
    await expect.poll(() => got.length, { timeout: 5000 }).toBe(100)
    expect([...got].sort()).toEqual(faxed.map(({ id }) => `${id}/0`).sort())
    never.resolve('sent')
    const performed = async () =>
      (await leaves()).filter(({ action }) => action === 'kernel.perform').length
    await expect.poll(performed, { timeout: 5000 }).toBe(200)
    for await (const _entry of store.list('#outbox', '')) expect.unreachable('it is empty')
    expect(got.length).toBe(100)
    await kernel.close()
  })
})

describe('a signed entry in the outbox', () => {
  const signature = {
    name: 'token',
    scope: 'cell',
    key: 'cell',
    purpose: 'note.token',
    message: new TextEncoder().encode('signed'),
  } as const
  const sending = (body: Json) =>
    notePlugin({
      effects: {
        'note.send': {
          onDeny: false,
          schema: schema.object({ kind: schema.literal('note.send') }),
          plan: () => ({
            signatures: [signature],
            outbox: [{ kind: 'mail', body, signatures: ['token'] }],
          }),
        },
      },
    })
  const mailer = (): Outbound & { readonly got: Json[] } => {
    const got: Json[] = []
    return { name: 'mail', kinds: ['mail'], got, perform: async ({ body }) => got.push(body) }
  }

  it('is delivered with its signature, which the caller gets too', async () => {
    const mail = mailer()
    const { kernel } = await kit({
      outbound: [mail],
      plugin: sending({ to: 'ops' }),
      policy: () => withEffects([{ kind: 'note.send' }]),
    })
    const { output } = await kernel.decide(submission())
    const { token } = output as { token: string }
    await expect.poll(() => mail.got).toEqual([{ to: 'ops', signatures: { token } }])
    expect(token).toMatch(/^[A-Za-z0-9_-]{86}$/)
    await kernel.close()
  })

  it('is a denial where its body cannot carry one', async () => {
    const mail = mailer()
    const { kernel } = await kit({
      outbound: [mail],
      plugin: sending('ops'),
      policy: () => withEffects([{ kind: 'note.send' }]),
    })
    expect(await kernel.decide(submission())).toMatchObject({
      allow: false,
      reasons: [{ code: 'kernel/effect_failed' }],
    })
    await kernel.close()
  })
})

describe('counts and shutdown', () => {
  it('counts refusals and dry runs in leaves of their own', async () => {
    const memory = openMemory()
    const leaves: string[] = []
    const log = logWith(memory.log, {
      close: async () => {
        for (const leaf of await memory.log.leaves(before, 256)) {
          leaves.push(new TextDecoder().decode(leaf))
        }
      },
    })
    const policy: PolicyFunction = ({ request }) => (request.action === 'note.read' ? ALLOW : DENY)
    const { kernel } = await kit({ store: memory.store, log, policy })
    const before = await log.size()
    kernel.refused('http', 'malformed')
    kernel.refused('http', 'malformed')
    await kernel.check(submission())
    await kernel.check(submission('note.write'))
    expect(await log.size()).toBe(before)
    await kernel.close()
    expect(leaves.map((leaf) => JSON.parse(leaf))).toMatchObject([
      {
        type: 'assay.counts/v1',
        kind: 'refused',
        counts: [{ source: 'http', code: 'malformed', count: 2 }],
      },
      {
        kind: 'checks',
        counts: [
          { source: 'note.read', code: 'allow', count: 1 },
          { source: 'note.write', code: 'deny', count: 1 },
        ],
      },
    ])
  })
  it('answers what it accepted, then refuses', async () => {
    const { kernel } = await kit()
    const accepted = Array.from({ length: 50 }, () => kernel.decide(submission()))
    const closed = kernel.close()
    await expect(kernel.decide(submission())).rejects.toMatchObject({ code: 'closed' })
    expect((await Promise.all(accepted)).every(({ seal }) => seal === 'sealed')).toBe(true)
    await closed
    expect(kernel.readiness().problems).toContain('closed')
  })
})

describe('registration', () => {
  const twice = (change: object) =>
    [notePlugin(), { ...notePlugin(), ...change }] as unknown as Plugin[]
  it.each([
    ['duplicate_plugin', twice({ actions: ['note.more'] })],
    ['duplicate_action', [notePlugin(), notePlugin()] as Plugin[]],
    ['invalid_plugin', twice({ name: 'kernel', actions: ['kernel.x'] })],
    ['invalid_plugin', twice({ name: 'Upper', actions: ['Upper.x'] })],
    ['invalid_plugin', twice({ name: 'other', actions: ['note.other'] })],
    ['invalid_plugin', twice({ name: 'other', actions: [] })],
    [
      'invalid_plugin',
      twice({
        name: 'o',
        actions: ['o.x'],
        schema: { claimed: { ...notePlugin().schema.claimed, trust: 'verified' } },
      }),
    ],
  ])('refuses %s', async (code, plugins) => {
    const { createRegistry } = await import('./registry.ts')
    expect(() => createRegistry(plugins)).toThrow(RegistryError)
    try {
      createRegistry(plugins)
    } catch (error) {
      expect((error as RegistryError).code).toMatch(
        code === 'duplicate_action' ? /duplicate/ : code,
      )
    }
  })
})

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
