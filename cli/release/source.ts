/** Where a release lies: a folder, or a server. Nothing that comes from there is believed; it is only bounded. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { KernelError } from '../../core/error.ts'

/** Of an artifact. */
export const MAX_ARTIFACT_BYTES: number = 8 * 1024 ** 3
/** Without a byte from the server. */
const IDLE_MS = 30_000
const MAX_REDIRECTS = 5

/** `not_found`: there is no such file. `unavailable`: the server did not answer as it should; trying again may help. The rest will not change. */
export class SourceError extends KernelError<
  'not_found' | 'redirect' | 'too_large' | 'unavailable'
> {
  constructor(code: SourceError['code'], what: string) {
    super('release', code, what)
  }
}

export interface Source {
  /** The file's bytes as they come, undefined where there is none. @throws SourceError */
  open(name: string): Promise<AsyncIterable<Uint8Array> | undefined>
}

/** @param place a folder, or an `https:` or `http:` URL of one */
export function sourceAt(place: string, { idleMs = IDLE_MS }: { idleMs?: number } = {}): Source {
  return /^https?:\/\//i.test(place)
    ? { open: (name) => fetched(inFolder(place, name), idleMs) }
    : { open: (name) => plainFile(join(place, name)) }
}

/** A small file as a whole. @throws SourceError `too_large` */
export async function readWhole(
  source: Source,
  name: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks = await source.open(name)
  if (chunks === undefined) return undefined
  const parts: Uint8Array[] = []
  for await (const chunk of bounded(chunks, name, maxBytes)) parts.push(chunk)
  return new Uint8Array(Buffer.concat(parts))
}

/** The first bytes of a file, for readers that look no further. @throws SourceError */
export async function readStart(
  source: Source,
  name: string,
  bytes: number,
): Promise<Uint8Array | undefined> {
  const chunks = await source.open(name)
  if (chunks === undefined) return undefined
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    size += chunk.length
    if (size >= bytes) break
  }
  return new Uint8Array(Buffer.concat(parts)).subarray(0, bytes)
}

/** @throws SourceError `too_large` before it gives out more */
export async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > maxBytes)
      throw new SourceError('too_large', `${name} has more than ${maxBytes} bytes`)
    yield chunk
  }
}

/** A link is followed: what it leads to is checked all the same. */
async function plainFile(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    // Not blocking: somebody may have put a pipe there.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if ((await file.stat()).isFile()) return file.createReadStream()
    await file.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  throw new SourceError('not_found', `${path} is not a file`)
}

function inFolder(base: string, name: string): URL {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(name)}`
  return url
}

async function fetched(start: URL, idleMs: number): Promise<AsyncIterable<Uint8Array> | undefined> {
  let url = start
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const timer = new Idle(idleMs)
    const response = await answered(url, timer)
    const { body, headers, status } = response
    if (status === 200 && body !== null) return timer.watch(body, url)
    timer.stop()
    await body?.cancel()
    if (status === 404 || status === 410) return undefined
    const location = status >= 301 && status <= 308 ? headers.get('location') : null
    if (location === null)
      throw new SourceError('unavailable', `${url.href} answers with status ${status}`)
    url = redirected(location, url)
  }
  throw new SourceError('redirect', `${start.href} leads round in circles`)
}

function redirected(location: string, from: URL): URL {
  const to = URL.parse(location, from)
  if (to?.protocol === 'https:') return to
  throw new SourceError('redirect', `${from.href} leads to something else than https`)
}

async function answered(url: URL, { signal }: Idle): Promise<Response> {
  try {
    // The bytes as they are signed: no encoding on the way.
    const headers = { 'accept-encoding': 'identity' }
    return await fetch(url, { headers, redirect: 'manual', signal })
  } catch {
    throw new SourceError('unavailable', `${url.href} does not answer`)
  }
}

/** Gives up when nothing happens for so long. */
class Idle {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(idleMs: number) {
    this.#timer = setTimeout(() => this.#controller.abort(), idleMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  async *watch(body: AsyncIterable<Uint8Array>, url: URL): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        this.#timer.refresh()
        yield chunk
      }
    } catch {
      throw new SourceError('unavailable', `${url.href} broke off`)
    } finally {
      this.stop()
    }
  }
}
