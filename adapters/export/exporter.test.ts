import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, kit, ORIGIN, submission } from '../../test/kernel/kit.ts'
import { openReceiver, type Received, type Receiver } from '../../test/receiver.ts'
import type { LogEvent } from './event.ts'
import { Exporter, type ExporterOptions, type Watch } from './exporter.ts'
import { opaLogs } from './opa.ts'
import { readPlace } from './place.ts'

let folder: string
let receiver: Receiver
let desk: Kit
const open: Exporter[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-export-'))
  receiver = await openReceiver()
  desk = await kit()
})
afterEach(async () => {
  for (const exporter of open.splice(0)) await exporter.close()
  await receiver.close()
  await desk.kernel.close()
  await rm(folder, { recursive: true })
})

class Notes implements Watch {
  readonly counts: Record<string, number> = { dropped: 0, quarantined: 0, sent: 0 }
  readonly failures: string[] = []
  readonly quarantines: [index: bigint, count: number, status: number][] = []
  resumes = 0
  done(outcome: string, count: number): void {
    this.counts[outcome] = (this.counts[outcome] ?? 0) + count
  }
  failed(code: string): void {
    this.failures.push(code)
  }
  resumed(): void {
    this.resumes++
  }
  quarantined(...seen: [bigint, number, number]): void {
    this.quarantines.push(seen)
  }
}

async function exporter(options: Partial<ExporterOptions> = {}, notes = new Notes()) {
  const { store, log } = desk
  const opened = await Exporter.open({
    name: 'siem',
    format: opaLogs(receiver.url),
    folder,
    origin: ORIGIN,
    store,
    log,
    labels: { id: ORIGIN },
    openings: [],
    headers: {},
    timeoutMs: 5000,
    maxEvents: 256,
    delayMs: 5,
    retryMs: 1,
    ...options,
  })
  open.push(opened)
  opened.start(notes)
  return { exporter: opened, notes }
}

const eventsOf = (received: readonly Received[]): LogEvent[] =>
  received.flatMap(({ body }) => body as LogEvent[])

/** The ids of `count` new decisions, in the order of the log. */
async function decide(count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await desk.kernel.decide(submission())).id)
  return ids
}

/** What the log has and the receiver should get: the activation too is a decision. */
async function logged(): Promise<unknown[]> {
  return (await desk.leaves()).map(({ id }) => id)
}

const ids = (): string[] => eventsOf(receiver.taken).map(({ decision_id }) => decision_id)

