/** The decision log leaves a server that is killed again and again: the receiver gets every decision, in order, and nothing secret is said. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LogEvent } from '../../adapters/export/event.ts'
import { posted } from '../http-lanes.ts'
import { openReceiver, type Receiver } from '../receiver.ts'
import { Server } from '../server.ts'

const KILLS = 4
const TOKEN = 'canary-token'
const CONFIG_HEADER = 'canary-header'

let dir: string
let config: string
let receiver: Receiver
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-export-'))
  receiver = await openReceiver()
  config = join(dir, 'assay.yaml')
  await writeFile(join(dir, 'token'), `${TOKEN}\n`)
  await writeFile(
    config,
    `data: ./data
log: { level: debug }
export:
  - kind: opa-logs
    url: ${receiver.url}
    headers: { X-Api-Key: ${CONFIG_HEADER} }
    bearerTokenFile: ./token
    openings: [payload]
    batch: { maxEvents: 7, delayMs: 10 }
`,
  )
})
afterEach(async () => {
  await receiver.close()
  await rm(dir, { recursive: true })
})

const REQUEST = {
  subject: { type: 'user', id: 'canary-subject' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
}

/** Asks until the server is gone; the ids of what was answered. */
async function askOn(url: string, ids: string[]): Promise<void> {
  for (;;) {
    try {
      const headers = { 'x-request-id': 'canary-request', cookie: 'canary-cookie' }
      const answer = await fetch(`${url}/access/v1/evaluation`, posted(REQUEST, headers))
      const id = answer.headers.get('x-decision-id')
      if (answer.status === 200 && id !== null) ids.push(id)
    } catch {
      return
    }
  }
}

test('kill -9 in the middle, four times: at least once, in order, none missing', async () => {
  const ids: string[] = []
  const start = (): Server => new Server({ data: join(dir, 'data'), config })
  let said = ''
  for (let round = 0; round < KILLS; round++) {
    // Every third answer gets lost, so that a kill also falls between a batch and its place.
    receiver.reply = () => ({ status: receiver.requests.length % 3 === 0 ? 503 : 200 })
    const server = start()
    const url = await server.ready
    const before = receiver.requests.length
    const clients = [askOn(url, ids), askOn(url, ids)]
    await expect
      .poll(() => receiver.requests.length, { timeout: 30_000 })
      .toBeGreaterThan(before + 5)
    await server.stop('SIGKILL')
    await Promise.all(clients)
    said += server.output
  }
  receiver.reply = () => ({ status: 200 })
  const server = start()
  const url = await server.ready
  const { size } = (await (await fetch(`${url}/health/ready`)).json()) as { size: string }
  const events = (): LogEvent[] => receiver.taken.flatMap(({ body }) => body as LogEvent[])
  const last = (): number => Math.max(...events().map(({ custom }) => Number(custom.log_index)))
  await expect.poll(last, { timeout: 60_000 }).toBe(Number(size) - 1)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  await server.stop()
  said += server.output

  const seen = new Set(events().map(({ decision_id }) => decision_id))
  expect(ids.length).toBeGreaterThan(50)
  expect(ids.filter((id) => !seen.has(id))).toEqual([])
  const firsts = [...new Set(events().map(({ custom }) => Number(custom.log_index)))]
  expect(firsts).toEqual(Array.from({ length: Number(size) }, (_, i) => i))
  expect(receiver.taken[0]?.headers).toMatchObject({
    authorization: `Bearer ${TOKEN}`,
    'x-api-key': CONFIG_HEADER,
  })

  expect(said).toContain('"event":"decision"')
  expect(said).toContain('"event":"request"')
  expect(metrics).toContain('assay_export_backlog{exporter="opa-logs"} 0\n')
  for (const text of [said, metrics]) expect(text).not.toContain('canary')
}, 180_000)
