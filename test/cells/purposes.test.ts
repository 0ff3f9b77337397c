/** A signature that a key made for one purpose is none for another: what is signed begins with a tag of its own, which ends with a zero byte. */
import { expect, test } from 'vitest'
import { bindMessage, callMessage, handOverMessage } from '../../formats/call/index.ts'
import {
  authorityMessage,
  blockMessage,
  proofMessage,
  sealMessage,
} from '../../formats/cap1/index.ts'
import { wireMessage } from '../../formats/wire/index.ts'
import { pairOf } from '../tokens.ts'

const owner = { owner: 'cell-a', scope: 'cell' }
const { publicKey } = pairOf('cell-a')
const bytes = new Uint8Array(64)
const signed: Readonly<Record<string, Uint8Array>> = {
  bind: bindMessage(owner),
  block: blockMessage(1, bytes, bytes),
  call: callMessage({ action: 'a', body: {}, cell: 'cell-a', nonce: 'n', time: 1 }),
  'hand-over': handOverMessage(owner, publicKey),
  message: wireMessage(0, bytes.subarray(32), bytes),
  proof: proofMessage({ audience: 'cell-a', nonce: 'n', request: {}, time: 1, token: 't' }),
  seal: sealMessage(1, bytes),
}
const tagOf = (message: Uint8Array): string => {
  const text = Buffer.from(message).toString('latin1')
  return text.slice(0, text.indexOf('\0') + 1)
}

test.each(Object.keys(signed))('what is signed as %s is nothing else', (purpose) => {
  const tag = tagOf(signed[purpose] as Uint8Array)
  expect(tag).toMatch(/^assay\/[a-z0-9/-]+\/v1\0$/)
  const others = Object.entries(signed).filter(([name]) => name !== purpose)
  for (const [, message] of others)
    expect(Buffer.from(message).toString('latin1').startsWith(tag)).toBe(false)
})

test('a token begins like every block of one, and says which', () => {
  expect(tagOf(authorityMessage(bytes))).toBe(tagOf(signed.block as Uint8Array))
  expect(authorityMessage(bytes)).not.toEqual(blockMessage(1, new Uint8Array(), bytes))
})
