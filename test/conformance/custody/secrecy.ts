/** Laws about what nobody gets, and about the end. */
import { expect } from 'vitest'
import { bytes } from '../bytes.ts'
import { type Law, refusal } from '../laws.ts'
import { findPrivate } from './private.ts'
import { type CustodySubject, keyIn, law, lawOfKeys, made, refOf, sign } from './subject.ts'

const message = bytes('a message')

export const secrecyLaws: readonly Law<CustodySubject>[] = [
  lawOfKeys('no method or property gives out a private key', async ({ custody }, algorithm) => {
    const key = await made(custody, algorithm)
    const listed = await custody.list('log')
    const next = await custody.create('log', algorithm)
    const shown: unknown[] = [custody, key, next, listed, await sign(custody, key, message)]
    const odd = { ...key, version: 9 }
    for (const fail of [() => sign(custody, odd, message), () => custody.create('log', '../x')])
      shown.push(await fail().catch((error: unknown) => error))
    expect(findPrivate(shown, [key.publicKey, next.publicKey])).toEqual([])
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
