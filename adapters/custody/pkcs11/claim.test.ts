/** Versions of one key, claimed by many at once on a token that answers in any order. */
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { KeyAlgorithm } from '../../../core/ports/custody.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { type Claiming, claim } from './claim.ts'
import type { Version } from './labels.ts'

const never = new AbortController().signal

/** A token that takes a while to begin and to end what it is asked. */
class Slow {
  readonly versions = new Map<string, Version>()

  claiming(id: string, algorithm: KeyAlgorithm): Claiming {
    const put = (version: number, isClaim: boolean): Promise<void> =>
      this.#done(() => {
        const publicKey = new TextEncoder().encode(id)
        const key = { scope: 'log', name: 'main', version, algorithm, publicKey } as const
        this.versions.set(id, { ...key, id, isClaim, state: 'pre-active' })
      })
    return {
      others: () => this.#done(() => [...this.versions.values()]),
      make: (version) => put(version, true),
      move: (version) => put(version, true),
      keep: (version) => put(version, false),
      drop: () => this.#done(() => this.versions.delete(id)),
    }
  }

  async #done<T>(work: () => T): Promise<T> {
    await pause(randomInt(3))
    const result = work()
    await pause(randomInt(3))
    return result
  }
}

test('are all different, and each is its claimant’s', async () => {
  for (let round = 0; round < 10; round++) {
    const token = new Slow()
    const ids = ['a', 'b', 'c', 'd']
    await Promise.all(ids.map((id) => claim(token.claiming(id, 'ed25519'), id, never)))
    const kept = [...token.versions.values()]
    expect(new Set(kept.map(({ version }) => version)).size).toBe(ids.length)
    expect(kept.some(({ isClaim }) => isClaim)).toBe(false)
  }
})

test('are of one algorithm: who comes second leaves nothing', async () => {
  for (let round = 0; round < 10; round++) {
    const token = new Slow()
    const both = [
      claim(token.claiming('a', 'ed25519'), 'a', never),
      claim(token.claiming('b', 'ecdsa-p256'), 'b', never),
    ]
    const ended = await Promise.allSettled(both)
    const failed = both.filter((_, i) => ended[i]?.status === 'rejected')
    expect(failed.length).toBeGreaterThan(0)
    for (const one of failed) expect(await refusal(one)).toBe('algorithm_mismatch')
    expect(token.versions.size).toBe(both.length - failed.length)
  }
})

test('are given up at the deadline', async () => {
  const token = new Slow()
  await token.claiming('other', 'ed25519').make(1)
  const late = token.claiming('late', 'ed25519')
  let looked = false
  const others = async (): Promise<readonly Version[]> => {
    // As if both had looked before either had written.
    if (looked) return late.others()
    looked = true
    return []
  }
  const together = { ...late, others }
  expect(await refusal(claim(together, 'late', AbortSignal.abort()))).toBe('unavailable')
})
