/** Parsers of what a log publishes and hands out: what anybody may have changed on its way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../../../core/canonical.ts'
import { decodeStored, encodeStored } from '../../../core/decision.ts'
import { JsonError, LogError } from '../../../core/error.ts'
import { parseJson } from '../../../core/json.ts'
import { formatAnchor, parseAnchor, verifyHead } from '../../../core/log/anchor.ts'
import { formatCheckpoint, parseCheckpoint } from '../../../core/log/checkpoint.ts'
import { decodeLeaf, encodeLeaf } from '../../../core/log/leaf.ts'
import { parseNote, parseVkey } from '../../../core/log/note.ts'
import { verifyConsistency, verifyInclusion } from '../../../core/log/proof.ts'
import { formatReceipt, parseReceipt, verifyReceipt } from '../../../core/log/receipt.ts'
import {
  decodeEntries,
  encodeEntries,
  formatTilePath,
  parseTilePath,
} from '../../../core/log/tiles.ts'
import { formatTlogProof, parseTlogProof } from '../../../core/log/tlogproof.ts'
import { root } from '../../source.ts'
import type { Target } from '../fuzz.ts'
import { looseText, parsed, same, textOf } from './kit.ts'

const vectors = (name: string) => JSON.parse(readFileSync(join(root, 'test/vectors', name), 'utf8'))
const { cases: leaves } = vectors('leaf.json') as { cases: { text: string; expect: string }[] }
const receipts = vectors('receipt.json') as {
  trust: ReturnType<typeof parseAnchor>
  cases: { receipt: Parameters<typeof formatReceipt>[0]; expect: string }[]
}
const { trust } = receipts
const valid = receipts.cases
  .filter(({ expect }) => expect === 'valid')
  .map(({ receipt }) => receipt)
const genuine = valid.map((receipt) => canonicalJson(JSON.parse(JSON.stringify(receipt))))
const proofs = valid.map(({ proof }) => proof)
const notes = proofs.map((proof) => proof.slice(proof.indexOf('\n\n') + 2))
const SHADOW =
  '{"compared":2,"differences":[{"action":"a.b","change":"reasons","count":1,"examples":[],"live":[{"code":"x","rule":"y"}],"shadow":[]}],"dropped":0,"from":1,"policy":"none","revision":"none","shadow":"none","shadowRevision":"none","to":2,"type":"assay.shadow/v1"}'

const leaf: Target = {
  name: 'leaf',
  property:
    'what is read is written again to the byte, and is canonical JSON; only LogError is thrown',
  files: /core\/log\/leaf\.ts$/,
  seeds: [...leaves.map(({ text }) => text), SHADOW],
  tokens: [
    'assay.decision/v1',
    'assay.counts/v1',
    'assay.key/v1',
    'assay.shadow/v1',
    '"reasons":[',
    'sha256:',
    '"none"',
  ],
  check(bytes) {
    const got = parsed(() => decodeLeaf(bytes), LogError)
    if (got === undefined) return false
    same(encodeLeaf(got.value), textOf(bytes))
    same(canonicalJson(parseJson(bytes)), textOf(bytes))
    return true
  },
}

const note: Target = {
  name: 'note',
  property: 'a note is its text and its lines, to the byte; a changed one is signed by nobody',
  files: /core\/log\/(?:note|anchor|checkpoint)\.ts$/,
  seeds: notes,
  tokens: ['\n\n', '\u2014 ', ' ', '+', '==\n'],
  check(bytes) {
    const got = parsed(() => parseNote(bytes), LogError)
    const head = parsed(() => verifyHead(bytes, trust), LogError)
    const text = looseText(bytes)
    if (head !== undefined) {
      const signed = notes.some((one) => one.startsWith(formatCheckpoint(head.value)))
      if (!signed) throw new Error('a head that nobody signed was accepted')
    }
    if (got === undefined) return false
    if (!text.startsWith(`${got.value.text}\n`))
      throw new Error('the text is not what stands there')
    return true
  },
}

const checkpoint: Target = {
  name: 'checkpoint',
  property: 'what is read is written again to the byte',
  files: /core\/log\/checkpoint\.ts$/,
  seeds: notes.map((one) => one.slice(0, one.indexOf('\n\n') + 1)),
  tokens: ['\n', '0', '9223372036854775807', '=', '\r'],
  check(bytes) {
    const text = looseText(bytes)
    const got = parsed(() => parseCheckpoint(text), LogError)
    if (got === undefined) return false
    same(formatCheckpoint(got.value), text)
    return true
  },
}

const tlogProof: Target = {
  name: 'tlog-proof',
  property: 'what is read is written again to the byte',
  files: /core\/log\/tlogproof\.ts$/,
  seeds: [...proofs, proofs[0]!.replace('\nindex', '\nextra aGk=\nindex')],
  tokens: ['c2sp.org/tlog-proof@v1\n', 'extra ', 'index ', '\n\n', '='],
  check(bytes) {
    const text = looseText(bytes)
    const got = parsed(() => parseTlogProof(text), LogError)
    if (got === undefined) return false
    same(formatTlogProof(got.value), text)
    return true
  },
}

const receipt: Target = {
  name: 'receipt',
  property: 'only what says the same as a genuine receipt verifies; verifying never throws',
  files: /core\/log\/(?:receipt|tlogproof|proof|anchor|note)\.ts$/,
  seeds: receipts.cases.map((one) => formatReceipt(one.receipt)),
  tokens: ['"openings":', '"salt":', '"json":', '"leaf":', '"proof":', '\\n', '\\"'],
  check(bytes) {
    const got = parsed(() => parseReceipt(bytes), LogError)
    if (got === undefined) return false
    if (verifyReceipt(got.value, trust).ok && !isGenuine(got.value))
      throw new Error('a forgery verifies')
    return true
  },
}

/** Of the leaf, the proof's path and signed head, and whatever is left of the openings. Other signature lines may come and go. */
function isGenuine(read: ReturnType<typeof parseReceipt>): boolean {
  return genuine.some((text) => {
    const whole = JSON.parse(text) as typeof read
    const openings = Object.entries(read.openings ?? {})
    return (
      whole.leaf === read.leaf &&
      openings.every(
        ([field, opening]) =>
          canonicalJson({ ...whole.openings?.[field] }) === canonicalJson({ ...opening }),
      )
    )
  })
}

