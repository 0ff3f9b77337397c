/** The offline proof that a log has an entry: index, inclusion proof and checkpoint in one text. @see https://c2sp.org/tlog-proof */
import { fromBase64, toBase64 } from '../crypto.ts'
import { LogError } from '../error.ts'
import { parseDecimal } from './checkpoint.ts'
import { HASH_BYTES } from './tiles.ts'

export interface TlogProof {
  readonly index: bigint
  /** From the leaf's sibling up. */
  readonly path: readonly Uint8Array[]
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array
  /** Opaque; nobody signed it. */
  readonly untrustedExtra?: Uint8Array
}

const HEADER = 'c2sp.org/tlog-proof@v1'
/** A tree of 2^63 leaves has no longer path. */
const MAX_PATH = 63
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function formatTlogProof(proof: TlogProof): string {
  const extra = proof.untrustedExtra ? [`extra ${toBase64(proof.untrustedExtra)}`] : []
  const lines = [HEADER, ...extra, `index ${proof.index}`, ...proof.path.map(toBase64)]
  return `${lines.join('\n')}\n\n${decoder.decode(proof.checkpoint)}`
}

/** Reads the form only: neither the checkpoint nor the proof is checked. @throws LogError `malformed` */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n')
  const lines = text.slice(0, Math.max(split, 0)).split('\n')
  if (split < 0 || lines.shift() !== HEADER || !text.isWellFormed())
    throw malformed(`a proof begins with ${HEADER} and has an empty line before its checkpoint`)
  const extra = lines[0]?.startsWith('extra ') ? fromBase64(lines.shift()!.slice(6)) : null
  if (extra === undefined) throw malformed('the extra data is base64')
  const decimal = lines.shift() ?? ''
  const index = decimal.startsWith('index ') ? parseDecimal(decimal.slice(6)) : undefined
  if (index === undefined) throw malformed('the index is a decimal after "index "')
  if (lines.length > MAX_PATH) throw malformed(`an inclusion proof has at most ${MAX_PATH} hashes`)
  return {
    index,
    path: lines.map(parseHash),
    checkpoint: encoder.encode(text.slice(split + 2)),
    ...(extra === null ? {} : { untrustedExtra: extra }),
  }
}

function parseHash(line: string): Uint8Array {
  const hash = fromBase64(line)
  if (hash?.length !== HASH_BYTES) throw malformed('a hash is base64 of 32 bytes')
  return hash
}

function malformed(what: string): LogError {
  return new LogError('log/proof', 'malformed', what)
}
