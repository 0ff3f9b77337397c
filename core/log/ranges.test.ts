/** Which heads a trust anchor with several keys believes. */
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type TrustAnchor, verifyHead } from './anchor.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { formatVkey, joinNotes, signNote } from './note.ts'

const origin = 'ranges.test/log'
const keys = [1, 2, 3].map((n) => {
  const secret = new Uint8Array(32).fill(n)
  return { secret, publicKey: ed25519.getPublicKey(secret) }
})

async function signed(text: string, signers: readonly number[]): Promise<Uint8Array> {
  const notes = signers.map((signer) => {
    const { publicKey, secret } = keys[signer]!
    return signNote(text, origin, publicKey, async (message) => ed25519.sign(message, secret))
  })
  return (await Promise.all(notes)).reduce(joinNotes)
}

const range = fc.record({ from: fc.nat(20), length: fc.option(fc.nat(20)) })

test('a head counts exactly when one of its signers counts at its size', async () => {
  const ranges = fc.array(range, { minLength: 1, maxLength: 3 })
  const signers = fc.uniqueArray(fc.nat(2), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(ranges, signers, fc.nat(45), async (trusted, by, size) => {
      const anchor: TrustAnchor = {
        type: 'assay.trust/v1',
        origin,
        keys: trusted.map(({ from, length }, i) => ({
          vkey: formatVkey(origin, keys[i]!.publicKey),
          from: `${from}`,
          ...(length === null ? {} : { to: `${from + length}` }),
        })),
      }
      const root = new Uint8Array(32)
      const note = await signed(formatCheckpoint({ origin, size: BigInt(size), root }), by)
      const counts = by.some((signer) => {
        const { from, length } = trusted[signer] ?? { from: Number.POSITIVE_INFINITY, length: 0 }
        return size >= from && (length === null || size <= from + length)
      })
      if (counts) expect(verifyHead(note, anchor)).toMatchObject({ size: BigInt(size) })
      else
        expect(() => verifyHead(note, anchor)).toThrow(
          expect.objectContaining({ code: 'untrusted_key' }),
        )
    }),
    { numRuns: 150 },
  )
})
