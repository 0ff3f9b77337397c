/** What a policy answers, checked member by member: anything unexpected is not a verdict, and what is not a verdict is a denial. */
import type { Json } from './json.ts'
import type { Effect } from './plugin.ts'
import { schema } from './schema.ts'

/** Why, in a stable code (lower snake case, `kernel/...` for the kernel's own) and in words; `rule` names the Rego rule. */
export interface Reason {
  readonly code: string
  readonly message: string
  readonly rule: string
}

/** For the caller to carry out (AuthZEN obligations profile). */
export interface Obligation {
  readonly id: string
  readonly type: string
  readonly properties?: { readonly [name: string]: Json }
}

export interface Verdict {
  readonly allow: boolean
  /** At least one on a deny. */
  readonly reasons: readonly Reason[]
  readonly effects: readonly Effect[]
  readonly obligations: readonly Obligation[]
  readonly output?: Json
}

const verdictSchema = schema.object(
  {
    allow: schema.boolean(),
    reasons: schema.array(
      schema.object({
        code: schema.string({ maxLength: 64, pattern: /^[a-z][a-z0-9_]*$/ }),
        message: schema.string(),
        rule: schema.string({ maxLength: 128 }),
      }),
      { maxItems: 64 },
    ),
    effects: schema.array(schema.record(schema.json()), { maxItems: 256 }),
    obligations: schema.array(
      schema.object(
        { id: schema.string(), type: schema.string() },
        { properties: schema.record(schema.json()) },
      ),
      { maxItems: 64 },
    ),
  },
  { output: schema.json() },
)

/** The verdict, or what keeps `value` from being one. */
export function readVerdict(value: Json | undefined): Verdict | { readonly problem: string } {
  if (value === undefined) return { problem: 'the policy has no decision for this input' }
  const problem = verdictSchema.problem(value, '')
  if (problem !== undefined) return { problem }
  const verdict = value as unknown as Verdict
  if (!verdict.allow && verdict.reasons.length === 0)
    return { problem: '/reasons: expected a reason for a denial' }
  for (const [i, effect] of verdict.effects.entries()) {
    if (typeof effect.kind !== 'string') return { problem: `/effects/${i}/kind: expected a string` }
  }
  return verdict
}