const anchor: Target = {
  name: 'trust-anchor',
  property: 'what is read says the same after it was written',
  files: /core\/log\/(?:anchor|note)\.ts$/,
  seeds: [formatAnchor(trust)],
  tokens: ['"keys":', '"from":', '"to":', '"0"', '+', '"vkey":'],
  check(bytes) {
    const got = parsed(() => parseAnchor(bytes), LogError)
    if (got === undefined) return false
    same(parseAnchor(formatAnchor(got.value)), got.value)
    return true
  },
}

/** Rekor's. */
const P256_VKEY =
  'rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc='

const vkey: Target = {
  name: 'vkey',
  property: 'a key that is read says who it is, to the byte',
  files: /core\/log\/note\.ts$/,
  seeds: [...trust.keys.map((key) => key.vkey), P256_VKEY],
  tokens: ['+', '=', '/', 'AQ', 'AjBZ', 'BA'],
  check(bytes) {
    const text = looseText(bytes)
    const got = parsed(() => parseVkey(text), LogError)
    if (got === undefined) return false
    const { id, name, vkey: kept } = got.value
    same(kept, text)
    if (!text.startsWith(`${name}+${id}+`)) throw new Error('another name than it says')
    return true
  },
}

const tilePath: Target = {
  name: 'tile-path',
  property: 'what is read is written again to the byte; anything else is not found',
  files: /core\/log\/tiles\.ts$/,
  seeds: ['tile/0/000', 'tile/2/x001/234.p/17', 'tile/entries/x000/x000/067', 'tile/63/999'],
  tokens: ['tile/', 'entries/', 'x', '.p/', '256', '000/', '/'],
  check(bytes) {
    const text = looseText(bytes)
    const path = parseTilePath(text)
    if (path === undefined) return false
    same(formatTilePath(path), text)
    return true
  },
}

const entries: Target = {
  name: 'entry-bundle',
  property: 'what is read is written again to the byte',
  files: /core\/log\/tiles\.ts$/,
  seeds: [
    encodeEntries([Uint8Array.of(1, 2), new Uint8Array(), new Uint8Array(300)]),
    encodeEntries([]),
  ],
  check(bytes) {
    const width = bytes[bytes.length - 1] ?? 0
    const got = [3, width]
      .map((count) => parsed(() => decodeEntries(bytes, count), LogError))
      .find((one) => one)
    if (got === undefined) return false
    same(Buffer.from(encodeEntries(got.value)), Buffer.from(bytes))
    return true
  },
}

const proof: Target = {
  name: 'proofs',
  property: 'a path over arbitrary hashes proves nothing, at any index and size',
  files: /core\/log\/proof\.ts$/,
  seeds: [new Uint8Array(200), new Uint8Array(32), Uint8Array.from({ length: 330 }, (_, i) => i)],
  check(bytes) {
    const at = (i: number): bigint => BigInt((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8))
    const hashes = Array.from({ length: Math.floor(bytes.length / 32) }, (_, i) =>
      bytes.subarray(i * 32, i * 32 + 32),
    )
    const rootHash = new Uint8Array(32).fill(7)
    const leafHash = new Uint8Array(32).fill(9)
    const included = parsed(
      () => verifyInclusion(leafHash, at(0), at(2), hashes, rootHash),
      LogError,
    )
    if (included?.value) throw new Error('an inclusion that nobody proved')
    const grown = at(0) > 0n && at(0) < at(2)
    const consistent = parsed(
      () => verifyConsistency(at(0), leafHash, at(2), rootHash, hashes),
      LogError,
    )
    if (consistent?.value && grown) throw new Error('a consistency that nobody proved')
    return included !== undefined
  },
}

const stored: Target = {
  name: 'stored-decision',
  property: 'openings of any text come back from the row to the byte',
  files: /core\/decision\.ts$/,
  seeds: ['a\u0000"{}"\u0000b', '{"x":1}\u0000\n\n', '\ud83d\ude00\u0000\u20ac'],
  tokens: ['\u0000', '\n', '"', '\u2028'],
  check(bytes) {
    const text = textOf(bytes)
    if (text === undefined) return false
    const openings = Object.fromEntries(
      text.split('\u0000').map((json, i) => [`facts.f${i}`, { json, salt: '0'.repeat(32) }]),
    )
    const row = { hash: '0'.repeat(64), openings }
    same(decodeStored(encodeStored(row)), row)
    return true
  },
}

export const LOG: readonly Target[] = [
  leaf,
  note,
  checkpoint,
  tlogProof,
  receipt,
  anchor,
  vkey,
  tilePath,
  entries,
  proof,
  stored,
]
export { JsonError }
