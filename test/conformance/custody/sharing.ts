/** Laws about what others do at the same time, and about a backend that does not answer. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { KernelError } from '../../../core/error.ts'
import type { KeyRef, PublicKey } from '../../../core/ports/custody.ts'
import { bytes } from '../bytes.ts'
import { type Law, refusal } from '../laws.ts'
import { type CustodySubject, keyIn, law, lawOfKeys, made, sign } from './subject.ts'

const message = bytes('a message')
/** What the port calls "within seconds". */
const SEEN_MS = 10_000
/** No call takes longer, whatever the backend does; subjects give their custody shorter deadlines than any operator would. */
const HANG_MS = 8000

/** @throws what `check` throws in the end */
async function eventually(check: () => Promise<void>): Promise<void> {
  const step = 50
  for (let waited = 0; waited < SEEN_MS; waited += step) {
    const holds = await check().then(
      () => true,
      () => false,
    )
    if (holds) return
    await pause(step)
  }
  await check()
}

const others: readonly Law<CustodySubject>[] = [
  lawOfKeys('what another process did is seen within seconds', async (opened, algorithm) => {
    const { custody } = opened
    const other = await opened.another()
    const key = await made(custody, algorithm)
    await sign(custody, key, message)
    const seen = async (): Promise<PublicKey | undefined> =>
      (await other.list('log')).find(({ name }) => name === algorithm)
    await eventually(async () => expect(await seen()).toEqual(key))
    await eventually(async () => expect((await sign(other, key, message)).length).toBe(64))
    for (const [state, code] of [
      ['grace', 'retired'],
      ['active', undefined],
      ['revoked', 'retired'],
    ] as const) {
      await other.transition(key, state)
      const outcome = (): Promise<string | undefined> =>
        code === undefined
          ? sign(custody, key, message).then(() => undefined)
          : refusal(sign(custody, key, message))
      await eventually(async () => expect(await outcome()).toBe(code))
      await eventually(async () => {
        const listed = await custody.list('log')
        expect(listed.find(({ name }) => name === algorithm)?.state).toBe(state)
      })
    }
  }),

  lawOfKeys('two that make versions of one key make different ones', async (opened, algorithm) => {
    const both = [opened.custody, await opened.another()]
    const making = both.flatMap((one) =>
      [1, 2, 3].map(() => one.create('log', algorithm, algorithm)),
    )
    const created = await Promise.all(making)
    expect(new Set(created.map(({ version }) => version)).size).toBe(6)
    const listed = (await opened.custody.list('log')).filter(({ name }) => name === algorithm)
    expect(listed).toHaveLength(6)
    for (const key of created) expect(listed).toContainEqual(key)
  }),

  law('a revocation stays, whatever else is done at once', async (opened) => {
    const both = [opened.custody, await opened.another()] as const
    for (const to of ['active', 'retired', 'active', 'retired'] as const) {
      const { version } = await keyIn(opened.custody, 'grace')
      const key: KeyRef = { scope: 'log', name: 'main', version }
      const [revoker, mover] = version % 2 === 0 ? both : [both[1], both[0]]
      // The move may come first, or be refused; it must not undo.
      const moving = mover.transition(key, to).catch(() => undefined)
      expect((await revoker.transition(key, 'revoked')).state).toBe('revoked')
      await moving
    }
    const { custody } = await opened.reopen()
    const listed = await custody.list('log')
    expect(listed.map(({ state }) => state)).toEqual(Array(4).fill('revoked'))
    for (const key of listed) expect(await refusal(sign(custody, key, message))).toBe('retired')
  }),
]

/** The code that `call` is refused with, or `done`. @throws when it takes too long, or throws what is not of the port */
async function settled(call: Promise<unknown>): Promise<string> {
  const ended = call.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof KernelError) return error.code
      throw error
    },
  )
  return Promise.race([ended, pause(HANG_MS, 'a hang', { ref: false })])
}

const silence: readonly Law<CustodySubject>[] = [
  law('a backend that does not answer is unavailable, and nothing waits for it', async (opened) => {
    const { custody } = opened
    const key = await keyIn(custody, 'active')
    const answer = await opened.stall()
    const calls = [
      custody.list('log'),
      sign(custody, key, message),
      custody.create('log', 'other'),
      custody.transition(key, 'grace'),
    ]
    const [listing = '', signing = '', creating = '', moving = ''] = await Promise.all(
      calls.map(settled),
    )
    await answer()
    // What needs no answer of the backend, because it was told before, is done.
    for (const one of [listing, signing]) expect(['done', 'unavailable']).toContain(one)
    for (const one of [creating, moving]) expect(['unavailable', 'unknown_outcome']).toContain(one)
    await eventually(async () => {
      const main = (await custody.list('log')).find(({ name }) => name === 'main')
      expect(['active', ...(moving === 'unknown_outcome' ? ['grace'] : [])]).toContain(main?.state)
    })
  }),

  law('closing waits for no answer', async (opened) => {
    const key = await keyIn(opened.custody, 'active')
    const answer = await opened.stall()
    const moving = settled(opened.custody.transition(key, 'grace'))
    expect(await settled(opened.custody.close())).toBe('done')
    expect(['closed', 'unavailable', 'unknown_outcome']).toContain(await moving)
    await answer()
  }),
]

export const sharingLaws: readonly Law<CustodySubject>[] = [...others, ...silence]
