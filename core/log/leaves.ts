/**
 * What the log's leaves say: the members of each type and their schemas. How a leaf is written, read and hashed stands in `leaf.ts`.
 *
 * @see `core/log/leaf.schema.json`
 */
import type { UnixSeconds } from '../ports/clock.ts'
import { type Schema, schema } from '../schema.ts'

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
/** A reason that no policy gave: the kernel's own, or `internal/` where the machinery contradicts itself. */
export function isKernelReason(code: string): boolean {
  return KERNEL_REASON.test(code)
}
const KERNEL_REASON = /^(?:internal|kernel)\//
/** Whether the same policy, data and input give the decision again: a budget and a disagreement are of the engines that decided. */
export function isReplayable({ reasons }: Pick<DecisionLeaf, 'reasons'>): boolean {
  return !reasons.some(({ code }) => NOT_REPLAYABLE.has(code))
}
const NOT_REPLAYABLE: ReadonlySet<string> = new Set([
  'internal/engine_mismatch',
  'kernel/budget_exhausted',
])

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
    code: schema.string({ maxLength: 80, pattern: /^(?:(?:internal|kernel)\/)?[a-z][a-z0-9_]*$/ }),
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

/** Where the leaf does not conform; undefined when it does. */
export function leafProblem(leaf: Leaf): string | undefined {
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
