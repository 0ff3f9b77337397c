/**
 * The trust anchor: what a verifier has to know beforehand, obtained out of band. Everything else is proved from it.
 *
 * @see `core/log/trust.schema.json`
 */
import { LogError } from '../error.ts'
import { type Json, parseJson } from '../json.ts'
import { type Schema, schema } from '../schema.ts'
import { type Checkpoint, parseCheckpoint, parseDecimal } from './checkpoint.ts'
import { type NoteKey, parseNote, parseVkey, verifyNote } from './note.ts'

export interface TrustAnchor {
  readonly type: 'assay.trust/v1'
  /** The first line of the log's checkpoints. */
  readonly origin: string
  /** At least one. */
  readonly keys: readonly TrustedKey[]
  /** Keys that sign policy bundles, and how many of them it takes; see docs/bundles.md. */
  readonly policyRoots?: readonly string[]
  readonly policyThreshold?: number
  /** A C2SP tlog-policy. Not read by this version. */
  readonly witnesses?: string
  /** Written by the very server that it is to check: proves nothing to a stranger. */
  readonly development?: true
  readonly note?: string
}

/** A key of the log, for heads of `from` to `to` leaves, decimal, both included. A compromised key ends at the last trusted size. */
export interface TrustedKey {
  /** Ed25519 (type 0x01) or ECDSA over P-256 (type 0x02). */
  readonly vkey: string
  readonly from: string
  readonly to?: string
}

const line = schema.string({ maxLength: 512, pattern: /^[^\n]+$/ })
const decimal = schema.string({ maxLength: 19, pattern: /^(?:0|[1-9][0-9]{0,18})$/ })
const anchorSchema = schema.object(
  {
    type: schema.literal('assay.trust/v1'),
    origin: line,
    keys: schema.array(schema.object({ vkey: line, from: decimal }, { to: decimal }), {
      maxItems: 64,
    }),
  },
  {
    policyRoots: schema.array(line, { maxItems: 64 }),
    policyThreshold: schema.integer({ min: 1, max: 64 }),
    witnesses: schema.string({ maxLength: 65_536 }),
    development: schema.boolean(),
    note: schema.string({ maxLength: 1024 }),
  },
)

/** JSON Schema 2020-12. That a vkey is sound and a range is not empty is beyond it. */
export const anchorJsonSchema: Schema<TrustAnchor>['json'] = anchorSchema.json

/** @throws LogError `malformed`, `weak_key` */
export function parseAnchor(source: string | Uint8Array): TrustAnchor {
  const value = readJson(source)
  const problem = anchorSchema.problem(value, '')
  if (problem !== undefined) throw malformed(problem)
  const anchor = value as unknown as TrustAnchor
  if ((anchor.development as boolean | undefined) === false)
    throw malformed('/development: expected true or nothing')
  if ((anchor.policyThreshold ?? 1) > (anchor.policyRoots?.length ?? 1))
    throw malformed('/policyThreshold: more than there are policy roots')
  keysOf(anchor)
  return anchor
}

export function formatAnchor(anchor: TrustAnchor): string {
  return `${JSON.stringify(anchor, null, 2)}\n`
}

function readJson(source: string | Uint8Array): Json {
  try {
    return parseJson(source, { maxDepth: 4 })
  } catch (cause) {
    throw new LogError('log/anchor', 'malformed', 'a trust anchor is strict JSON', { cause })
  }
}

function malformed(what: string): LogError {
  return new LogError('log/anchor', 'malformed', what)
}

interface RangedKey {
  readonly key: NoteKey
  readonly from: bigint
  readonly to: bigint | undefined
}
/** Importing a key costs a few milliseconds. */
const imported: WeakMap<TrustAnchor, readonly RangedKey[]> = new WeakMap()

function keysOf(anchor: TrustAnchor): readonly RangedKey[] {
  const known = imported.get(anchor)
  if (known !== undefined) return known
  const keys = anchor.keys.map(readKey)
  if (keys.length === 0) throw malformed('/keys: expected at least one key')
  if (new Set(anchor.keys.map(({ vkey }) => vkey)).size < keys.length)
    throw malformed('/keys: one key twice')
  imported.set(anchor, keys)
  return keys
}

function readKey({ vkey, from, to }: TrustedKey, i: number): RangedKey {
  const range = { from: parseDecimal(from), to: to === undefined ? undefined : parseDecimal(to) }
  const key = parseVkey(vkey)
  if (key.type !== 'log')
    throw malformed(`/keys/${i}/vkey: expected a log's key, of type 0x01 or 0x02`)
  if (range.from === undefined || (to !== undefined && (range.to ?? -1n) < range.from))
    throw malformed(`/keys/${i}: expected sizes, "to" not below "from"`)
  return { key, from: range.from, to: range.to }
}

/**
 * The head that a note tells of, once a key of the anchor signed it that counts at this size.
 *
 * @throws LogError `malformed`, `too_large`; `untrusted_key`: another log's, or no such key signed; `signature_invalid`
 */
export function verifyHead(note: Uint8Array, anchor: TrustAnchor): Checkpoint {
  const parsed = parseNote(note)
  const checkpoint = parseCheckpoint(parsed.text)
  if (checkpoint.origin !== anchor.origin)
    throw new LogError('log/anchor', 'untrusted_key', 'the checkpoint is of another log')
  const { size } = checkpoint
  const keys = keysOf(anchor).filter(
    ({ from, to }) => size >= from && (to === undefined || size <= to),
  )
  verifyNote(
    parsed,
    keys.map(({ key }) => key),
  )
  return checkpoint
}
