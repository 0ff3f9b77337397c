import { describe, expect, it } from 'vitest'
import { manualClock } from '../adapters/clock/manual.ts'
import { systemClock } from '../adapters/clock/system.ts'
import { logWith, storeWith } from '../test/conformance/store/delegate.ts'
import { Waiting } from '../test/conformance/store/waiting.ts'
import { type TestCustody, testCustody } from '../test/kernel/custody.ts'
import {
  ALLOW,
  type Kit,
  type KitOptions,
  kit,
  NOW,
  ORIGIN,
  submission,
} from '../test/kernel/kit.ts'
import { StoreError } from './error.ts'
import { formatVkey } from './log/note.ts'
import { type Receipt, verifyReceipt } from './log/receipt.ts'
import type { LogStore } from './ports/logstore.ts'
import type { Store } from './ports/store.ts'

const FAST = { mergeMs: 20, sealTimeoutMs: 3000 }

/** A kernel of one of the processes that share `waiting`. */
async function one(waiting: Waiting, options: KitOptions = {}): Promise<Kit> {
  return kit({ ...waiting.open(), clock: systemClock, limits: FAST, ...options })
}

async function verified(custody: TestCustody, receipt: Receipt): Promise<unknown> {
  const [key] = await custody.list('log')
  const keys = [{ vkey: formatVkey(ORIGIN, key!.publicKey), from: '0' }]
  return verifyReceipt(receipt, { type: 'assay.trust/v1', origin: ORIGIN, keys })
}

/** The same custody, which counts what one process signs. */
function counting(custody: TestCustody): TestCustody {
  const counted: TestCustody = {
    ...custody,
    signatures: 0,
    sign: (request) => {
      counted.signatures++
      return custody.sign(request)
    },
  }
  return counted
}

describe('a decision whose leaf waits', () => {
  it('is answered durable and without an index, and its receipt comes when the log is that far', async () => {
    const custody = await testCustody()
    const { kernel } = await one(new Waiting(), { custody })
    const decision = await kernel.decide(submission())
    expect(decision).toMatchObject({ allow: true, seal: 'durable' })
    expect(decision).not.toHaveProperty('index')
    expect(await verified(custody, await decision.receipt())).toMatchObject({
      ok: true,
      leaf: { id: decision.id },
    })
    await kernel.close()
  })

  it('is sealed for whoever asks for that', async () => {
    const custody = await testCustody()
    const { kernel, log } = await one(new Waiting(), { custody })
    const asked = Array.from({ length: 20 }, () => kernel.decide(submission(), { seal: 'sealed' }))
    for (const decision of await Promise.all(asked)) {
      expect(decision.seal).toBe('sealed')
      const { index } = (await verified(custody, await decision.receipt())) as { index: bigint }
      expect(decision.index).toBe(String(index))
    }
    expect(await log.size()).toBe(21n)
    expect(kernel.readiness()).toMatchObject({ ready: true, size: '21', sealed: '21' })
    await kernel.close()
  })

  it('is committed_unsealed when no head can be signed in time, and sealed later', async () => {
    const custody = await testCustody()
    const limits = { mergeMs: 20, sealTimeoutMs: 200 }
    const { kernel } = await one(new Waiting(), { custody, limits })
    custody.failing = true
    const decision = await kernel.decide(submission(), { seal: 'sealed' })
    expect(decision.seal).toBe('committed_unsealed')
    await expect(decision.receipt()).rejects.toMatchObject({ code: 'unavailable' })
    expect(kernel.readiness().problems).toContain('unsealed')
    custody.failing = false
    await expect.poll(() => kernel.readiness().problems, { timeout: 5000 }).toEqual([])
    expect(await verified(custody, await decision.receipt())).toMatchObject({ ok: true })
    await kernel.close()
  })

  it('is recalled by its idempotency key in another process', async () => {
    const custody = await testCustody()
    const waiting = new Waiting()
    const [a, b] = [await one(waiting, { custody }), await one(waiting, { custody })]
    const asked = { ...submission(), idempotencyKey: 'key' }
    const first = await a.kernel.decide(asked)
    expect(await b.kernel.decide(asked)).toMatchObject({ id: first.id, index: expect.any(String) })
    await a.kernel.close()
    await b.kernel.close()
  })

  it('has its place before its kernel is closed', async () => {
    const waiting = new Waiting()
    const { kernel } = await one(waiting, { limits: { mergeMs: 60_000 } })
    await kernel.decide(submission())
    await kernel.close()
    const { log } = waiting.open()
    expect(await log.size()).toBe(2n)
    expect(await log.checkpoint()).toBeDefined()
  })
})

