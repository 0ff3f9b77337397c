import { describe, expect, test } from 'vitest'
import { openMemory } from '../adapters/store/memory/index.ts'
import { storeWith } from '../test/conformance/store/delegate.ts'
import { testCustody } from '../test/kernel/custody.ts'
import { bundle, DENY, kit, NOW, notePlugin, submission } from '../test/kernel/kit.ts'
import { newPath, open } from '../test/sqlite/kit.ts'
import { StoreError } from './error.ts'
import type { Observed, Observer } from './observe.ts'
import type { Store } from './ports/store.ts'

/** Everything that was seen, by method; what must not be seen anywhere is looked for in its text. */
class Notebook implements Observer {
  readonly seen: [name: string, ...args: unknown[]][] = []
  readonly #note =
    (name: string) =>
    (...args: unknown[]): void => {
      this.seen.push([name, ...args])
    }
  readonly decided = this.#note('decided')
  readonly checked = this.#note('checked')
  readonly refused = this.#note('refused')
  readonly noDecision = this.#note('noDecision')
  readonly group = this.#note('group')
  readonly storeFailed = this.#note('storeFailed')
  readonly sealed = this.#note('sealed')
  readonly sealFailed = this.#note('sealFailed')
  readonly activated = this.#note('activated')

  of(name: string): unknown[][] {
    return this.seen.filter(([seen]) => seen === name).map(([, ...args]) => args)
  }
  get text(): string {
    return JSON.stringify(this.seen, (_, value) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
  }
}

/** A store whose commits fail with `code` while it is set. */
function failing(store: Store): { store: Store; fail(code?: 'full' | 'unavailable'): void } {
  let failure: StoreError | undefined
  const commit: Store['commit'] = async (batches) => {
    if (failure) throw failure
    return await store.commit(batches)
  }
  return {
    store: storeWith(store, { commit }),
    fail: (code) => {
      failure = code && new StoreError('test', code, 'broken on purpose')
    },
  }
}

describe('an observer', () => {
  test('sees a decision by its codes, rules and durations, and nothing of what it was about', async () => {
    const observer = new Notebook()
    const plugin = notePlugin({
      facts: async ({ payload }, read) => {
        clock.advance(3)
        const record = (await read.get('record')) ?? null
        return { claimed: payload.json(), evidence: { check: 'valid' }, record }
      },
    })
    const reasons = [{ code: 'not_owner', message: 'canary-message', rule: 'note.owner' }]
    const { kernel, clock } = await kit({ observer, plugin, policy: () => ({ ...DENY, reasons }) })
    const peer = { kind: 'embedded', id: 'canary-peer' } as const
    const { id, index } = await kernel.decide({
      ...submission('note.write', { canary: 'canary-payload' }),
      peer,
    })
    const [[activation], [observed]] = observer.of('decided') as [[Observed], [Observed]]
    expect(activation).toMatchObject({ action: 'kernel.activate-policy', index: 0n })
    expect(activation).not.toHaveProperty('durations')
    expect(observed).toEqual({
      id,
      action: 'note.write',
      allow: false,
      reasons: [{ code: 'not_owner', rule: 'note.owner' }],
      policy: bundle().digest,
      revision: bundle().revision,
      seal: 'sealed',
      index: BigInt(index ?? -1),
      durations: { facts: 3, policy: 0, commit: 0, total: 3 },
    })
    expect(observer.of('activated')).toEqual([[bundle().digest, bundle().revision]])
    expect(observer.of('group')).toContainEqual([1, 0])
    expect(observer.of('sealed').at(-1)?.[0]).toBe(2n)
    expect(observer.text).not.toContain('canary')
    await kernel.close()
  })

  test('sees dry runs, refusals, and that there was no decision', async () => {
    const observer = new Notebook()
    const { kernel } = await kit({ observer })
    await kernel.check(submission('note.read'))
    kernel.refused('http', 'too_large')
    const signal = AbortSignal.abort()
    await expect(kernel.decide(submission(), { signal })).rejects.toThrow()
    expect(observer.of('checked')).toEqual([['note.read', true]])
    expect(observer.of('refused')).toEqual([['http', 'too_large']])
    expect(observer.of('noDecision')).toEqual([['aborted']])
    expect(observer.of('decided')).toHaveLength(1)
    await kernel.close()
  })

  test('sees a failing store and a failing signer', async () => {
    const observer = new Notebook()
    const { store, log } = openMemory()
    const disk = failing(store)
    const custody = await testCustody()
    const { kernel } = await kit({ observer, store: disk.store, log, custody })
    custody.failing = true
    expect((await kernel.decide(submission())).seal).toBe('committed_unsealed')
    expect(observer.of('sealFailed').length).toBeGreaterThan(0)
    custody.failing = false
    disk.fail('full')
    await expect(kernel.decide(submission())).rejects.toThrow()
    expect(observer.of('storeFailed')).toEqual([['full']])
    disk.fail()
    await kernel.close()
  })

  test('that throws, never runs what it was given, or runs it twice hurts nothing', async () => {
    const rude = (): never => {
      throw new Error('rude')
    }
    const all = { decided: rude, checked: rude, refused: rude, noDecision: rude, group: rude }
    const more = { storeFailed: rude, sealed: rude, sealFailed: rude, activated: rude }
    let around: NonNullable<Observer['around']> = rude
    const observer: Observer = { ...all, ...more, around: (what, run) => around(what, run) }
    const { kernel, leaves } = await kit({ observer })
    const asked = [
      rude,
      () => {},
      (_: unknown, run: () => Promise<unknown>) => {
        void run()
        void run()
      },
    ]
    for (const one of asked) {
      around = one
      expect((await kernel.decide(submission())).seal).toBe('sealed')
      expect((await kernel.check(submission())).allow).toBe(true)
    }
    kernel.refused('http', 'malformed')
    // The activation and one leaf for each decision.
    expect(await leaves()).toHaveLength(1 + asked.length)
    await kernel.close()
  })

  test('is told of no action that nobody answers', async () => {
    const actions: string[] = []
    const observer: Observer = {
      around: ({ action }) => actions.push(action),
      decided: ({ action }) => actions.push(action),
    }
    const { kernel } = await kit({ observer })
    await kernel.decide(submission('canary.secret'))
    expect(actions).toEqual(['kernel.activate-policy', 'unknown', 'unknown'])
    await kernel.close()
  })
})

describe('readiness', () => {
  test('fails without traffic when the disk cannot write, and comes back with it', async () => {
    const { store, log } = openMemory()
    const disk = failing(store)
    const { kernel, clock, leaves } = await kit({ store: disk.store, log, limits: { probeMs: 10 } })
    const before = (await leaves()).length
    disk.fail('full')
    clock.advance(10)
    await expect.poll(() => kernel.readiness().problems).toEqual(['store_failed'])
    disk.fail()
    clock.advance(10)
    await expect.poll(() => kernel.readiness().ready).toBe(true)
    expect(await leaves()).toHaveLength(before)
    await kernel.close()
  })

  test('does not come back while a real database is full, although a little would still fit', async () => {
    const observer = new Notebook()
    const { store, log } = await open(newPath(), { maxBytes: 400_000 })
    const { kernel, clock } = await kit({ observer, store, log, limits: { probeMs: 10 } })
    const large = submission('note.read', 'x'.repeat(20_000))
    await expect(async () => {
      for (let i = 0; i < 100; i++) await kernel.decide(large)
    }).rejects.toMatchObject({ code: 'unavailable' })
    await expect
      .poll(() => {
        clock.advance(10)
        return observer.of('storeFailed').length
      })
      .toBeGreaterThan(4)
    expect(observer.of('storeFailed').every(([code]) => code === 'full')).toBe(true)
    expect(kernel.readiness()).toMatchObject({ ready: false, problems: ['store_failed'] })
    await kernel.close()
  })

  test('fails while a write does not come back', async () => {
    const { store, log } = openMemory()
    let release = (): void => {}
    const stuck = new Promise<void>((resolve) => {
      release = resolve
    })
    let hangs = false
    const commit: Store['commit'] = async (batches) => {
      if (hangs) await stuck
      return await store.commit(batches)
    }
    const hanging = storeWith(store, { commit })
    const { kernel, clock } = await kit({ store: hanging, log })
    hangs = true
    const asked = kernel.decide(submission())
    await expect
      .poll(() => {
        clock.advance(1000)
        return kernel.readiness().problems
      })
      .toEqual(['store_stalled'])
    release()
    await asked
    expect(kernel.readiness().ready).toBe(true)
    await kernel.close()
  })

  test('fails when the clock goes back behind what the kernel itself logged', async () => {
    const { kernel, clock } = await kit({ limits: { windowMs: 20 } })
    clock.advance(60_000)
    kernel.refused('http', 'malformed')
    await expect.poll(() => kernel.readiness().size).toBe('2')
    clock.set(NOW)
    expect(kernel.readiness()).toMatchObject({ ready: false, problems: ['clock_behind'] })
    await expect(kernel.decide(submission())).rejects.toMatchObject({ code: 'unavailable' })
    clock.set(NOW + 60_000)
    expect(kernel.readiness().ready).toBe(true)
    await kernel.close()
  })
})
