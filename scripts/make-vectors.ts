/**
 * Writes the JSON Schemas of leaf, receipt and trust anchor, and the test vectors of leaf, receipt and token. Everything follows from fixed
 * keys and salts, so a second run changes nothing. Run it after a change of core/log or formats/cap1: `node scripts/make-vectors.ts`.
 */
import { writeFile } from 'node:fs/promises'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { sha256Hex, sha256Text, toHex } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import { anchorJsonSchema, type TrustAnchor } from '../core/log/anchor.ts'
import { formatCheckpoint } from '../core/log/checkpoint.ts'
import { commitment, encodeLeaf, leafHash } from '../core/log/leaf.ts'
import { type DecisionLeaf, leafSchemas } from '../core/log/leaves.ts'
import { formatVkey, signNote } from '../core/log/note.ts'
import { type Openings, type Receipt, receiptJsonSchema } from '../core/log/receipt.ts'
import { formatTlogProof } from '../core/log/tlogproof.ts'
import { Tree } from '../core/log/tree.ts'
import { cap1Vectors } from './cap1-vectors.ts'

/** What one leaf text must give. */
export interface LeafVector {
  readonly name: string
  readonly reason: string
  readonly text: string
  /** `ok`, or the code of the LogError. */
  readonly expect: string
  /** RFC 6962 leaf hash in hex, where it is a leaf. */
  readonly hash?: string
}

/** What verifying one receipt must give. */
export interface ReceiptVector {
  readonly name: string
  readonly reason: string
  readonly receipt: Receipt
  /** In place of the file's own anchor. */
  readonly trust?: TrustAnchor
  readonly expect: 'invalid' | 'valid'
  /** The names of the checks that fail. */
  readonly failed: readonly string[]
}

const ORIGIN = 'assay.example/vectors'

/** Files by path from the repository root, with their texts. */
export async function vectorFiles(): Promise<ReadonlyMap<string, string>> {
  const about = 'Made by scripts/make-vectors.ts; do not edit.'
  const anchor = trust()
  return new Map(
    Object.entries({
      'core/log/leaf.schema.json': jsonSchema('A leaf of the decision log', {
        oneOf: Object.values(leafSchemas),
      }),
      'core/log/receipt.schema.json': jsonSchema('A receipt of a decision', receiptJsonSchema),
      'core/log/trust.schema.json': jsonSchema('A trust anchor', anchorJsonSchema),
      'test/vectors/cap1.json': { about, ...cap1Vectors() },
      'test/vectors/leaf.json': { about, cases: leafVectors() },
      'test/vectors/receipt.json': { about, trust: anchor, cases: await receiptVectors() },
    }).map(([path, value]) => [path, pretty(value)]),
  )
}

/** As the formatter wants it: lists of plain values on one line where they fit. */
function pretty(value: unknown): string {
  const list = /^(.*)\[\n\s+([^[\]{}]+?)\n\s+\](,?)$/gm
  const text = JSON.stringify(value, null, 2).replace(list, (all, head, items, comma) => {
    const line = `${head}[${items.replaceAll(/,\n\s+/g, ', ')}]${comma}`
    return line.length <= 100 ? line : all
  })
  return `${text}\n`
}

function jsonSchema(title: string, schema: { readonly [key: string]: Json }): object {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema }
}

const request = '{"subject":{"id":"alice","type":"user"}}'
const texts: Readonly<Record<string, string>> = {
  request,
  'facts.claimed': '{"department":"research"}',
  'facts.subject': '{"found":true,"roles":["researcher"]}',
  verdict: '{"allow":true,"reasons":[]}',
}

/** A decision on `texts`, with its openings. */
function decide(n: number, fields = texts, changes: Partial<DecisionLeaf> = {}) {
  const openings: Record<string, { salt: string; json: string }> = {}
  const commitments: Record<string, string> = {}
  for (const [field, json] of Object.entries(fields)) {
    const salt = sha256Hex(`salt ${n} ${field}`).slice(0, 32)
    openings[field] = { salt, json }
    commitments[field] = commitment(field, salt, json)
  }
  const leaf: DecisionLeaf = {
    type: 'assay.decision/v1',
    id: sha256Hex(`id ${n}`).slice(0, 32),
    time: 1_700_000_000 + n,
    action: 'access.evaluate',
    allow: true,
    reasons: [],
    policy: `sha256:${sha256Hex('policy')}`,
    revision: `sha256:${sha256Hex('data')}`,
    commitments,
    ...changes,
  }
  return { leaf, openings: openings as Openings }
}