describe('several processes', () => {
  it('sign only where one leads; the others follow its heads', async () => {
    const custody = await testCustody()
    const waiting = new Waiting()
    const [mine, others] = [counting(custody), counting(custody)]
    const { store, log } = waiting.open()
    const follower = logWith(log, {
      integrate: async () => ({ size: await log.size(), leads: false, pending: 0 }),
    })
    const a = await one(waiting, { custody: mine })
    const b = await one(waiting, { custody: others, store, log: follower })
    const led = setInterval(() => void a.kernel.integrate(), 20)
    const decisions = await Promise.all(
      Array.from({ length: 5 }, () => b.kernel.decide(submission(), { seal: 'sealed' })),
    )
    clearInterval(led)
    for (const decision of decisions) {
      expect(decision.seal).toBe('sealed')
      expect(await verified(custody, await decision.receipt())).toMatchObject({ ok: true })
    }
    expect(others.signatures).toBe(0)
    expect(mine.signatures).toBeGreaterThan(0)
    await a.kernel.close()
    await b.kernel.close()
  })

  it('never sign over a head that the leaves do not lead to', async () => {
    const custody = await testCustody()
    const waiting = new Waiting()
    const a = await one(waiting, { custody })
    await a.kernel.decide(submission(), { seal: 'sealed' })
    await a.kernel.close()
    const { store, log } = waiting.open()
    let forged = false
    const other = logWith(log, {
      checkpoint: async () => {
        const note = await log.checkpoint()
        if (!forged || note === undefined) return note
        const [origin, size, , ...rest] = new TextDecoder().decode(note).split('\n')
        const root = Buffer.alloc(32, 7).toString('base64')
        return new TextEncoder().encode([origin, size, root, ...rest].join('\n'))
      },
    })
    const b = await one(waiting, { custody: counting(custody), store, log: other })
    forged = true
    await b.kernel.decide(submission())
    await expect(b.kernel.integrate()).rejects.toMatchObject({ code: 'corrupt' })
    forged = false
    await b.kernel.close()
  })
})

describe('a log that is shorter than it was', () => {
  it('is not gone on with: its next leaves would get places that were proven already', async () => {
    const { store, log } = new Waiting().open()
    let restored: Uint8Array | undefined
    const shorter = logWith(log, { checkpoint: async () => restored ?? (await log.checkpoint()) })
    const { kernel } = await one(new Waiting(), { store, log: shorter, limits: { mergeMs: 0 } })
    await kernel.decide(submission())
    await kernel.integrate()
    const earlier = await log.checkpoint()
    await kernel.decide(submission())
    await kernel.integrate()
    restored = earlier
    await expect(kernel.integrate()).rejects.toMatchObject({ code: 'corrupt' })
    restored = undefined
    expect(await kernel.integrate()).toEqual({ pending: 0, sealed: '3' })
    await kernel.close()
  })
})

describe('a commit of which no answer came', () => {
  const silent = (store: Store, commits: boolean): Store =>
    storeWith(store, {
      commit: async (batches) => {
        if (!batches.some(({ leaf }) => leaf)) return store.commit(batches)
        if (commits) await store.commit(batches)
        throw new StoreError('test', 'unknown_outcome', 'no answer')
      },
    })

  it('stands when the decision is in the store', async () => {
    const { store, log } = new Waiting().open()
    const { kernel } = await one(new Waiting(), { store: silent(store, true), log })
    const decision = await kernel.decide(submission(), { seal: 'sealed' })
    expect(decision.seal).toBe('sealed')
    await kernel.close()
  })

  it('stays unknown when it is not: it may arrive yet', async () => {
    const { store, log } = new Waiting().open()
    const { kernel } = await one(new Waiting(), {
      store: silent(store, false),
      log,
      activate: false,
    })
    await expect(kernel.decide(submission())).rejects.toMatchObject({
      code: 'unknown_outcome',
      decisionId: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    await kernel.close()
  })

  it('is of one batch where only that one is unknown', async () => {
    const { store, log } = new Waiting().open()
    const unknown = new StoreError('test', 'unknown_outcome', 'no answer')
    let unanswered = -1
    const partly = storeWith(store, {
      commit: async (batches) => {
        const outcomes = await store.commit(batches)
        return outcomes.map((outcome) => (unanswered-- === 0 ? { error: unknown } : outcome))
      },
    })
    const { kernel } = await one(new Waiting(), { store: partly, log })
    unanswered = 1
    const both = await Promise.all([kernel.decide(submission()), kernel.decide(submission())])
    expect(both.map(({ seal }) => seal)).toEqual(['durable', 'durable'])
    await kernel.close()
  })
})

describe('when leaves get their places', () => {
  it('without a timer it is when somebody says so', async () => {
    const { kernel, log } = await one(new Waiting(), { limits: { mergeMs: 0 } })
    await kernel.decide(submission())
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await log.size()).toBe(0n)
    expect(await kernel.integrate()).toEqual({ pending: 0, sealed: '2' })
    expect((await kernel.decide(submission(), { seal: 'sealed' })).seal).toBe('sealed')
    await kernel.close()
  })

  it('is too late after the delay that the log promises', async () => {
    const clock = manualClock(NOW)
    const { store, log } = new Waiting().open()
    let down = false
    const failing: LogStore = logWith(log, {
      integrate: async () => {
        if (down) throw new StoreError('test', 'unavailable', 'not now')
        return log.integrate()
      },
    })
    const limits = { ...FAST, maxMergeDelayMs: 1000 }
    const { kernel } = await one(new Waiting(), { store, log: failing, clock, limits })
    await kernel.integrate()
    down = true
    await kernel.decide(submission())
    clock.advance(900)
    expect(kernel.readiness().problems).not.toContain('merge_overdue')
    clock.advance(200)
    expect(kernel.readiness()).toMatchObject({ ready: false, problems: ['merge_overdue'] })
    down = false
    await expect.poll(() => kernel.readiness().problems, { timeout: 5000 }).toEqual([])
    await kernel.close()
  })

  it('is at the commit where the store orders there', async () => {
    const { kernel } = await kit({ policy: () => ALLOW })
    await kernel.decide(submission(), { seal: 'durable' })
    expect(await kernel.integrate()).toEqual({ pending: 0, sealed: '2' })
    await kernel.close()
  })
})
