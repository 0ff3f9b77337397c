/** Laws about the states of a key: where they lead, what signs in each, and what of them survives. */
import { expect } from 'vitest'
import {
  KEY_STATES,
  KEY_TRANSITIONS,
  type KeyState,
  type PublicKey,
} from '../../../core/ports/custody.ts'
import { bytes } from '../bytes.ts'
import { type Law, refusal } from '../laws.ts'
import {
  type CustodySubject,
  keyIn,
  law,
  lawOfKeys,
  made,
  refOf,
  sign,
  verifies,
} from './subject.ts'

const message = bytes('a message')
const CODE: Readonly<Record<Exclude<KeyState, 'active'>, string>> = {
  'pre-active': 'not_active',
  grace: 'retired',
  retired: 'retired',
  revoked: 'retired',
}

const moves: readonly Law<CustodySubject>[] = [
  law('states lead where the port says, and nowhere else', async ({ custody }) => {
    const stateOf = async ({ version }: PublicKey): Promise<KeyState | undefined> =>
      (await custody.list('log')).find((one) => one.version === version)?.state
    for (const from of KEY_STATES) {
      const key = await keyIn(custody, from)
      const refused = KEY_STATES.filter((to) => !KEY_TRANSITIONS[from].includes(to))
      for (const to of [...refused, 'destroyed' as KeyState])
        expect(await refusal(custody.transition(refOf(key), to))).toBe('invalid_transition')
      expect(await stateOf(key)).toBe(from)
      for (const [i, to] of KEY_TRANSITIONS[from].entries()) {
        const moved = i === 0 ? key : await keyIn(custody, from)
        expect(await custody.transition(refOf(moved), to)).toEqual({ ...moved, state: to })
        expect(await stateOf(moved)).toBe(to)
      }
    }
  }),

  lawOfKeys('only an active version signs', async ({ custody }, algorithm) => {
    for (const state of KEY_STATES) {
      const key = await made(custody, algorithm, state)
      if (state === 'active') {
        expect(verifies(key, await sign(custody, key, message), message)).toBe(true)
      } else {
        expect(await refusal(sign(custody, key, message))).toBe(CODE[state])
      }
    }
  }),

  lawOfKeys('a version that was rolled back to signs again', async (opened, algorithm) => {
    for (const state of ['grace', 'retired'] as const) {
      const key = await made(opened.custody, algorithm, state)
      expect(await opened.custody.transition(key, 'active')).toEqual({ ...key, state: 'active' })
      expect(verifies(key, await sign(opened.custody, key, message), message)).toBe(true)
      const { custody } = await opened.reopen()
      expect(verifies(key, await sign(custody, key, message), message)).toBe(true)
      await custody.transition(key, 'grace')
      expect(await refusal(sign(custody, key, message))).toBe('retired')
    }
  }),
]

const memory: readonly Law<CustodySubject>[] = [
  law(
    'what is not active refuses, also after reopening, and revoked does so forever',
    async (opened) => {
      const states = ['grace', 'retired', 'revoked'] as const
      const keys: PublicKey[] = []
      for (const state of states) keys.push(await keyIn(opened.custody, state))
      for (let round = 0; round < 2; round++) {
        const { custody } = await opened.reopen()
        for (const key of keys) {
          expect(await refusal(sign(custody, key, message))).toBe('retired')
        }
        const revoked = refOf(keys.at(-1) as PublicKey)
        expect(await refusal(custody.transition(revoked, 'active'))).toBe('invalid_transition')
        expect((await custody.list('log')).map(({ state }) => state)).toEqual(states)
      }
    },
  ),

  lawOfKeys('reopening finds the same keys', async (opened, algorithm) => {
    const active = await made(opened.custody, algorithm)
    const pre = await keyIn(opened.custody, 'pre-active', algorithm, 'witness', algorithm)
    const { custody } = await opened.reopen()
    expect(await custody.list('log')).toContainEqual({ ...active, state: 'active' })
    expect(await custody.list('witness')).toContainEqual(pre)
    expect(verifies(active, await sign(custody, active, message), message)).toBe(true)
  }),
]

export const stateLaws: readonly Law<CustodySubject>[] = [...moves, ...memory]
