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
import type { UnixSeconds } from '../ports/clock.ts'
import { type Schema, schema } from '../schema.ts'

/** UTF-8 bytes. */
export const MAX_LEAF_BYTES = 65_535

export interface DecisionLeaf {
  readonly type: 'assay.decision/v1'
  /** 32 lower-case hex digits: 48 bits of time, 80 random ones. */
  readonly id: string
  readonly time: UnixSeconds
  readonly action: string
  readonly allow: boolean
  readonly reasons: readonly LeafReason[]
  /** `sha256:<hex>`, or `none` where no policy was asked. */
  readonly policy: string
  /** Of the policy's data. */
  readonly revision: string
  /** Field to {@link commitment}. */
  readonly commitments: { readonly [field: string]: string }
  /** Decided with a key and a policy of nobody's trust. */
  readonly mode?: 'development'
}
/** The action of a search's leaf: nobody can ask for it, and no one verdict stands behind it. */
export function searchAction(plugin: string, kind: string): string {
  return `${plugin}.search-${kind}`
}
export function isSearchAction(action: string): boolean {
  return SEARCH.test(action)
}
const SEARCH = /\.search-(?:action|resource|subject)$/

/** Message texts stay out: they may quote what they are about. */
export interface LeafReason {
  readonly code: string
  readonly rule: string
}

/** How often something happened that has no leaf of its own: requests refused before dispatch, and dry runs. */
export interface CountsLeaf {
  readonly type: 'assay.counts/v1'
  readonly kind: 'checks' | 'refused'
  /** Start of the window. */
  readonly from: UnixSeconds
  readonly to: UnixSeconds
  readonly counts: readonly Count[]
}
export interface Count {
  readonly source: string
  readonly code: string
  readonly count: number
}

/** The log's key was replaced: heads of more leaves than up to this one are signed by the next. */
export interface KeyLeaf {
  readonly type: 'assay.key/v1'
  readonly time: UnixSeconds
  /** Vkeys, as a trust anchor has them. */
  readonly retired: string
  readonly next: string
  /** Leaves of the largest head of the retired key that counts, decimal: this one included, unless the key was compromised. */
  readonly lastTrustedSize: string
}

/** What a shadow policy would have decided otherwise, in one window, beside one live policy. */
export interface ShadowLeaf {
  readonly type: 'assay.shadow/v1'
  readonly from: UnixSeconds
  readonly to: UnixSeconds
  /** The live policy, as in its decisions' leaves. */
  readonly policy: string
  readonly revision: string
  readonly shadow: string
  readonly shadowRevision: string
  /** Decisions that both policies answered. */
  readonly compared: number
  /** Decisions that there was no time to compare. */
  readonly dropped: number
  readonly differences: readonly ShadowDifference[]
}
export interface ShadowDifference {
  /** `other`: more kinds of differences than a leaf holds. */
  readonly action: string
  readonly change: Change
  readonly live: readonly LeafReason[]
  readonly shadow: readonly LeafReason[]
  readonly count: number
  /** Ids of some of these decisions. */
  readonly examples: readonly string[]
}
/** The gravest difference first: where the answer flips, nothing else is looked at. */
export type Change =
  | 'allow_to_deny'
  | 'deny_to_allow'
  | 'effects'
  | 'obligations'
  | 'output'
  | 'reasons'

export type Leaf = CountsLeaf | DecisionLeaf | KeyLeaf | ShadowLeaf

