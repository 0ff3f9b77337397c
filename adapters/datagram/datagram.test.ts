/** Datagrams: a flood of bad ones costs little, takes no memory, and keeps no good one out. Real sockets, real kernels. */
import { createSocket } from 'node:dgram'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NoDecision } from '../../core/error.ts'
import { FakeKernel } from '../../test/fake-kernel.ts'
import { signingKey } from '../../test/keys.ts'
import { announcement, messageOf, NOW, openPost, type Post } from '../../test/messages.ts'
import { manualClock } from '../clock/manual.ts'
import { AnnounceDoor, DEFAULT_LIMITS } from './door.ts'
import { SourceTable } from './sources.ts'
import { type DatagramServer, networkOf, serveDatagrams } from './udp.ts'

const stranger = signingKey('somebody')
const address = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

describe('sources', () => {
  const clock = manualClock(1_800_000_000_000)
  const now = (): number => clock.monotonic()
  const table = (): SourceTable => new SourceTable(DEFAULT_LIMITS, 7)
  const heard = (sources: SourceTable, source: string, times: number): number =>
    Array.from({ length: times }, () => sources.hear(source, now())).filter(Boolean).length

  test('one address is heard so often and no more, and again later', () => {
    const sources = table()
    expect(heard(sources, '10.0.0.1', 100)).toBe(DEFAULT_LIMITS.unknown.burst)
    expect(heard(sources, '10.0.0.2', 1)).toBe(1)
    clock.advance(1000)
    expect(heard(sources, '10.0.0.1', 100)).toBe(DEFAULT_LIMITS.unknown.perSecond)
  })

  test('who sends what does not count is not heard for a while', () => {
    const sources = table()
    for (let i = 0; i < 2; i++) {
      expect(sources.hear('10.0.0.1', now())).toBe(true)
      sources.bad('10.0.0.1', now())
    }
    expect(sources.hear('10.0.0.1', now())).toBe(false)
    clock.advance(3000)
    expect(sources.hear('10.0.0.1', now())).toBe(true)
  })

  test('all unknown addresses together are heard so often, and who is known beside them', () => {
    const sources = table()
    sources.good('192.0.2.1', now())
    let taken = 0
    for (let i = 0; i < 100_000; i++) if (sources.hear(address(i), now())) taken++
    expect(taken).toBe(DEFAULT_LIMITS.together.burst)
    expect(heard(sources, '192.0.2.1', 100)).toBe(100)
  })

  test('who is known and then sends bad ones loses that ear too', () => {
    const sources = table()
    sources.good('192.0.2.1', now())
    for (let i = 0; i < 100; i++) sources.bad('192.0.2.1', now())
    expect(sources.hear('192.0.2.1', now())).toBe(false)
  })

  test('a few are known at a time', () => {
    const sources = table()
    for (let i = 0; i < 1025; i++) sources.good(address(i), now())
    expect(heard(sources, address(1024), 30)).toBe(30)
    expect(heard(sources, address(0), 30)).toBe(DEFAULT_LIMITS.unknown.burst)
  })

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::5', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s is of %s', (given, network) => {
    expect(networkOf(given)).toBe(network)
  })
})

describe('the door', () => {
  test('a flood from 100,000 addresses leaves memory as it is, and good messages get through', async () => {
    const post = await openPost()
    const door = new AnnounceDoor(post.kernel, post.clock)
    const good = (seq: number): Uint8Array => messageOf(post.controller, announcement({ seq }))
    door.take('192.0.2.1', good(1))
    await settled(post, 1)
    const bad = messageOf(stranger, announcement())
    const unsigned = Uint8Array.from(bad).fill(0, 37, 101)
    for (let i = 0; i < 20_000; i++) door.take(address(i), unsigned)
    const before = memory()
    for (let i = 0; i < 100_000; i++) door.take(address(i), i % 2 === 0 ? bad : unsigned)
    expect(memory() - before).toBeLessThan(8_000_000)
    door.take('192.0.2.1', good(2))
    await settled(post, 2)
    await door.close()
    await post.kernel.close()
  })

  test('a copy of what was decided on is no decision again, whoever sends it', async () => {
    const kernel = new FakeKernel()
    const door = new AnnounceDoor(kernel, manualClock(0))
    const message = messageOf(stranger, announcement())
    door.take('192.0.2.1', message)
    await expect.poll(() => kernel.dispatches.length).toBe(1)
    for (let i = 0; i < 50; i++) door.take(address(i), Uint8Array.from(message))
    door.take('192.0.2.2', messageOf(stranger, announcement({ seq: 2 })))
    await door.close()
    expect(kernel.dispatches.length).toBe(2)
    expect(kernel.refusals.filter((why) => why.endsWith('replayed'))).toHaveLength(50)
  })

  test('what could not be decided is not a copy when it comes again', async () => {
    const kernel = new FakeKernel(async () => {
      throw new NoDecision('overloaded', 'later')
    })
    const door = new AnnounceDoor(kernel, manualClock(0))
    const message = messageOf(stranger, announcement())
    for (let n = 1; n < 3; n++) {
      door.take('192.0.2.1', message)
      await expect.poll(() => kernel.dispatches.length).toBe(n)
    }
    await door.close()
  })

  test('what waits is bounded', async () => {
    const kernel = new FakeKernel()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    kernel.script = async () => {
      await held
      throw new Error('gone')
    }
    const door = new AnnounceDoor(kernel, manualClock(0))
    const message = messageOf(stranger, announcement())
    for (let i = 0; i < 400; i++) door.take(address(i), message)
    expect(kernel.refusals.filter((why) => why.endsWith('overloaded')).length).toBe(400 - 257)
    release()
    await door.close()
    expect(kernel.dispatches.length).toBe(257)
    door.take('192.0.2.1', message)
    expect(kernel.dispatches.length).toBe(257)
  })
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that are held. */
function memory(): number {
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}

const lastOf = async (post: Post): Promise<unknown> =>
  (await post.record('announce', `signer/${post.controller.publicKey}`)) ?? undefined
const settled = (post: Post, sequence: number): Promise<void> =>
  expect.poll(() => lastOf(post)).toEqual({ sequence, time: NOW })

describe('over UDP', () => {
  let post: Post
  let server: DatagramServer
  beforeEach(async () => {
    post = await openPost()
    server = await serveDatagrams(post.kernel, { clock: post.clock, maxBytes: 4096 })
  })
  afterEach(async () => {
    await server.close()
    await post.kernel.close()
  })

  /** Sends each, and tells how many datagrams came back. */
  async function send(...messages: readonly Uint8Array[]): Promise<number> {
    const socket = createSocket('udp4')
    let answers = 0
    socket.on('message', () => answers++)
    for (const message of messages)
      await new Promise((resolve) => socket.send(message, server.port, server.host, resolve))
    await settled(post, 1)
    await new Promise((resolve) => socket.close(() => resolve(undefined)))
    return answers
  }

  test('a good message is decided on, and nobody is answered', async () => {
    const bad = messageOf(stranger, announcement())
    const long = new Uint8Array(5000)
    expect(await send(long, bad, messageOf(post.controller, announcement()))).toBe(0)
    expect(await post.record('announce', 'announced/cell-b/gpu')).toBeDefined()
  })

  test('an address that is taken is told as such', async () => {
    const again = serveDatagrams(post.kernel, { clock: post.clock, port: server.port })
    await expect(again).rejects.toMatchObject({ code: 'address_in_use' })
    await expect(
      serveDatagrams(post.kernel, { clock: post.clock, maxBytes: 70_000 }),
    ).rejects.toMatchObject({ code: 'invalid_options' })
  })
})
