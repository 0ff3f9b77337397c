/** No answer leaves before the commit behind it is on disk, seen in the system calls of the real server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Server } from '../server.ts'
import { type Exchange, startTracing, straceEvents, unsynced } from './trace.ts'

const REQUESTS = 20

/** Requests one after the other to a traced server, and those that were answered before a sync. */
async function tracedRun(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-trace-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const tracing = await startTracing(folder)
  const server = new Server({
    data: join(folder, 'data'),
    under: tracing.under,
    env: { ...env, ...tracing.env },
    timeoutMs: 120_000,
  })
  const url = await server.ready
  const exchanges: Exchange[] = []
  for (let i = 0; i < REQUESTS; i++) exchanges.push(await exchange(url, `marker-${i}-end`))
  await server.stop()
  return unsynced(tracing.events(), exchanges)
}

async function exchange(url: string, marker: string): Promise<Exchange> {
  const response = await fetch(`${url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'user', id: marker },
      action: { name: 'read' },
      resource: { type: 'document', id: 'none' },
    }),
  })
  await response.text()
  return { marker, decisionId: response.headers.get('x-decision-id') ?? 'none' }
}

test('every answer comes after a sync of the database', { timeout: 180_000 }, async () => {
  expect(await tracedRun({})).toEqual([])
})

test('a server that drops fsync is found out', { timeout: 180_000 }, async () => {
  const mutant = pathToFileURL(join(import.meta.dirname, 'mutants', 'no-sync.ts')).href
  const found = await tracedRun({ NODE_OPTIONS: `--import ${mutant}` })
  expect(found).toHaveLength(REQUESTS)
  expect(found[0]).toContain('answered before its commit was synced')
})

test('a trace is read with its interrupted calls', () => {
  const trace = [
    '10 read(20<socket:[1]>, "POST /x marker-1-end", 65536) = 20',
    '10 fdatasync(21</data/assay.db-wal> <unfinished ...>',
    '11 read(5</other>, "", 8) = 0',
    '10 <... fdatasync resumed>) = 0',
    '10 write(20<socket:[1]>, "HTTP/1.1 200 OK\\r\\nX-Decision-Id: abc", 40) = 40',
  ].join('\n')
  const exchanges = [{ marker: 'marker-1-end', decisionId: 'abc' }]
  expect(unsynced(straceEvents(trace), exchanges)).toEqual([])
  const failed = trace.replace('resumed>) = 0', 'resumed>) = -1 EIO (Input/output error)')
  expect(unsynced(straceEvents(failed), exchanges)).toHaveLength(1)
  expect(unsynced([], exchanges)).toHaveLength(1)
})
