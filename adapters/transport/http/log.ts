/**
 * The log's read endpoints under `/log/`. What is not there is 404 and may be there later; what is there never changes, the checkpoint
 * apart.
 *
 * @see https://c2sp.org/tlog-tiles
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { LogReader } from '../../../core/log/reader.ts'
import { parseTilePath } from '../../../core/log/tiles.ts'
import { type Answer, notFound } from './answer.ts'
import type { Call } from './call.ts'

export const LOG_PREFIX = '/log/'
const IMMUTABLE = 'public, max-age=31536000, immutable'
const zip = promisify(gzip)

/** GET /log/checkpoint */
export async function checkpoint(log: LogReader): Promise<Answer> {
  const body = await log.checkpoint()
  if (body === undefined) return notFound()
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' }
  return { status: 200, headers, body }
}

/** GET /log/tile/:level/:index and /log/tile/entries/:index, each also partial. */
export async function tile(log: LogReader, call: Call): Promise<Answer> {
  const path = parseTilePath(call.path.slice(LOG_PREFIX.length))
  if (path === undefined) return notFound()
  const { kind, index, width } = path
  const body =
    kind === 'entries' ? await log.entries(index, width) : await log.tile(path.level, index, width)
  if (body === undefined) return notFound()
  const headers = { 'content-type': 'application/octet-stream', 'cache-control': IMMUTABLE }
  if (kind === 'tile') return { status: 200, headers, body }
  const varied = { ...headers, vary: 'accept-encoding' }
  return acceptsGzip(call)
    ? { status: 200, headers: { ...varied, 'content-encoding': 'gzip' }, body: await zip(body) }
    : { status: 200, headers: varied, body }
}

function acceptsGzip(call: Call): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(call.header('accept-encoding') ?? '')
}