const FIELD = /^(?:request|payload|verdict|output|facts\.[A-Za-z0-9_.-]{1,64})$/
const DIGEST = /^[A-Za-z0-9_-]{43}$/
const time = schema.integer({ min: 0 })
const id = schema.string({ maxLength: 32, pattern: /^[0-9a-f]{32}$/ })
const policy = schema.string({ maxLength: 71, pattern: /^(?:none|sha256:[0-9a-f]{64})$/ })
const revision = schema.string({ maxLength: 128 })
const reasons = schema.array(
  schema.object({
    code: schema.string({ maxLength: 80, pattern: /^(?:kernel\/)?[a-z][a-z0-9_]*$/ }),
    rule: schema.string({ maxLength: 128 }),
  }),
  { maxItems: 64 },
)
const commitments = schema.record(schema.string({ maxLength: 43, pattern: DIGEST }))
const decisionSchema = schema.object(
  {
    action: schema.string({ maxLength: 256 }),
    allow: schema.boolean(),
    commitments,
    id,
    policy,
    reasons,
    revision,
    time,
    type: schema.literal('assay.decision/v1'),
  },
  { mode: schema.literal('development') },
)
const countsSchema = schema.object({
  counts: schema.array(
    schema.object({
      code: schema.string({ maxLength: 80 }),
      count: schema.integer({ min: 1 }),
      source: schema.string({ maxLength: 128 }),
    }),
    { maxItems: 256 },
  ),
  from: time,
  kind: schema.literal('checks', 'refused'),
  to: time,
  type: schema.literal('assay.counts/v1'),
})

const vkey = schema.string({ maxLength: 512, pattern: /^[^\n]+$/ })
const keySchema = schema.object({
  lastTrustedSize: schema.string({ maxLength: 19, pattern: /^(?:0|[1-9][0-9]{0,18})$/ }),
  next: vkey,
  retired: vkey,
  time,
  type: schema.literal('assay.key/v1'),
})

const shadowSchema = schema.object({
  compared: schema.integer({ min: 0 }),
  differences: schema.array(
    schema.object({
      action: schema.string({ maxLength: 256 }),
      change: schema.literal(
        'allow_to_deny',
        'deny_to_allow',
        'effects',
        'obligations',
        'output',
        'reasons',
      ),
      count: schema.integer({ min: 1 }),
      examples: schema.array(id, { maxItems: 8 }),
      live: reasons,
      shadow: reasons,
    }),
    { maxItems: 64 },
  ),
  dropped: schema.integer({ min: 0 }),
  from: time,
  policy,
  revision,
  shadow: policy,
  shadowRevision: revision,
  to: time,
  type: schema.literal('assay.shadow/v1'),
})

/** JSON Schemas of all leaf types, 2020-12. The byte limit and the canonical form are beyond them. */
export const leafSchemas: Readonly<Record<Leaf['type'], Schema<Leaf>['json']>> = {
  'assay.counts/v1': countsSchema.json,
  'assay.decision/v1': {
    ...decisionSchema.json,
    properties: {
      ...(decisionSchema.json.properties as object),
      commitments: { ...commitments.json, propertyNames: { pattern: FIELD.source } },
    },
  },
  'assay.key/v1': keySchema.json,
  'assay.shadow/v1': shadowSchema.json,
}

/** What a commitment can be for: `request`, `payload`, `verdict` or `facts.<name>`. */
export function isCommitmentField(field: string): boolean {
  return FIELD.test(field)
}

/**
 * The leaf's canonical JSON. What cannot be decoded again is never encoded.
 *
 * @throws LogError `malformed`, `too_large`
 */
export function encodeLeaf(leaf: Leaf): string {
  const problem = problemOf(leaf)
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

function problemOf(leaf: Leaf): string | undefined {
  if (leaf.type === 'assay.key/v1') return keySchema.problem(leaf, '')
  if (leaf.type !== 'assay.decision/v1') {
    const window = leaf.type === 'assay.shadow/v1' ? shadowSchema : countsSchema
    return window.problem(leaf, '') ?? (leaf.to < leaf.from ? '/to: before /from' : undefined)
  }
  const problem = decisionSchema.problem(leaf, '')
  if (problem !== undefined) return problem
  const field = Object.keys(leaf.commitments).find((name) => !FIELD.test(name))
  return field === undefined ? undefined : '/commitments: a name that is no field'
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
