/**
 * From what a verdict asks for to what the commit writes. The table is closed: an effect that no plugin declares, that does not conform,
 * or that may not run on a deny, makes the decision a denial.
 */
import { toBase64url } from './crypto.ts'
import type { Json } from './json.ts'
import type { Effect, EffectPlan, Plugin } from './plugin.ts'
import type { UnixSeconds } from './ports/clock.ts'
import type { Custody } from './ports/custody.ts'
import type { Write } from './ports/store.ts'
import type { GuardedReads } from './reads.ts'
import type { Verdict } from './verdict.ts'

/** Why effects could not be planned: the kernel's own reason codes, without their `kernel/`. */
export type EffectFailure =
  | 'effect_failed'
  | 'effect_not_allowed_on_deny'
  | 'invalid_effect'
  | 'signing_failed'
  | 'unknown_effect'

export interface Planned {
  readonly writes: readonly Write[]
  readonly outbox: readonly { readonly kind: string; readonly body: Json }[]
  /** Released after the commit only. */
  readonly output: { readonly [name: string]: Json }
}

export interface Planning {
  readonly plugin: Plugin
  readonly reads: GuardedReads
  /** None in a dry run: nothing is signed. */
  readonly custody: Custody | undefined
  readonly outboundKinds: ReadonlySet<string>
  readonly decisionId: string
  readonly now: UnixSeconds
}

type Outcome = Planned | { readonly failure: EffectFailure }

/** Plans every effect of a verdict, signatures included. Never throws: what throws below is an `effect_failed`. */
export function planEffects(verdict: Verdict, planning: Planning): Outcome | Promise<Outcome> {
  return verdict.effects.length === 0 ? NOTHING : planAll(verdict, planning)
}

async function planAll(verdict: Verdict, planning: Planning): Promise<Outcome> {
  const plans: EffectPlan[] = []
  for (const effect of verdict.effects) {
    const plan = planOne(effect, verdict.allow, planning)
    if (typeof plan === 'string') return { failure: plan }
    plans.push(plan)
  }
  const entries = plans.flatMap((plan) => plan.outbox ?? [])
  if (entries.some((entry) => !planning.outboundKinds.has(entry.kind)))
    return { failure: 'unknown_effect' }
  let output: { readonly [name: string]: Json } = {}
  for (const plan of plans) output = { ...output, ...plan.output }
  try {
    const signatures = await sign(plans, planning.custody)
    const outbox = entries.map(({ body, kind, signatures: names }) => ({
      kind,
      body: carrying(body, names, signatures, planning),
    }))
    const writes = await conditional(plans, planning, signatures)
    return { writes, outbox, output: { ...output, ...signatures } }
  } catch (error) {
    return { failure: error instanceof SigningFailure ? 'signing_failed' : 'effect_failed' }
  }
}

const NOTHING: Planned = { writes: [], outbox: [], output: {} }

function planOne(effect: Effect, allow: boolean, planning: Planning): EffectPlan | EffectFailure {
  const table = planning.plugin.effects
  const kind = table && Object.hasOwn(table, effect.kind) ? table[effect.kind] : undefined
  if (!kind) return 'unknown_effect'
  if (!allow && !kind.onDeny) return 'effect_not_allowed_on_deny'
  if (kind.schema.problem(effect, '') !== undefined) return 'invalid_effect'
  try {
    return kind.plan(effect, {
      decisionId: planning.decisionId,
      now: planning.now,
      read: (sort) => planning.reads.recorded(sort).value,
    })
  } catch {
    return 'effect_failed'
  }
}

/** Every write carries the version that facts read, or is new; a key written twice is a plugin's mistake and fails. */
async function conditional(
  plans: readonly EffectPlan[],
  planning: Planning,
  signatures: Signatures,
): Promise<readonly Write[]> {
  const { plugin, reads, decisionId } = planning
  const writes = new Map<string, Write>()
  for (const planned of plans.flatMap((plan) => plan.writes ?? [])) {
    const sort = 'put' in planned ? planned.put : planned.remove
    const { version } = sort.endsWith(`/${decisionId}`) ? NEW : reads.recorded(sort)
    if (writes.has(sort)) throw new RangeError('one record is written twice')
    const key = { partition: plugin.name, sort }
    if ('put' in planned) {
      writes.set(sort, {
        put: key,
        value: encoder.encode(
          JSON.stringify(carrying(planned.value, planned.signatures, signatures, planning)),
        ),
        if: version,
      })
    } else if (version !== 'absent') {
      writes.set(sort, { remove: key, if: version })
    }
  }
  const erased = new Set(plans.flatMap((plan) => plan.erase ?? []))
  if (erased.size > 0 && !reads.audit) throw new RangeError('only an auditor erases')
  return [
    ...writes.values(),
    ...[...erased].flatMap((id) => reads.audit?.erasure(id) ?? []),
    ...(await reads.bumps(writes.keys(), decisionId)),
  ]
}
const encoder = new TextEncoder()
/** A record named after this decision: nobody can have read it, since nobody knew its name. */
const NEW = { version: 'absent' } as const

type Signatures = { readonly [name: string]: string }

/** What is delivered or kept carries its signatures, which leave with the commit like everything else. A dry run has none. */
function carrying(
  body: Json,
  names: readonly string[] | undefined,
  signatures: Signatures,
  { custody }: Pick<Planning, 'custody'>,
): Json {
  if (names === undefined) return body
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new TypeError('only an object carries signatures')
  if (custody && !names.every((name) => Object.hasOwn(signatures, name)))
    throw new RangeError('a signature that nobody asked for')
  const carried = names.map((name) => [name, signatures[name] ?? null])
  return { ...body, signatures: Object.fromEntries(carried) }
}

class SigningFailure extends Error {}

async function sign(
  plans: readonly EffectPlan[],
  custody: Custody | undefined,
): Promise<{ [name: string]: string }> {
  const signatures: { [name: string]: string } = {}
  if (!custody) return signatures
  for (const wanted of plans.flatMap((plan) => plan.signatures ?? [])) {
    try {
      const keys = await custody.list(wanted.scope)
      const active = keys.findLast(
        ({ name, state, version }) =>
          name === wanted.key &&
          state === 'active' &&
          (wanted.version === undefined || wanted.version === version),
      )
      if (!active) throw new SigningFailure('no active key')
      const { purpose, message } = wanted
      signatures[wanted.name] = toBase64url(await custody.sign({ key: active, purpose, message }))
    } catch (cause) {
      throw new SigningFailure('signing failed', { cause })
    }
  }
  return signatures
}
