/** The laws of the Custody port, and how an adapter says that it keeps them. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'vitest'
import {
  KEY_STATES,
  KEY_TRANSITIONS,
  type KeyRef,
  type KeyState,
} from '../../core/ports/custody.ts'
import { bytes } from './bytes.ts'
import { findPrivate } from './custody/private.ts'
import { type CustodySubject, keyIn, law, sign } from './custody/subject.ts'
import { type Law, refusal, registerLaws } from './laws.ts'

export type { CustodySubject, OpenedCustody } from './custody/subject.ts'

const message = bytes('a message')
/** @noble is not what the adapters sign with. */
function verifies(
  key: { publicKey: Uint8Array },
  signature: Uint8Array,
  signed = message,
): boolean {
  return ed25519.verify(signature, signed, key.publicKey, { zip215: false })
}
const refOf = ({ scope, name, version }: KeyRef): KeyRef => ({ scope, name, version })

const CODE: Readonly<Record<Exclude<KeyState, 'active'>, string>> = {
  'pre-active': 'not_active',
  grace: 'retired',
  retired: 'retired',
  revoked: 'retired',
}

const makingLaws: readonly Law<CustodySubject>[] = [
  law('a new key is version 1, pre-active and listed', async ({ custody }) => {
    expect(await custody.list('log')).toEqual([])
    const key = await custody.create('log', 'main')
    const { publicKey, ...rest } = key
    const expected = { scope: 'log', name: 'main', version: 1, algorithm: 'ed25519' }
    expect(rest).toEqual({ ...expected, state: 'pre-active' })
    expect(publicKey.length).toBe(32)
    expect(await custody.list('log')).toEqual([key])
    expect(await custody.list('witness')).toEqual([])
  }),

  law('versions only grow', async (opened) => {
    const versions: number[] = []
    for (let i = 0; i < 3; i++) versions.push((await opened.custody.create('log', 'main')).version)
    await opened.custody.transition({ scope: 'log', name: 'main', version: 3 }, 'revoked')
    const { custody } = await opened.reopen()
    versions.push((await custody.create('log', 'main')).version)
    expect(versions).toEqual([1, 2, 3, 4])
    expect((await custody.create('log', 'other')).version).toBe(1)
    expect((await custody.create('witness', 'main')).version).toBe(1)
  }),

  law('a list is by name and by version as a number', async ({ custody }) => {
    for (let i = 0; i < 11; i++) await custody.create('log', 'b')
    for (const name of ['b-c', 'a', 'b0']) await custody.create('log', name)
    const listed = (await custody.list('log')).map(({ name, version }) => `${name} ${version}`)
    const versions = Array.from({ length: 11 }, (_, i) => `b ${i + 1}`)
    expect(listed).toEqual(['a 1', ...versions, 'b-c 1', 'b0 1'])
  }),

  law('no two keys are the same', async ({ custody }) => {
    for (let i = 0; i < 4; i++) {
      await custody.create('log', 'a')
      await custody.create('log', 'b')
      await custody.create('witness', 'a')
    }
    const all = [...(await custody.list('log')), ...(await custody.list('witness'))]
    const keys = all.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'))
    expect(new Set(keys).size).toBe(12)
  }),

  law('the longest name is taken and every other name is refused', async ({ custody }) => {
    expect((await custody.create('log', 'a'.repeat(63))).version).toBe(1)
    expect((await custody.create('log', '0-')).version).toBe(1)
    const bad = [
      '',
      'a'.repeat(64),
      'A',
      '-a',
      'a.b',
      'a/b',
      '../a',
      'a\0',
      'a\n',
      'é',
      'a b',
      '.',
      '__proto__',
    ]
    for (const name of bad) {
      expect(await refusal(custody.create('log', name))).toBe('invalid_name')
      const key = { scope: 'log', name, version: 1 } as const
      expect(['invalid_name', 'unknown_key']).toContain(await refusal(sign(custody, key, message)))
      expect(['invalid_name', 'unknown_key']).toContain(
        await refusal(custody.transition(key, 'active')),
      )
    }
    expect((await custody.list('log')).length).toBe(2)
  }),
]