function leafVectors(): readonly LeafVector[] {
  const good = encodeLeaf(decide(0).leaf)
  const ok = (name: string, reason: string, text: string): LeafVector => {
    return { name, reason, text, expect: 'ok', hash: toHex(leafHash(text)) }
  }
  const bad = (name: string, reason: string, text: string): LeafVector => {
    return { name, reason, text, expect: 'malformed' }
  }
  const denied: Partial<DecisionLeaf> = {
    allow: false,
    reasons: [{ code: 'no_role', rule: 'assay.access.deny' }],
    mode: 'development',
  }
  const kernel: Partial<DecisionLeaf> = {
    allow: false,
    reasons: [{ code: 'kernel/no_plugin', rule: 'kernel/no_plugin' }],
    policy: 'none',
    revision: 'none',
    action: 'größe.😀',
  }
  const counts = { source: 'http', code: 'rate_limited', count: 17 }
  const window = { type: 'assay.counts/v1', kind: 'refused', from: 10, to: 70 } as const
  const refused = encodeLeaf({ ...window, counts: [counts] })
  const rotation = encodeLeaf({
    type: 'assay.key/v1',
    time: 1_700_000_000,
    retired: formatVkey(ORIGIN, ed25519.getPublicKey(new Uint8Array(32).fill(1))),
    next: formatVkey(ORIGIN, ed25519.getPublicKey(new Uint8Array(32).fill(2))),
    lastTrustedSize: '12',
  })
  return [
    ok('decision', 'an allow on a request and two facts', good),
    ok(
      'denial',
      'a denial with a reason, in development mode',
      encodeLeaf(decide(1, texts, denied).leaf),
    ),
    ok(
      'kernel',
      'the kernel denies by itself; text beyond ASCII',
      encodeLeaf(decide(2, {}, kernel).leaf),
    ),
    ok('counts', 'what was refused before it became a decision', refused),
    ok('key', "the log's key was replaced", rotation),
    ok(
      'no counts',
      'an empty window is a leaf too',
      encodeLeaf({ ...window, kind: 'checks', counts: [] }),
    ),
    bad('space', 'white space is not canonical', good.replace('":', '": ')),
    bad('line feed', 'a leaf ends with its brace', `${good}\n`),
    bad('byte order mark', 'it is not JSON', `\ufeff${good}`),
    bad(
      'order',
      'members stand in the order of their UTF-16 units',
      good.replace(/^\{("action":"[^"]*"),("allow":true),/, '{$2,$1,'),
    ),
    bad('escape', 'a character has one form', good.replace('access', '\\u0061ccess')),
    bad('number', 'a number has one form', good.replace('1700000000', '1.7e9')),
    bad('fraction', 'time is whole seconds', good.replace('1700000000', '1700000000.5')),
    bad('negative', 'time begins in 1970', good.replace('1700000000', '-1')),
    bad('text for time', 'time is a number', good.replace('1700000000', '"1700000000"')),
    bad('twice', 'a name stands once', good.replace('"allow":true,', '"allow":true,"allow":true,')),
    bad(
      'unknown member',
      'a reader must know all of a leaf',
      good.replace('"type"', '"tenant":"a","type"'),
    ),
    bad('missing member', 'a decision says whether it allows', good.replace('"allow":true,', '')),
    bad(
      'unknown type',
      'another version is another leaf',
      good.replace('decision/v1', 'decision/v2'),
    ),
    bad(
      'upper case',
      'hex digits are lower case',
      good.replace(/"id":"[^"]*"/, (id) => `"id":"${id.slice(6, -1).toUpperCase()}"`),
    ),
    bad('short id', 'ids have 128 bits', good.replace(/"id":"../, '"id":"')),
    bad(
      'unknown field',
      'commitments are to known fields',
      good.replace('"request"', '"response"'),
    ),
    bad('field name', 'a fact has a plain name', good.replace('facts.claimed', 'facts.a b')),
    bad(
      'short commitment',
      'a SHA-256 hash has 43 characters',
      good.replace(/"request":"./, '"request":"'),
    ),
    bad(
      'half a character',
      'half a surrogate pair has no UTF-8 form',
      good.replace('access', '\\ud800'),
    ),
    bad(
      'message',
      'message texts stay out of leaves',
      encodeLeaf(decide(1, texts, denied).leaf).replace('"rule"', '"message":"no","rule"'),
    ),
    bad('window', 'a window does not end before it begins', refused.replace('"to":70', '"to":9')),
    bad('zero', 'what did not happen is not counted', refused.replace('17', '0')),
    bad('array', 'a leaf is an object', '[]'),
    bad('empty', 'nothing is not JSON', ''),
  ]
}

const secret = (name: string): Uint8Array => sha256Text(`secret ${name}`)
const isP256 = (name: string): boolean => name.startsWith('p256')
const publicKey = (name: string): Uint8Array =>
  isP256(name) ? p256.getPublicKey(secret(name), false) : ed25519.getPublicKey(secret(name))
/** 64 bytes; of P-256 as RFC 6979 has it, so that they are the same in every run. */
const sign = (name: string, message: Uint8Array): Uint8Array =>
  isP256(name)
    ? p256.sign(message, secret(name), { lowS: false })
    : ed25519.sign(message, secret(name))

function trust(changes: Partial<TrustAnchor> = {}): TrustAnchor {
  const vkey = formatVkey(ORIGIN, publicKey('log'))
  return { type: 'assay.trust/v1', origin: ORIGIN, keys: [{ vkey, from: '0' }], ...changes }
}

/** The receipt of the last decision in a log of `size`. */
async function seal(
  made: ReturnType<typeof decide>,
  size = 11,
  { origin = ORIGIN, signer = 'log', extraLines = '' } = {},
): Promise<Receipt> {
  const tree = new Tree()
  const leaf = encodeLeaf(made.leaf)
  for (let n = 1; n < size; n++) tree.append(leafHash(encodeLeaf(decide(n).leaf)))
  tree.append(leafHash(leaf))
  const text = formatCheckpoint({ origin, size: tree.size, root: tree.root() })
  const note = await signNote(text, origin, publicKey(signer), async (message) =>
    sign(signer, message),
  )
  const checkpoint = new TextEncoder().encode(new TextDecoder().decode(note) + extraLines)
  const index = BigInt(size - 1)
  const proof = formatTlogProof({ index, path: tree.inclusion(index)!, checkpoint })
  return { type: 'assay.receipt/v1', leaf, openings: made.openings, proof }
}

async function receiptVectors(): Promise<readonly ReceiptVector[]> {
  const good = await seal(decide(100))
  const valid = (
    name: string,
    reason: string,
    receipt: Receipt,
    anchor?: TrustAnchor,
  ): ReceiptVector => ({
    name,
    reason,
    receipt,
    ...(anchor && { trust: anchor }),
    expect: 'valid',
    failed: [],
  })
  const invalid = (
    name: string,
    reason: string,
    failed: string[],
    receipt: Receipt,
    anchor?: TrustAnchor,
  ): ReceiptVector => ({
    name,
    reason,
    receipt,
    ...(anchor && { trust: anchor }),
    expect: 'invalid',
    failed,
  })
  const opened = (field: string, change: object): Receipt => ({
    ...good,
    openings: { ...good.openings, [field]: { ...good.openings![field]!, ...change } },
  })
  const without = (field: string): Receipt => {
    const { [field]: _, ...rest } = good.openings!
    return { ...good, openings: rest }
  }
  const { openings: _, ...erased } = good
  const denied = { allow: false, reasons: [{ code: 'kernel/unverified_evidence', rule: 'kernel' }] }
  const lowered = await seal(decide(101, texts, denied))
  const contradicted = await seal(
    decide(102, texts, { allow: false, reasons: [{ code: 'no_role', rule: '' }] }),
  )
  const raised = await seal(
    decide(
      103,
      { ...texts, verdict: '{"allow":false}' },
      { reasons: [{ code: 'kernel/x', rule: '' }] },
    ),
  )
  const unknownLine = `— witness.example/w ${'A'.repeat(104)}\n`
  const badLine = `— ${ORIGIN} ${good.proof.trimEnd().split(' ').at(-1)!.replace(/.{4}$/, 'AA==')}\n`
  const range = (from: string, to?: string): TrustAnchor =>
    trust({ keys: [{ vkey: trust().keys[0]!.vkey, from, ...(to && { to }) }] })
  const rotated = trust({
    keys: [
      { vkey: formatVkey(ORIGIN, publicKey('old')), from: '0', to: '10' },
      { vkey: trust().keys[0]!.vkey, from: '11' },
    ],
  })
  const p256Log = trust({ keys: [{ vkey: formatVkey(ORIGIN, publicKey('p256')), from: '0' }] })
  const byP256 = await seal(decide(107), 11, { signer: 'p256' })
  const [signature = ''] = byP256.proof.trimEnd().split(' ').slice(-1)
  const negative = `${signature.slice(0, 8)}${signature.slice(8).replace(/./, 'B')}`
  return [
    valid('whole', 'every field is opened', good),
    valid('erased', 'openings may go, the leaf stays', erased),
    valid('partly erased', 'one opening is gone', without('facts.subject')),
    valid('first', 'in a log of one leaf the path is empty', await seal(decide(104), 1)),
    valid('large', 'a longer path', await seal(decide(105), 300)),
    valid('lowered', 'the kernel denies what the policy allowed, and says so', lowered),
    valid(
      'witnessed',
      'lines of unknown keys are ignored',
      await seal(decide(106), 11, { extraLines: unknownLine }),
    ),
    valid('rotated', 'the key that counts at this size', good, rotated),
    valid('p-256', 'an ECDSA key of type 0x02', byP256, p256Log),
    invalid(
      'p-256 not in DER',
      'r has another tag than INTEGER',
      ['signature'],
      {
        ...byP256,
        proof: byP256.proof.replace(signature, negative),
      },
      p256Log,
    ),
    valid('last trusted', 'ranges include their ends', good, range('11', '11')),
    invalid('changed leaf', 'one character of the leaf', ['inclusion'], {
      ...good,
      leaf: good.leaf.replace('"time":17', '"time":18'),
    }),
    invalid('not canonical', 'the same leaf, written otherwise', ['leaf', 'inclusion'], {
      ...good,
      leaf: good.leaf.replace(',', ', '),
    }),
    invalid(
      'changed value',
      'an opening says something else',
      ['opening/facts.subject'],
      opened('facts.subject', { json: '{"found":true,"roles":["admin"]}' }),
    ),
    invalid(
      'changed salt',
      'an opening has another salt',
      ['opening/request'],
      opened('request', { salt: '0'.repeat(32) }),
    ),
    invalid(
      'same value, other text',
      'commitments are to texts',
      ['opening/request'],
      opened('request', { json: `${request} ` }),
    ),
    invalid('uncommitted', 'an opening that the leaf knows nothing of', ['opening/facts.other'], {
      ...good,
      openings: { ...good.openings, 'facts.other': good.openings!.request! },
    }),
    invalid('swapped', 'an opening under the name of another', ['opening/facts.claimed'], {
      ...good,
      openings: { ...good.openings, 'facts.claimed': good.openings!['facts.subject']! },
    }),
    invalid(
      'contradicted',
      'the leaf denies what the policy allowed, without the kernel',
      ['verdict'],
      contradicted,
    ),
    invalid('raised', 'the kernel never allows what the policy denied', ['verdict'], raised),
    invalid('other place', 'the index of another leaf', ['inclusion'], {
      ...good,
      proof: good.proof.replace('index 10', 'index 9'),
    }),
    invalid('beyond', 'an index that the log does not have', ['inclusion'], {
      ...good,
      proof: good.proof.replace('index 10', 'index 11'),
    }),
    invalid('changed path', 'one hash of the path', ['inclusion'], {
      ...good,
      proof: good.proof.replace(
        /(index 10\n)./,
        (_all, index) => `${index}${good.proof.includes('index 10\nA') ? 'B' : 'A'}`,
      ),
    }),
    invalid('short path', 'one hash is missing', ['inclusion'], {
      ...good,
      proof: good.proof.replace(/(index 10\n).*\n/, '$1'),
    }),
    invalid('leading zero', 'a number has one form', ['proof'], {
      ...good,
      proof: good.proof.replace('index 10', 'index 010'),
    }),
    invalid('changed size', 'the signature is over size and root', ['signature'], {
      ...good,
      proof: good.proof.replace('\n11\n', '\n12\n'),
    }),
    invalid(
      'other log',
      'the anchor is of another log',
      ['origin', 'signature'],
      await seal(decide(100), 11, { origin: 'assay.example/other' }),
    ),
    invalid(
      'other key',
      'another key of the same name',
      ['signature'],
      await seal(decide(100), 11, { signer: 'thief' }),
    ),
    invalid('bad line', 'a bad signature of the key beside a good one', ['signature'], {
      ...good,
      proof: good.proof + badLine.replace('AA==\n', 'AA==\n'),
    }),
    invalid(
      'after its end',
      'the key is trusted for smaller heads only',
      ['signature'],
      good,
      range('0', '10'),
    ),
    invalid(
      'before its start',
      'the key is trusted for larger heads only',
      ['signature'],
      good,
      range('12'),
    ),
    invalid('counts', 'a leaf of counts is no decision', ['leaf', 'inclusion'], {
      ...erased,
      leaf: encodeLeaf({ type: 'assay.counts/v1', kind: 'checks', from: 0, to: 1, counts: [] }),
    }),
  ]
}

if (import.meta.main)
  for (const [path, text] of await vectorFiles())
    await writeFile(new URL(`../${path}`, import.meta.url), text)
