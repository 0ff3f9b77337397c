/** The bytes of wire messages, without any key that counts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ed25519Key, ed25519PublicKey, fromBase64url, fromHex, toHex } from '../../core/crypto.ts'
import { signingKey } from '../../test/keys.ts'
import { announcement, frameOf, messageOf, NOW } from '../../test/messages.ts'
import { root } from '../../test/source.ts'
import {
  type Body,
  DEFLATED,
  deflate,
  draftMessage,
  type Frame,
  HEADER_BYTES,
  inflate,
  MAX_BODY_BYTES,
  MAX_INFLATED_BYTES,
  openBody,
  parseBody,
  readFrame,
  unsignedFrame,
  verifyFrame,
  wireMessage,
  withSignature,
} from './index.ts'

const signer = signingKey('controller')
const publicKey = fromBase64url(signer.publicKey) as Uint8Array
const key = ed25519Key(publicKey)
const said = { from: 'control', seq: 1, time: NOW, ...announcement() } as unknown as Body
const genuine = messageOf(signer, announcement())
const read = (bytes: Uint8Array): Frame => {
  const frame = readFrame(bytes)
  if ('problem' in frame) throw new Error(frame.problem)
  return frame
}

test('what is signed is the tag, the flags, the key and the body', () => {
  const body = Uint8Array.of(1, 2)
  expect(toHex(wireMessage(1, new Uint8Array(32).fill(0xab), body))).toBe(
    `61737361792f776972652f763100${'01'}${'ab'.repeat(32)}0102`,
  )
})

test('the message of docs/announce.md is read, and made again to the byte', async () => {
  const page = readFileSync(join(root, 'docs/announce.md'), 'utf8')
  const [, text = ''] = /```text\n(QVdNMQ[\w\n-]+)```/.exec(page) ?? []
  const bytes = fromBase64url(text.replaceAll('\n', '')) as Uint8Array
  const [, seed = ''] = /`([0-9a-f]{64})`/.exec(page) ?? []
  const own = fromHex(seed) as Uint8Array
  expect(read(bytes).signer).toEqual(ed25519PublicKey(own))
  expect(verifyFrame(read(bytes), ed25519Key(ed25519PublicKey(own)))).toBe(true)
  const body = { cell: 'cell-b', from: 'control', seq: 2, service: 'gpu', time: NOW } as const
  expect(await openBody(read(bytes))).toEqual({ ...body, type: 'WITHDRAW' })
  expect(messageOf(signingKey('control'), { ...body, type: 'WITHDRAW' })).toEqual(bytes)
})

test('a message is drafted, signed and read', async () => {
  const draft = draftMessage(said, publicKey)
  expect(readFrame(draft)).toEqual({ problem: 'unsigned' })
  const message = wireMessage(0, publicKey, draft.subarray(HEADER_BYTES))
  const frame = read(withSignature(draft, signer.sign(message)))
  expect(verifyFrame(frame, key)).toBe(true)
  expect(verifyFrame(frame, ed25519Key(fromBase64url(signingKey('x').publicKey)!))).toBe(false)
  expect(await openBody(frame)).toEqual(said)
})

test('a draft has a body of its type, of a size that fits', () => {
  expect(() => draftMessage({ ...said, seq: 0 } as Body, publicKey)).toThrow(TypeError)
  const filled = new Uint8Array(MAX_BODY_BYTES + 1)
  expect(() => unsignedFrame(0, publicKey, filled)).toThrow(RangeError)
  expect(() => unsignedFrame(0, publicKey, new Uint8Array())).toThrow(RangeError)
  expect(unsignedFrame(0, publicKey, filled.subarray(1)).length).toBe(65_536)
  expect(() => withSignature(genuine, new Uint8Array(63))).toThrow(RangeError)
})

test('any change of one byte is seen before the body is looked at', () => {
  fc.assert(
    fc.property(fc.nat(genuine.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const frame = readFrame(genuine.with(at, (genuine[at] as number) ^ change))
      expect('problem' in frame || !verifyFrame(frame, key)).toBe(true)
    }),
  )
})

test('any bytes are a frame or have a problem', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((rest) => Uint8Array.of(0x41, 0x57, 0x4d, 0x31, ...rest)),
  )
  fc.assert(fc.property(bytes, (some) => void readFrame(some)))
})

describe('deflate', () => {
  const bomb = (size: number): Uint8Array =>
    new Uint8Array(deflateRawSync(Buffer.alloc(size), { level: 9 }))

  test('is undone', async () => {
    const body = new TextEncoder().encode(JSON.stringify(said))
    expect(await inflate(await deflate(body))).toEqual(body)
    const frame = read(frameOf(signer, await deflate(body), DEFLATED))
    // The text is not canonical: it was inflated and read.
    expect(await openBody(frame)).toEqual({ problem: 'not_canonical' })
  })

  test('has a bound, to the byte', async () => {
    expect(await inflate(bomb(MAX_INFLATED_BYTES))).toHaveLength(MAX_INFLATED_BYTES)
    expect(await inflate(bomb(MAX_INFLATED_BYTES + 1))).toEqual({ problem: 'inflated_too_large' })
  })

  test('of a bomb stops at the bound: sixty megabytes are never made', async () => {
    const sixty = bomb(60_000_000)
    expect(sixty.length).toBeLessThan(MAX_BODY_BYTES)
    await inflate(sixty)
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 0)
    expect(await inflate(sixty)).toEqual({ problem: 'inflated_too_large' })
    clearInterval(watch)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    expect(most).toBeLessThan(4_000_000)
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['no deflate', Uint8Array.of(0xff, 0xff, 0xff)],
    ['a part', bomb(1000).subarray(0, -2)],
    ['more than it', Uint8Array.of(...bomb(1000), 0)],
  ])('of %s fails', async (_, bytes) => {
    expect(await inflate(bytes)).toEqual({ problem: 'inflate_failed' })
  })
})

test('a body is the canonical text of what it says, or has a problem', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const parsed = parseBody(new TextEncoder().encode(JSON.stringify(value)))
      expect('problem' in parsed).toBe(true)
    }),
  )
})