describe('an exporter', () => {
  test('sends every decision, in order, as OPA would, and nothing that is not in the leaf', async () => {
    await decide(5)
    await exporter({ maxEvents: 2 })
    await decide(3)
    await expect.poll(ids).toEqual(await logged())
    const [request] = receiver.requests as [Received]
    expect(request.path).toBe('/logs')
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    })
    const leaves = await desk.leaves()
    expect(eventsOf(receiver.taken)[1]).toEqual({
      labels: { id: ORIGIN },
      decision_id: leaves[1]?.id,
      bundles: { assay: { revision: leaves[1]?.revision } },
      path: 'note/read',
      result: { allow: true },
      timestamp: '2026-09-21T14:13:20.000Z',
      custom: {
        action: 'note.read',
        allow: true,
        log_index: '1',
        policy: leaves[1]?.policy,
        reasons: [{ code: 'owner', rule: 'note.owner' }],
      },
    })
  })

  test('sends the openings that it is told to send, and only those', async () => {
    await decide(1)
    await exporter({ openings: ['payload', 'request', 'verdict', 'facts.record'] })
    await expect.poll(ids).toEqual(await logged())
    expect(eventsOf(receiver.taken)[1]).toMatchObject({
      input: { payload: { by: 'alice' }, 'facts.record': null },
      result: { allow: true, reasons: [{ message: 'the owner may' }] },
      requested_by: 'embedded:process',
    })
    expect(Object.keys((eventsOf(receiver.taken)[1]?.input ?? {}) as object).sort()).toEqual([
      'facts.record',
      'payload',
      'request',
    ])
  })

  test('waits for a receiver that is down or busy, shows it, and loses nothing', async () => {
    let answers = 0
    receiver.reply = () => {
      answers++
      if (answers <= 2) return { status: 503, headers: { 'retry-after': '0' } }
      return answers === 3 ? { status: 401 } : { status: 200 }
    }
    await decide(3)
    const { exporter: one, notes } = await exporter()
    await expect.poll(ids).toEqual(await logged())
    expect(notes.failures).toEqual(['status_503', 'status_503', 'status_401'])
    expect(notes.resumes).toBe(1)
    expect(one.failing).toBe(false)
    await receiver.close()
    await decide(2)
    await expect.poll(() => one.failing, { timeout: 5000 }).toBe(true)
    expect(one.position).toBe(4n)
    expect(notes.failures.at(-1)).toBe('econnrefused')
    receiver = await openReceiver(Number(new URL(receiver.url).port))
    await expect.poll(ids, { timeout: 5000 }).toEqual((await logged()).slice(4))
  })

  test('keeps its place: a new one goes on where the last one was, and only then', async () => {
    await decide(2)
    const { exporter: first } = await exporter()
    await expect.poll(() => first.position).toBe(3n)
    await first.close()
    expect(await readPlace(join(folder, 'siem.json'), ORIGIN)).toEqual({
      origin: ORIGIN,
      position: 3n,
    })
    await decide(2)
    expect(ids()).toHaveLength(3)
    await exporter()
    await expect.poll(ids).toEqual(await logged())
  })

  test('sends a batch again whose answer got lost, under the same ids', async () => {
    let lost = true
    const twice: Received[] = []
    receiver.reply = (received) => {
      twice.push(received)
      // The receiver has it, and nobody hears of it.
      const status = lost ? 504 : 200
      lost = false
      return { status }
    }
    await decide(2)
    await exporter()
    await expect.poll(ids).toEqual(await logged())
    expect(eventsOf(twice).map(({ decision_id }) => decision_id)).toEqual([
      ...(await logged()),
      ...(await logged()),
    ])
  })

  test('finds the one event that a receiver does not take, sets it aside, and goes on', async () => {
    const all = await decide(9)
    const poison = all[4] as string
    const has = ({ body }: Received): boolean =>
      (body as LogEvent[]).some(({ decision_id }) => decision_id === poison)
    receiver.reply = (received) => ({ status: has(received) ? 413 : 200 })
    const { exporter: one, notes } = await exporter()
    await expect.poll(() => one.position).toBe(10n)
    expect(ids()).toEqual((await logged()).filter((id) => id !== poison))
    expect(notes.counts).toEqual({ dropped: 0, quarantined: 1, sent: 9 })
    expect(notes.quarantines).toEqual([[5n, 1, 413]])
    expect(await readFile(join(folder, 'siem.quarantine.jsonl'), 'utf8')).toBe(
      `{"index":"5","decision_id":"${poison}","status":413}\n`,
    )
  })

  test('does not set everything aside for a receiver that refuses everything', async () => {
    await decide(40)
    receiver.reply = () => ({ status: 400 })
    const { exporter: one, notes } = await exporter()
    await expect.poll(() => notes.failures).toContain('refuses_everything')
    expect(notes.counts.quarantined).toBe(16)
    expect(one.position).toBe(0n)
    receiver.reply = () => ({ status: 200 })
    await expect.poll(() => one.position).toBe(41n)
    expect(ids()).toEqual((await logged()).slice(16))
  })

  test('sends neither counts nor anything else that is no decision', async () => {
    await desk.kernel.close()
    desk = await kit({ limits: { windowMs: 10 } })
    desk.kernel.refused('http', 'malformed')
    await expect.poll(async () => (await desk.leaves()).length).toBe(2)
    const { exporter: one } = await exporter()
    await expect.poll(() => one.position).toBe(2n)
    expect(ids()).toEqual([(await desk.leaves())[0]?.id])
  })

  test('reads its token for each batch and sends it nowhere in clear text', async () => {
    const bearerTokenFile = join(folder, 'token')
    await writeFile(bearerTokenFile, 'first\n')
    const { exporter: one } = await exporter({ bearerTokenFile, headers: { 'X-Tenant': 'a' } })
    await expect.poll(() => one.position).toBe(1n)
    await writeFile(bearerTokenFile, 'second\n')
    await decide(1)
    await expect.poll(() => one.position).toBe(2n)
    expect(receiver.taken.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
    ])
    expect(receiver.taken[0]?.headers['x-tenant']).toBe('a')
    const format = opaLogs('http://logs.example.com')
    await expect(exporter({ bearerTokenFile, format })).rejects.toMatchObject({
      code: 'invalid_config',
    })
  })

  test('refuses a place that is damaged, of another log, or past the end of a log that was set back', async () => {
    const past = JSON.stringify({ origin: ORIGIN, position: '2' })
    for (const text of ['', '{}', '{"origin":"other","position":"1"}', '{"origin":1}', past]) {
      await writeFile(join(folder, 'siem.json'), text)
      await expect(exporter()).rejects.toMatchObject({ code: 'invalid_config' })
    }
  })
})