const stateLaws: readonly Law<CustodySubject>[] = [
  law('states lead where the port says, and nowhere else', async ({ custody }) => {
    for (const from of KEY_STATES) {
      for (const to of KEY_STATES) {
        const key = refOf(await keyIn(custody, from))
        const moving = custody.transition(key, to)
        if (KEY_TRANSITIONS[from].includes(to)) {
          expect(await moving).toMatchObject({ ...key, state: to })
        } else {
          expect(await refusal(moving)).toBe('invalid_transition')
        }
        const listed = (await custody.list('log')).find(({ version }) => version === key.version)
        expect(listed?.state).toBe(KEY_TRANSITIONS[from].includes(to) ? to : from)
      }
    }
  }),

  law('only an active version signs', async ({ custody }) => {
    for (const state of KEY_STATES) {
      const key = await keyIn(custody, state)
      if (state === 'active') {
        expect(verifies(key, await sign(custody, refOf(key), message))).toBe(true)
      } else {
        expect(await refusal(sign(custody, refOf(key), message))).toBe(CODE[state])
      }
    }
  }),

  law(
    'what is not active refuses, also after reopening, and revoked does so forever',
    async (opened) => {
      const states = ['grace', 'retired', 'revoked'] as const
      const keys = []
      for (const state of states) keys.push(refOf(await keyIn(opened.custody, state)))
      for (let round = 0; round < 2; round++) {
        const { custody } = await opened.reopen()
        for (const key of keys) {
          expect(await refusal(sign(custody, key, message))).toBe('retired')
        }
        const revoked = keys.at(-1) as KeyRef
        expect(await refusal(custody.transition(revoked, 'active'))).toBe('invalid_transition')
        expect((await custody.list('log')).map(({ state }) => state)).toEqual(states)
      }
    },
  ),

  law('reopening finds the same keys', async (opened) => {
    const active = await keyIn(opened.custody, 'active')
    const pre = await keyIn(opened.custody, 'pre-active', 'other', 'witness')
    const before = await sign(opened.custody, refOf(active), message)
    const { custody } = await opened.reopen()
    expect(await custody.list('log')).toEqual([{ ...active, state: 'active' }])
    expect(await custody.list('witness')).toEqual([pre])
    expect(await sign(custody, refOf(active), message)).toEqual(before)
  }),
]

