/**
 * Hostile clients beside an honest one, against a real server process: the honest one gets every decision, not much later than alone; the
 * server's memory stays bounded, and what the hostile ones held is given back when they are gone.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Server } from '../server.ts'
import { Crowd } from './crowd.ts'
import { type Experience, honestly } from './honest.ts'
import { holdingOf } from './process.ts'

const REQUESTS = 400
/** On a machine whose cores are shared with the hostile clients themselves, and with whatever else runs there. */
const TIMES_SLOWER = 25
const GRACE_MS = 500
const MORE_MIB = 400

let folder: string
let server: Server
let port: number
let alone: Experience

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assay-hostile-'))
  server = new Server({ data: join(folder, 'data') })
  port = Number(new URL(await server.ready).port)
  await honestly(port, REQUESTS)
  alone = await honestly(port, REQUESTS)
  console.log('alone:', JSON.stringify(alone))
}, 120_000)
afterAll(async () => {
  expect(await server.stop()).toBe(0)
  rmSync(folder, { recursive: true })
}, 60_000)

const POST = 'POST /access/v1/evaluation HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
const GET = 'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n'
const MIB = Buffer.alloc(1_048_576, 'a')

const crowds: Readonly<Record<string, (crowd: Crowd) => void>> = {
  '3,000 idle connections': (crowd) => crowd.open(3000),
  '1,000 that send their headers byte by byte': (crowd) => crowd.trickle(1000, POST, 'X'),
  '800 that send their bodies byte by byte': (crowd) =>
    crowd.trickle(800, `${POST}Content-Length: 60000\r\n\r\n{`, ' '),
  '200 that ask and do not read': (crowd) => crowd.deaf(200, GET.repeat(50)),
  '500 half-open ones': (crowd) => crowd.halfOpen(500),
  'bodies without end': (crowd) =>
    crowd.flood(
      4,
      `${POST}Transfer-Encoding: chunked\r\n\r\n`,
      Buffer.concat([Buffer.from('100000\r\n'), MIB, Buffer.from('\r\n')]),
    ),
  'bodies that are announced as large': (crowd) =>
    crowd.flood(4, `${POST}Content-Length: 1099511627776\r\n\r\n`, MIB),
  'headers without end': (crowd) => crowd.flood(20, POST, `X-A: ${'a'.repeat(1000)}\r\n`),
  'chunk extensions without end': (crowd) =>
    crowd.flood(20, `${POST}Transfer-Encoding: chunked\r\n\r\n1;`, 'a'.repeat(65_536)),
  'floods of what is not HTTP': (crowd) => crowd.flood(20, '\u0000\u0016\u0003', MIB),
}

test.each(Object.entries(crowds))('%s', { timeout: 120_000 }, async (what, gather) => {
  const pid = server.pid as number
  const before = holdingOf(pid)
  const crowd = new Crowd(port)
  onTestFinished(() => crowd.leave())
  gather(crowd)
  await expect.poll(() => crowd.opened, { timeout: 30_000 }).toBeGreaterThan(0)
  await sleep(1000)
  const beside = await honestly(port, REQUESTS)
  const during = holdingOf(pid)
  console.log(`${what}: ${crowd.opened} opened;`, JSON.stringify({ beside, before, during }))
  expect(beside.failures).toEqual([])
  expect(beside.answered).toBe(REQUESTS)
  expect(beside.p99).toBeLessThan(alone.p99 * TIMES_SLOWER + GRACE_MS)
  expect(during.rssMiB).toBeLessThan(before.rssMiB + MORE_MIB)
  crowd.leave()
  await expect.poll(() => holdingOf(pid).files, { timeout: 30_000 }).toBeLessThan(before.files + 50)
})
