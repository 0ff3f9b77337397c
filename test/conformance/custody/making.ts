/** Laws about making keys and listing them. */
import { expect } from 'vitest'
import type { KeyAlgorithm } from '../../../core/ports/custody.ts'
import { bytes } from '../bytes.ts'
import { type Law, refusal } from '../laws.ts'
import { type CustodySubject, keyIn, law, lawOfKeys, made, sign } from './subject.ts'

const message = bytes('a message')
const LENGTH: Readonly<Record<KeyAlgorithm, number>> = { ed25519: 32, 'ecdsa-p256': 65 }

const newKeys: readonly Law<CustodySubject>[] = [
  lawOfKeys('a new key is version 1, pre-active and listed', async ({ custody }, algorithm) => {
    const before = await custody.list('log')
    const key = await custody.create('log', algorithm, algorithm)
    const { publicKey, ...rest } = key
    const expected = { scope: 'log', name: algorithm, version: 1, algorithm }
    expect(rest).toEqual({ ...expected, state: 'pre-active' })
    expect(publicKey.length).toBe(LENGTH[algorithm])
    expect(await custody.list('log')).toHaveLength(before.length + 1)
    expect(await custody.list('log')).toContainEqual(key)
    expect(await custody.list('witness')).toEqual([])
  }),

  law('a custody without keys lists none', async ({ custody }) => {
    expect(await custody.list('log')).toEqual([])
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

  lawOfKeys('no two keys are the same', async ({ custody }, algorithm) => {
    for (let i = 0; i < 3; i++) {
      await custody.create('log', algorithm, algorithm)
      await custody.create('log', `${algorithm}-b`, algorithm)
      await custody.create('witness', algorithm, algorithm)
    }
    const all = [...(await custody.list('log')), ...(await custody.list('witness'))]
    const own = all.filter((key) => key.algorithm === algorithm)
    const keys = own.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'))
    expect(new Set(keys).size).toBe(9)
  }),

  law('the longest name is taken and every other name is refused', async ({ custody }) => {
    expect((await custody.create('log', 'a'.repeat(63))).version).toBe(1)
    expect((await custody.create('log', '0-')).version).toBe(1)
    const paths = ['a.b', 'a/b', '../a', '.', 'a\0', 'a\n', 'a b']
    for (const name of ['', 'a'.repeat(64), 'A', '-a', 'é', '__proto__', ...paths]) {
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

const algorithmLaws: readonly Law<CustodySubject>[] = [
  law('the first algorithm is the default, and no other is made', async (opened, algorithms) => {
    const { custody } = opened
    expect(custody.algorithms).toEqual(algorithms)
    expect((await custody.create('log', 'main')).algorithm).toBe(algorithms[0])
    const foreign = ['rsa-2048', 'ED25519', '', '__proto__', 'toString']
    const missing = ['ed25519', 'ecdsa-p256'].filter(
      (one) => !algorithms.includes(one as 'ed25519'),
    )
    for (const algorithm of [...foreign, ...missing])
      expect(await refusal(custody.create('log', 'new', algorithm as KeyAlgorithm))).toBe(
        'algorithm_mismatch',
      )
    expect((await custody.list('log')).map(({ name }) => name)).toEqual(['main'])
  }),

  law('a key has one algorithm for life', async (opened, algorithms) => {
    for (const algorithm of algorithms)
      await keyIn(opened.custody, 'revoked', algorithm, 'log', algorithm)
    const { custody } = await opened.reopen()
    for (const algorithm of algorithms) {
      for (const other of algorithms) {
        const making = custody.create('log', algorithm, other)
        if (other === algorithm) expect((await making).algorithm).toBe(algorithm)
        else expect(await refusal(making)).toBe('algorithm_mismatch')
      }
      // Who does not say which gets the key's own, not the custody's default.
      expect(await custody.create('log', algorithm)).toMatchObject({ algorithm, version: 3 })
      expect((await made(custody, algorithm)).version).toBe(4)
    }
    const listed = await custody.list('log')
    expect(listed.every(({ name, algorithm }) => name === algorithm)).toBe(true)
  }),
]

export const makingLaws: readonly Law<CustodySubject>[] = [...newKeys, ...algorithmLaws]