const signingLaws: readonly Law<CustodySubject>[] = [
  law('a signature verifies with an independent implementation', async ({ custody }) => {
    const key = await keyIn(custody, 'active')
    for (const length of [1, 2, 63, 64, 65, 4096]) {
      const signed = new Uint8Array(length).fill(length)
      const signature = await sign(custody, refOf(key), signed)
      expect(signature.length).toBe(64)
      expect(verifies(key, signature, signed)).toBe(true)
      expect(
        verifies(
          key,
          signature,
          signed.map((byte) => byte ^ 1),
        ),
      ).toBe(false)
      // RFC 8032: the same message has one signature, so it is the whole message and no randomness that is signed.
      expect(await sign(custody, refOf(key), signed)).toEqual(signature)
    }
  }),

  law('the version that is asked for signs', async ({ custody }) => {
    const keys = [await keyIn(custody, 'active'), await keyIn(custody, 'active')]
    for (const [i, key] of keys.entries()) {
      const signature = await sign(custody, refOf(key), message)
      expect(keys.map((one) => verifies(one, signature))).toEqual([i === 0, i === 1])
    }
  }),

  law('a scope never signs for another', async ({ custody }) => {
    const key = refOf(await keyIn(custody, 'active'))
    const inWitness: KeyRef = { ...key, scope: 'witness' }
    expect(await refusal(sign(custody, inWitness, message))).toBe('unknown_key')
    expect(await refusal(custody.transition(inWitness, 'revoked'))).toBe('unknown_key')
    const other = await keyIn(custody, 'active', key.name, 'witness')
    const signature = await sign(custody, inWitness, message)
    expect(verifies(other, signature)).toBe(true)
    const [own] = await custody.list('log')
    expect(own && verifies(own, signature)).toBe(false)
  }),

  law('a scope that is not served is refused', async ({ custody }) => {
    expect([...custody.scopes].sort()).toEqual(['log', 'witness'])
    for (const scope of ['policy', 'LOG', '..', '', '__proto__'] as 'policy'[]) {
      const key = { scope, name: 'main', version: 1 }
      expect(await refusal(custody.list(scope))).toBe('scope_mismatch')
      expect(await refusal(custody.create(scope, 'main'))).toBe('scope_mismatch')
      expect(await refusal(custody.transition(key, 'active'))).toBe('scope_mismatch')
      expect(await refusal(sign(custody, key, message))).toBe('scope_mismatch')
    }
  }),

  law('a key that does not exist is unknown', async ({ custody }) => {
    const key = refOf(await keyIn(custody, 'active'))
    const none: KeyRef[] = [{ ...key, name: 'other' }]
    for (const version of [0, -1, 2, 1.5, Number.NaN, 2 ** 53]) none.push({ ...key, version })
    for (const one of none) {
      expect(await refusal(sign(custody, one, message))).toBe('unknown_key')
      expect(await refusal(custody.transition(one, 'revoked'))).toBe('unknown_key')
    }
  }),

  law('the longest message is signed and every other length is refused', async ({ custody }) => {
    const key = await keyIn(custody, 'active')
    const longest = new Uint8Array(custody.maxMessageBytes).fill(1)
    expect(verifies(key, await sign(custody, refOf(key), longest), longest)).toBe(true)
    for (const length of [0, custody.maxMessageBytes + 1]) {
      const refused = refusal(sign(custody, refOf(key), new Uint8Array(length)))
      expect(await refused).toBe('too_large')
    }
  }),

  law('50 signatures at once are all right', async ({ custody }) => {
    const keys = [await keyIn(custody, 'active'), await keyIn(custody, 'active', 'other')]
    const messages = Array.from({ length: 50 }, (_, i) => bytes(`message ${i}`))
    const keyOf = (i: number): (typeof keys)[0] => keys[i % 2] as (typeof keys)[0]
    const signatures = await Promise.all(
      messages.map((one, i) => sign(custody, refOf(keyOf(i)), one)),
    )
    expect(signatures.map((one, i) => verifies(keyOf(i), one, messages[i]))).not.toContain(false)
  }),

  law('bytes that go in and come out are copies', async ({ custody }) => {
    const key = await keyIn(custody, 'active')
    const changing = bytes('before')
    const signing = sign(custody, refOf(key), changing)
    changing.fill(0)
    expect(verifies(key, await signing, bytes('before'))).toBe(true)
    const before = key.publicKey.slice()
    key.publicKey.fill(0)
    for (const listed of await custody.list('log')) listed.publicKey.fill(0)
    const [listed] = await custody.list('log')
    expect(listed?.publicKey).toEqual(before)
  }),
]

const secrecyLaws: readonly Law<CustodySubject>[] = [
  law('no method or property gives out a private key', async ({ custody }) => {
    const key = await keyIn(custody, 'active')
    const listed = await custody.list('log')
    const shown: unknown[] = [custody, key, listed, await sign(custody, refOf(key), message)]
    const odd = { ...refOf(key), version: 9 }
    for (const failing of [sign(custody, odd, message), custody.create('log', '../x')])
      shown.push(await failing.catch((error: unknown) => error))
    expect(findPrivate(shown, [key.publicKey])).toEqual([])
  }),

  law('after close every method throws closed, but for close itself', async ({ custody }) => {
    const key = refOf(await keyIn(custody, 'active'))
    await custody.close()
    await custody.close()
    expect(await refusal(custody.list('log'))).toBe('closed')
    expect(await refusal(custody.create('log', 'main'))).toBe('closed')
    expect(await refusal(custody.transition(key, 'grace'))).toBe('closed')
    expect(await refusal(sign(custody, key, message))).toBe('closed')
  }),
]

export const custodyLaws: readonly Law<CustodySubject>[] = [
  ...makingLaws,
  ...stateLaws,
  ...signingLaws,
  ...secrecyLaws,
]

export function custodyConformance(subject: CustodySubject): void {
  registerLaws('custody', custodyLaws, subject)
}
