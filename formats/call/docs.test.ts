/** The examples of docs/enrolment.md, for those who write the software of a cell. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { expect, test } from 'vitest'
import { fromHex, toBase64url } from '../../core/crypto.ts'
import { bindMessage, callMessage } from './index.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/enrolment.md'), 'utf8')
const [, hex = ''] = /private key \(hex\) `([0-9a-f]{64})`/.exec(page) ?? []
const secret = fromHex(hex) as Uint8Array
const publicKey = toBase64url(ed25519.getPublicKey(secret))
const shown = [...page.matchAll(/^```text\n([\w-]{86})\n```$/gm)].map(([, text]) => text)
const signed = (message: Uint8Array): string => toBase64url(ed25519.sign(message, secret))

test('are what the code makes', () => {
  expect(page).toContain(`\`${publicKey}\``)
  const call = {
    action: 'enrolment.transition-key',
    body: { public_key: publicKey, state: 'grace' },
    cell: 'cell-a',
    nonce: 'A'.repeat(22),
    time: 1_800_000_000,
  }
  expect(page).toContain(JSON.stringify(call.body))
  expect(shown).toEqual([
    signed(bindMessage({ owner: 'cell-a', scope: 'cell' })),
    signed(callMessage(call)),
  ])
})
