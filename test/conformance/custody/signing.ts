/** Laws about signatures. */
import { expect } from 'vitest'
import type { KeyRef, PublicKey } from '../../../core/ports/custody.ts'
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

const signatures: readonly Law<CustodySubject>[] = [
  lawOfKeys(
    'a signature verifies with an independent implementation',
    async (opened, algorithm) => {
      const { custody } = opened
      const key = await made(custody, algorithm)
      for (const length of [1, 2, 63, 64, 65, 4096]) {
        const signed = new Uint8Array(length).fill(length)
        const signature = await sign(custody, key, signed)
        expect(signature.length).toBe(64)
        expect(verifies(key, signature, signed)).toBe(true)
        const changed = signed.map((byte) => byte ^ 1)
        expect(verifies(key, signature, changed)).toBe(false)
      }
    },
  ),

  lawOfKeys('an Ed25519 key has one signature for a message', async ({ custody }, algorithm) => {
    // RFC 8032: so it is the whole message and no randomness that is signed. ECDSA has no such rule.
    if (algorithm !== 'ed25519') return
    const key = await made(custody, algorithm)
    const signature = await sign(custody, key, message)
    expect(await sign(custody, key, message)).toEqual(signature)
    expect(await sign(custody, key, bytes('another'))).not.toEqual(signature)
  }),

  lawOfKeys('the version that is asked for signs', async ({ custody }, algorithm) => {
    const keys = [await made(custody, algorithm), await made(custody, algorithm)]
    for (const [i, key] of keys.entries()) {
      const signature = await sign(custody, key, message)
      expect(keys.map((one) => verifies(one, signature, message))).toEqual([i === 0, i === 1])
    }
  }),
]

const scopes: readonly Law<CustodySubject>[] = [
  lawOfKeys('a scope never signs for another', async ({ custody }, algorithm) => {
    const key = await made(custody, algorithm)
    const inWitness: KeyRef = { ...refOf(key), scope: 'witness' }
    expect(await refusal(sign(custody, inWitness, message))).toBe('unknown_key')
    expect(await refusal(custody.transition(inWitness, 'revoked'))).toBe('unknown_key')
    const other = await keyIn(custody, 'active', key.name, 'witness', algorithm)
    const signature = await sign(custody, inWitness, message)
    expect(verifies(other, signature, message)).toBe(true)
    expect(verifies(key, signature, message)).toBe(false)
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
]

const messages: readonly Law<CustodySubject>[] = [
  lawOfKeys(
    'the longest message is signed and every other length is refused',
    async (opened, algorithm) => {
      const { custody } = opened
      const key = await made(custody, algorithm)
      const longest = new Uint8Array(custody.maxMessageBytes).fill(1)
      expect(verifies(key, await sign(custody, key, longest), longest)).toBe(true)
      for (const length of [0, custody.maxMessageBytes + 1]) {
        const refused = refusal(sign(custody, key, new Uint8Array(length)))
        expect(await refused).toBe('too_large')
      }
    },
  ),

  law('50 signatures at once are all right', async ({ custody }, algorithms) => {
    const keys: PublicKey[] = []
    for (const algorithm of algorithms) keys.push(await made(custody, algorithm))
    keys.push(await keyIn(custody, 'active', 'other'))
    const messages = Array.from({ length: 50 }, (_, i) => bytes(`message ${i}`))
    const keyOf = (i: number): PublicKey => keys[i % keys.length] as PublicKey
    const signed = await Promise.all(messages.map((one, i) => sign(custody, keyOf(i), one)))
    expect(signed.every((one, i) => verifies(keyOf(i), one, messages[i] ?? message))).toBe(true)
  }),

  lawOfKeys('bytes that go in and come out are copies', async ({ custody }, algorithm) => {
    const key = await made(custody, algorithm)
    const before = key.publicKey.slice()
    const changing = bytes('before')
    const signing = sign(custody, key, changing)
    changing.fill(0)
    expect(verifies(key, await signing, bytes('before'))).toBe(true)
    key.publicKey.fill(0)
    for (const listed of await custody.list('log')) listed.publicKey.fill(0)
    const listed = (await custody.list('log')).find(({ name }) => name === algorithm)
    expect(listed?.publicKey).toEqual(before)
  }),
]

export const signingLaws: readonly Law<CustodySubject>[] = [...signatures, ...scopes, ...messages]
