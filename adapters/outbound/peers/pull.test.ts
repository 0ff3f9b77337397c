/** The loop that learns what peers have revoked: against a scripted peer and a scripted kernel. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import type { Decision } from '../../../core/kernel.ts'
import { type Dispatch, decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { broadcastEntry } from '../../../test/outbox.ts'
import { type OtherKernel, otherKernel } from '../../../test/peer.ts'
import { keepPulling, type Pulling, type PullOptions } from './index.ts'

let other: OtherKernel
let kernel: FakeKernel
let pulling: Pulling | undefined
let learned: (n: number) => Partial<Decision>
let states: (string | undefined)[]

const { signatures, unsigned } = broadcastEntry() as {
  readonly signatures: { readonly signature: string }
  readonly unsigned: string
}
const output = { signature: signatures.signature, unsigned }
const told = (members: object = {}): { status: number; body: string } => ({
  status: 200,
  body: JSON.stringify({ allow: true, reasons: [], output, ...members }),
})
const page = (through: number, members: object = {}): { output: Json } => ({
  output: { cell: 'cell-b', gap: false, more: false, through, ...members },
})
/** What the peer was asked for, after which number. */
const asked = (): readonly number[] =>
  other.heard.map(({ body }) => JSON.parse(Buffer.from(body).toString()).payload.after)

beforeEach(async () => {
  other = await otherKernel()
  other.reply = () => told()
  learned = () => page(3)
  states = []
  kernel = new FakeKernel(async (_, n) => decision(learned(n)))
})
afterEach(async () => {
  await pulling?.close()
  await other.close()
})
function open(options: Partial<PullOptions> = {}): Pulling {
  pulling = keepPulling({
    everyMs: 60_000,
    kernel,
    onState: (_, code) => states.push(code),
    peers: { 'cell-b': { url: other.url } },
    ...options,
  })
  return pulling
}

describe('a peer', () => {
  test('is asked at start, and what it signed comes before this kernel', async () => {
    open()
    await expect.poll(() => kernel.dispatches.length).toBe(1)
    expect(asked()).toEqual([0])
    const { submission } = kernel.dispatches[0] as Dispatch
    expect(submission.action).toBe('announce.learn')
    const { message } = submission.payload.json() as { readonly message: string }
    const signature = Buffer.from(output.signature, 'base64url')
    expect(Buffer.from(message, 'base64url').subarray(37, 101)).toEqual(signature)
  })

  test('is asked again and again, from where it was', async () => {
    learned = (n) => page(n)
    open({ everyMs: 20 })
    await expect.poll(() => asked().slice(0, 4)).toEqual([0, 1, 2, 3])
    expect(states).toEqual([])
  })

  test('is asked at once for the pages that are left', async () => {
    learned = (n) => page(10 * n, { more: n < 4 })
    open()
    await expect.poll(asked).toEqual([0, 10, 20, 30])
  })

  test('is asked for everything where a page before is missing', async () => {
    learned = (n) => (n === 2 ? page(9, { gap: true }) : page(n * 10))
    open({ everyMs: 20 })
    await expect.poll(() => asked().slice(0, 4)).toEqual([0, 10, 0, 30])
  })

  test('that never comes to an end is left alone until the next time', async () => {
    learned = () => page(0, { more: true })
    open()
    await expect.poll(() => states).toEqual(['malformed_answer'])
    expect(asked()).toEqual([0])
  })

  test('is asked at once when something is missing, and never twice at a time', async () => {
    let answer: (() => void) | undefined
    other.reply = () =>
      new Promise((resolve) => {
        answer = () => resolve(told())
      })
    open()
    await expect.poll(() => other.heard.length).toBe(1)
    for (let i = 0; i < 5; i++) pulling?.soon('cell-b')
    pulling?.soon('cell-x')
    expect(other.heard).toHaveLength(1)
    answer?.()
    await expect.poll(() => other.heard.length).toBe(2)
    answer?.()
    await expect.poll(() => kernel.dispatches.length).toBe(2)
    expect(other.heard).toHaveLength(2)
    pulling?.soon('cell-b')
    await expect.poll(() => other.heard.length).toBe(3)
    answer?.()
  })
})

describe('what goes wrong', () => {
  test.each<readonly [string, () => void, string]>([
    [
      'a peer that does not tell',
      () => {
        other.reply = () => told({ allow: false, reasons: [{ code: 'cell_not_local' }] })
      },
      'not_taken',
    ],
    [
      'an answer without a message',
      () => {
        other.reply = () => told({ output: { unsigned: 'AAAA', signature: 'AAAA' } })
      },
      'malformed_answer',
    ],
    [
      'another status',
      () => {
        other.reply = () => ({ status: 429 })
      },
      'unexpected_status',
    ],
    [
      'a message that is not believed',
      () => {
        learned = () => ({
          allow: false,
          reasons: [{ code: 'signer_unknown', message: '', rule: '' }],
        })
      },
      'not_taken',
    ],
    [
      'a kernel that cannot decide',
      () => {
        learned = () => {
          throw new Error('out of order')
        }
      },
      'unavailable',
    ],
  ])('%s is told as a code, once, and tried again', async (_, breaks, code) => {
    breaks()
    open({ everyMs: 40 })
    await expect.poll(() => other.heard.length).toBeGreaterThan(2)
    expect(states).toEqual([code])
    other.reply = () => told()
    learned = () => page(3)
    await expect.poll(() => states).toEqual([code, undefined])
  })

  test('a peer that hangs does not keep close waiting', async () => {
    other.reply = () => 'hang'
    open()
    await expect.poll(() => other.heard.length).toBe(1)
    await pulling?.close()
    expect(kernel.dispatches).toEqual([])
    expect(states).toEqual([])
  })
})
