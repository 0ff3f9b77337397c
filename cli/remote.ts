/** A log over HTTP, as anybody may read it. @see https://c2sp.org/tlog-tiles */
import { NoDecision } from '../core/error.ts'
import type { LogReader } from '../core/log/reader.ts'
import { formatTilePath, type TilePath } from '../core/log/tiles.ts'
import { UsageError } from './out.ts'

const TIMEOUT_MS = 30_000
const MAX_BYTES = { checkpoint: 65_536, tile: 8192, entries: 256 * 65_537 }

/** @param base the log's own URL; of a bare host, `/log` is taken, where `assay serve` has it @throws UsageError */
export function remoteLog(base: string): LogReader {
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? ''))
    throw new UsageError('usage', '--url must be an http or https URL')
  const url = new URL(base)
  const prefix = url.pathname === '/' ? '/log' : url.pathname.replace(/\/$/, '')
  const get = (path: string, maxBytes: number): Promise<Uint8Array | undefined> =>
    fetchBytes(new URL(`${prefix}/${path}`, url), maxBytes)
  const tile = (path: TilePath): Promise<Uint8Array | undefined> =>
    get(formatTilePath(path), MAX_BYTES[path.kind])
  return {
    checkpoint: () => get('checkpoint', MAX_BYTES.checkpoint),
    tile: (level, index, width) => tile({ kind: 'tile', level, index, width }),
    entries: (index, width) => tile({ kind: 'entries', index, width }),
  }
}

async function fetchBytes(url: URL, maxBytes: number): Promise<Uint8Array | undefined> {
  const failed = (why: string): NoDecision => new NoDecision('unavailable', `${url.href}: ${why}`)
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
  } catch (error) {
    const { cause, message } = error as Error
    throw failed(cause instanceof Error ? cause.message : message)
  }
  if (response.status === 404) {
    await response.body?.cancel()
    return undefined
  }
  if (response.status !== 200) throw failed(`it answers ${response.status}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBytes) throw failed(`it answers with more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
