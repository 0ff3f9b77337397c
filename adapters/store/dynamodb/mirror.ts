/**
 * The log as static files in S3, for whoever may see it: tiles, entry bundles and the checkpoint at the paths of C2SP tlog-tiles. Whatever is named by
 * its size never changes and is written once; the checkpoint is only replaced where it still is the one that was read.
 *
 * @see https://c2sp.org/tlog-tiles
 */
import { readFile } from 'node:fs/promises'
import { AwsV4Signer } from 'aws4fetch'
import { sameBytes } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import { parseJson } from '../../../core/json.ts'
import { publishedHead } from '../../../core/log/reader.ts'
import {
  deriveEntries,
  deriveTile,
  formatTilePath,
  type TileSource,
  tileWidth,
} from '../../../core/log/tiles.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Published } from '../../../core/ports/logstore.ts'
import { type Schema, schema } from '../../../core/schema.ts'

export interface MirrorOptions {
  readonly bucket: string
  readonly region: string
  /** Of another service than AWS: the bucket is the first part of the path then. */
  readonly endpoint?: string
  /** Begins the name of every object; no slash at its end. */
  readonly prefix?: string
  /** JSON: `accessKeyId`, `secretAccessKey`, `sessionToken`; read for each request. Default: those of the table. */
  readonly credentialsFile?: string
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

interface Answer {
  readonly status: number
  readonly body: Uint8Array
  readonly etag: string
}

const WHO = 'logstore/dynamodb'
const TIMEOUT_MS = 10_000
/** Others mirror too: whoever was first is looked at again. */
const ATTEMPTS = 3
const AT_ONCE = 16
const text = schema.string({ maxLength: 4096 })
const format: Schema<unknown> = schema.object(
  { accessKeyId: text, secretAccessKey: text },
  { sessionToken: text },
)

export class Mirror {
  readonly #options: MirrorOptions
  readonly #clock: Clock
  readonly #credentials: () => Promise<Credentials>

  constructor(options: MirrorOptions, clock: Clock, ofTable: () => Promise<Credentials>) {
    this.#options = options
    this.#clock = clock
    const { credentialsFile: file } = options
    this.#credentials = file === undefined ? ofTable : () => readCredentials(file)
  }

  /** Brings the bucket to this head, unless it is further. @throws StoreError `misconfigured`: it has another history */
  async publish(log: TileSource, checkpoint: Published['checkpoint']): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const before = await this.#call('GET', 'checkpoint')
      const there = before.status === 200
      const known = there ? await publishedHead({ checkpoint: async () => before.body }) : undefined
      if (known !== undefined && known.size >= checkpoint.size) {
        if (known.size > checkpoint.size || sameBytes(known.root, checkpoint.root)) return
        const what = `${this.#name('checkpoint')} is of another log; name another prefix in store.publish`
        throw new StoreError(WHO, 'misconfigured', what)
      }
      await this.#files(log, known?.size ?? 0n, checkpoint.size)
      const condition = there ? { 'if-match': before.etag } : FIRST
      const put = await this.#call('PUT', 'checkpoint', checkpoint.note, condition)
      if (put.status < 300) return
    }
    throw new StoreError(WHO, 'unavailable', `${this.#name('checkpoint')}: others replace it`)
  }

  /** What is new between two sizes. */
  async #files(log: TileSource, from: bigint, to: bigint): Promise<void> {
    const missing: (() => Promise<void>)[] = []
    for (let level = 0; to >> BigInt(8 * level) > 0n; level++)
      for (let index = from >> BigInt(8 * level + 8); tileWidth(to, level, index) > 0; index++) {
        const width = tileWidth(to, level, index)
        const tile = formatTilePath({ kind: 'tile', level, index, width })
        missing.push(async () => this.#file(tile, await deriveTile(log, to, level, index, width)))
        if (level > 0) continue
        const entries = formatTilePath({ kind: 'entries', index, width })
        missing.push(async () => this.#file(entries, await deriveEntries(log, to, index, width)))
      }
    for (let at = 0; at < missing.length; at += AT_ONCE)
      await Promise.all(missing.slice(at, at + AT_ONCE).map((write) => write()))
  }

  async #file(path: string, bytes: Uint8Array | undefined): Promise<void> {
    if (bytes !== undefined) await this.#call('PUT', path, bytes, FIRST)
  }

  /** @throws StoreError: neither done nor refused by the condition */
  async #call(
    method: 'GET' | 'PUT',
    path: string,
    body?: Uint8Array,
    condition: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { region } = this.#options
    const datetime = new Date(this.#clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, '')
    const sent = body && { body: new Uint8Array(body) }
    let answer: Answer
    try {
      const request = { ...(await this.#credentials()), url: this.#url(path), method, ...sent }
      const signing = { ...request, headers: condition, datetime, region, service: 's3' }
      const { headers, url } = await new AwsV4Signer(signing).sign()
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const response = await fetch(url, { method, headers, redirect: 'manual', signal, ...sent })
      const etag = response.headers.get('etag') ?? ''
      answer = { status: response.status, body: new Uint8Array(await response.arrayBuffer()), etag }
    } catch (cause) {
      if (cause instanceof StoreError) throw cause
      const what = `${this.#name(path)} cannot be reached; check store.publish and the network`
      throw new StoreError(WHO, 'unavailable', what, { cause })
    }
    const { status } = answer
    if (status < 300 || status === MISSING || TAKEN.has(status))
      return this.#found(method, path, answer)
    if (status < 400) {
      const what = `${this.#name(path)} is in another region; correct store.publish.region`
      throw new StoreError(WHO, 'misconfigured', what)
    }
    const refused = status === 401 || status === 403
    const what = refused
      ? `${this.#name(path)} is refused (${status}): give the credentials s3:GetObject, s3:PutObject and s3:ListBucket`
      : `${this.#name(path)} answers ${status}; try again`
    throw new StoreError(WHO, refused ? 'denied' : 'unavailable', what)
  }

  /** An object may be missing; the bucket may not. */
  #found(method: string, path: string, answer: Answer): Answer {
    if (answer.status !== MISSING) return answer
    const said = new TextDecoder().decode(answer.body)
    if (method === 'GET' && !said.includes('NoSuchBucket')) return answer
    const what = `there is no bucket for ${this.#name(path)}; correct store.publish`
    throw new StoreError(WHO, 'misconfigured', what)
  }

  #key(path: string): string {
    const { prefix } = this.#options
    return prefix === undefined ? path : `${prefix}/${path}`
  }

  /** For people. */
  #name(path: string): string {
    return `s3://${this.#options.bucket}/${this.#key(path)}`
  }

  #url(path: string): string {
    const { bucket, endpoint, region } = this.#options
    const key = this.#key(path)
    if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${bucket}/${key}`
    return `https://${bucket}.s3.${region}.amazonaws.com/${key}`
  }
}

/** Only where there is none yet. */
const FIRST = { 'if-none-match': '*' } as const
const MISSING = 404
/** The condition does not hold, or another request is at the same object. */
const TAKEN: ReadonlySet<number> = new Set([409, 412])

async function readCredentials(file: string): Promise<Credentials> {
  const value = parseJson(await readFile(file))
  const problem = format.problem(value, '')
  if (problem !== undefined) throw new StoreError(WHO, 'misconfigured', `${file} ${problem}`)
  return value as unknown as Credentials
}
