/**
 * `main.ts ROUNDS`: signed messages a second through the door for datagrams, and what a flood of others costs there, in a process of its own. Prints
 * a table. CPU is user and system time of the whole process. `main.ts send PORT` is the one who floods.
 */
import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../../adapters/clock/system.ts'
import type { SourceLimits } from '../../../adapters/datagram/index.ts'
import { AnnounceDoor, serveDatagrams } from '../../../adapters/datagram/index.ts'
import { openSqlite } from '../../../adapters/store/sqlite/index.ts'
import { signingKey } from '../../keys.ts'
import { announcement, messageOf, openPost, type Post } from '../../messages.ts'
import { compiler } from '../../rego.ts'
import { median } from '../stats.ts'

const SIGNED = 2000
const FLOOD = 1_000_000
const HEARD = 10_000
const DATAGRAMS = 100_000
const ADDRESSES = 100_000
/** For senders that are not to be held back. */
const OPEN: SourceLimits = {
  known: { perSecond: 1e9, burst: 1e9 },
  unknown: { perSecond: 1e9, burst: 1e9 },
  together: { perSecond: 1e9, burst: 1e9 },
  penalty: 1,
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
function held(): number {
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const address = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

interface Cost {
  readonly count: number
  readonly wallMs: number
  readonly cpuMicros: number
}
async function costOf(count: number, work: () => Promise<void>): Promise<Cost> {
  const [cpu, began] = [process.cpuUsage(), systemClock.monotonic()]
  await work()
  const { system, user } = process.cpuUsage(cpu)
  return { count, wallMs: systemClock.monotonic() - began, cpuMicros: (user + system) / count }
}

let seq = 0
function signedMessages(post: Post, count: number): Uint8Array[] {
  return Array.from({ length: count }, () =>
    messageOf(post.controller, announcement({ seq: ++seq })),
  )
}

/** Decided one after the other, each with its leaf on the disk. */
async function signed(post: Post): Promise<Cost> {
  const messages = signedMessages(post, SIGNED)
  return await costOf(SIGNED, async () => {
    for (let at = 0; at < messages.length; at += 200) {
      const door = new AnnounceDoor(post.kernel, systemClock, OPEN)
      for (const message of messages.slice(at, at + 200)) door.take('192.0.2.1', message)
      await door.close()
    }
  })
}

/** With what gets through to a decision. */
async function flood(
  post: Post,
  message: Uint8Array,
  count = FLOOD,
  limits?: SourceLimits,
): Promise<Cost> {
  const door = new AnnounceDoor(post.kernel, systemClock, limits)
  return await costOf(count, async () => {
    for (let i = 0; i < count; i++) {
      door.take(address(i % ADDRESSES), message)
      // As between two datagrams: decisions under way have their turn.
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await door.close()
  })
}

/** What one costs that is listened to: as many as the door's queue holds, one after the other. */
async function heard(post: Post, message: Uint8Array): Promise<Cost> {
  return await costOf(HEARD, async () => {
    for (let i = 0; i < HEARD; i += 200) await flood(post, message, 200, OPEN)
  })
}

/** Datagrams from another process; `port` of a socket that takes them. Counts what arrived. */
async function overUdp(port: number, arrived: () => number): Promise<Cost> {
  const began = arrived()
  const cost = await costOf(1, async () => {
    const sender = fork(import.meta.filename, ['send', String(port)])
    await once(sender, 'exit')
  })
  const count = Math.max(1, arrived() - began)
  return { ...cost, count, cpuMicros: cost.cpuMicros / count }
}

/** What a socket without a door costs. */
async function bareUdp(): Promise<Cost> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1_048_576 })
  let count = 0
  socket.on('message', () => void count++)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const cost = await overUdp(socket.address().port, () => count)
  socket.close()
  return cost
}

async function doorUdp(post: Post): Promise<Cost> {
  let count = 0
  const kernel = Object.create(post.kernel) as Post['kernel']
  kernel.refused = (...why) => {
    count++
    post.kernel.refused(...why)
  }
  const server = await serveDatagrams(kernel, { clock: systemClock })
  const cost = await overUdp(server.port, () => count)
  await server.close()
  return cost
}

async function send(port: number): Promise<void> {
  const socket = createSocket('udp4')
  const message = unsigned(messageOf(signingKey('somebody'), announcement()))
  for (let i = 0; i < DATAGRAMS; i += 50) {
    for (let n = 0; n < 50; n++) socket.send(message, port, '127.0.0.1')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  socket.close()
}

const unsigned = (message: Uint8Array): Uint8Array => Uint8Array.from(message).fill(0, 37, 101)

async function inRounds(count: number, what: () => Promise<Cost>): Promise<string> {
  const costs: Cost[] = []
  for (let i = 0; i < count; i++) costs.push(await what())
  const perSecond = median(costs.map(({ count, wallMs }) => (count * 1000) / wallMs))
  const cpu = median(costs.map(({ cpuMicros }) => cpuMicros))
  return `${Math.round(perSecond).toLocaleString('en')} | ${cpu.toFixed(2)}`
}

async function main(count: number): Promise<void> {
  const rounds = (what: () => Promise<Cost>): Promise<string> => inRounds(count, what)
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const pair = await openSqlite({ path: join(folder, 'assay.db') })
  const post = await openPost({ pair })
  const forged = messageOf(post.controller, announcement()).with(50, 7)
  const row = async (what: string, measured: Promise<string>): Promise<void> =>
    console.log(`| ${what} | ${await measured} |`)
  console.log('| through the door | a second | CPU µs a message |\n| --- | --- | --- |')
  await signed(post)
  await row(
    'signed, decided, sealed with its leaf on disk',
    rounds(() => signed(post)),
  )
  const before = held()
  const bare = unsigned(forged)
  await row(
    'unsigned, from 100,000 addresses',
    rounds(() => flood(post, bare)),
  )
  await row(
    'forged in the name of the controller',
    rounds(() => flood(post, forged)),
  )
  const stranger = messageOf(signingKey('somebody'), announcement())
  await row(
    'signed by somebody unknown',
    rounds(() => flood(post, stranger)),
  )
  const grown = held() - before
  await row(
    'unsigned, no limits',
    rounds(() => heard(post, bare)),
  )
  await row(
    'forged in the name of the controller, no limits',
    rounds(() => heard(post, forged)),
  )
  await row(
    'signed by somebody unknown, no limits',
    rounds(() => heard(post, stranger)),
  )
  await row('UDP socket alone', rounds(bareUdp))
  await row(
    'UDP socket and door, unsigned',
    rounds(() => doorUdp(post)),
  )
  console.log(
    `\nheld after ${(3 * count * FLOOD).toLocaleString('en')} messages of floods: ${Math.round(grown / 1024)} KiB more`,
  )
  await post.kernel.close()
  await compiler.close()
  rmSync(folder, { recursive: true })
}

const [first = '5', port] = process.argv.slice(2)
await (first === 'send' ? send(Number(port)) : main(Number(first)))
process.exit()
