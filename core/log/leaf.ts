/**
 * The leaves of the decision log. A leaf is canonical JSON (RFC 8785) in UTF-8, at most 65,535 bytes so that it fits a C2SP entry bundle,
 * and holds no personal and no low-entropy clear text: values stand behind salted commitments. Its hash is RFC 6962's.
 *
 * @see RFC 6962 section 2.1; https://c2sp.org/tlog-tiles; `core/log/leaf.schema.json`
 */
import { canonicalJson } from '../canonical.ts'
import { sha256, sha256Text, sha256TextBase64url } from '../crypto.ts'
import { JsonError, LogError } from '../error.ts'
import { type Json, parseJson } from '../json.ts'
import {
  type CountsLeaf,
  type DecisionLeaf,
  type KeyLeaf,
  type Leaf,
  type LeafReason,
  leafProblem,
  type ShadowLeaf,
} from './leaves.ts'

/** UTF-8 bytes. */
export const MAX_LEAF_BYTES = 65_535

/**
 * The leaf's canonical JSON. What cannot be decoded again is never encoded.
 *
 * @throws LogError `malformed`, `too_large`
 */
export function encodeLeaf(leaf: Leaf): string {
  const problem = leafProblem(leaf)
  if (problem !== undefined) throw new LogError('log/leaf', 'malformed', problem)
  // Members in canonical order: cheaper than sorting at each decision.
  const text = JSON.stringify(order(leaf))
  return checkText(text, leaf)
}

/**
 * {@link encodeLeaf} for the kernel's own decisions, whose parts were checked where they came from: `leaf` has its members, and those of its
 * commitments and reasons, in canonical order, and nothing but the text's size is looked at.
 *
 * @throws LogError `malformed`: half a surrogate pair; `too_large`
 */
export function encodeOwnLeaf(leaf: DecisionLeaf): string {
  return checkText(JSON.stringify(leaf), leaf)
}

function checkText(text: string, leaf: Leaf): string {
  if (text.includes('\\ud')) refuseLoneSurrogate(leaf)
  if (utf8Length(text) > MAX_LEAF_BYTES) throw tooLarge()
  return text
}

function order(leaf: Leaf): object {
  if (leaf.type === 'assay.decision/v1') return orderDecision(leaf)
  if (leaf.type === 'assay.shadow/v1') return orderShadow(leaf)
  return leaf.type === 'assay.key/v1' ? orderKey(leaf) : orderCounts(leaf)
}

function orderDecision(leaf: DecisionLeaf): object {
  const { action, allow, commitments, id, mode, policy, reasons, revision, time, type } = leaf
  return {
    action,
    allow,
    commitments: sortMembers(commitments),
    id,
    mode,
    policy,
    reasons: orderReasons(reasons),
    revision,
    time,
    type,
  }
}

function orderCounts({ counts, from, kind, to, type }: CountsLeaf): object {
  const ordered = counts.map(({ code, count, source }) => ({ code, count, source }))
  return { counts: ordered, from, kind, to, type }
}

function orderShadow(leaf: ShadowLeaf): object {
  const { compared, dropped, from, policy, revision, shadow, shadowRevision, to, type } = leaf
  const differences = leaf.differences.map(({ action, change, count, examples, live, shadow }) => ({
    action,
    change,
    count,
    examples,
    live: orderReasons(live),
    shadow: orderReasons(shadow),
  }))
  return {
    compared,
    differences,
    dropped,
    from,
    policy,
    revision,
    shadow,
    shadowRevision,
    to,
    type,
  }
}

function orderReasons(reasons: readonly LeafReason[]): LeafReason[] {
  return reasons.map(({ code, rule }) => ({ code, rule }))
}

function orderKey({ lastTrustedSize, next, retired, time, type }: KeyLeaf): object {
  return { lastTrustedSize, next, retired, time, type }
}

function sortMembers(members: { readonly [name: string]: string }): object {
  const names = Object.keys(members)
  if (names.every((name, i) => i === 0 || names[i - 1]! < name)) return members
  return Object.fromEntries(names.sort().map((name) => [name, members[name]]))
}

/** JSON.stringify escapes half a surrogate pair; canonical JSON has no form for one. */
function refuseLoneSurrogate(leaf: Leaf): void {
  try {
    canonicalJson(leaf as unknown as Json)
  } catch (cause) {
    throw new LogError('log/leaf', 'malformed', 'half a surrogate pair in a text', { cause })
  }
}

function utf8Length(text: string): number {
  // A UTF-16 unit has at most three UTF-8 bytes.
  return text.length * 3 <= MAX_LEAF_BYTES ? text.length : encoder.encode(text).length
}
const encoder = new TextEncoder()

/**
 * Reads a leaf; the text of a leaf is unique, so anything but what {@link encodeLeaf} gives is refused.
 *
 * @throws LogError `malformed`, `too_large`
 */
export function decodeLeaf(source: string | Uint8Array): Leaf {
  const { text, value } = parseLeaf(source)
  if (typeof value !== 'object' || value === null || encodeLeaf(value as unknown as Leaf) !== text)
    throw new LogError('log/leaf', 'malformed', 'the leaf is not the canonical JSON of one')
  return value as unknown as Leaf
}

function parseLeaf(source: string | Uint8Array): { text: string; value: Json } {
  try {
    const value = parseJson(source, { maxBytes: MAX_LEAF_BYTES, maxDepth: 5 })
    return { text: typeof source === 'string' ? source : new TextDecoder().decode(source), value }
  } catch (cause) {
    if (cause instanceof JsonError && cause.code === 'too_large') throw tooLarge()
    throw new LogError('log/leaf', 'malformed', 'the leaf is not strict JSON', { cause })
  }
}

function tooLarge(): LogError {
  return new LogError('log/leaf', 'too_large', `a leaf has at most ${MAX_LEAF_BYTES} bytes`)
}

/** RFC 6962's leaf hash; a text counts as its UTF-8 bytes. */
export function leafHash(leaf: string | Uint8Array): Uint8Array {
  if (typeof leaf === 'string') return sha256Text(`\0${leaf}`)
  const prefixed = new Uint8Array(leaf.length + 1)
  prefixed.set(leaf, 1)
  return sha256(prefixed)
}

/**
 * Commits to the exact text of one field: base64url SHA-256. Hides the text behind `saltHex`, 32 lower-case hex digits of 128 random
 * bits that no other field shares. In a leaf, `field` has to be one that {@link isCommitmentField} knows.
 *
 * @throws LogError `malformed`: a line break in the field, or not a salt
 */
export function commitment(field: string, saltHex: string, json: string): string {
  if (field.includes('\n') || !SALT.test(saltHex))
    throw new LogError('log/leaf', 'malformed', 'a commitment needs a one-line field and a salt')
  return ownCommitment(field, saltHex, json)
}

/** {@link commitment} for whoever made field and salt itself: neither is looked at. */
export function ownCommitment(field: string, saltHex: string, json: string): string {
  return sha256TextBase64url(`assay.commitment/v1\n${field}\n${saltHex}\n${json}`)
}
const SALT = /^[0-9a-f]{32}$/
