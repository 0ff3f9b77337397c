/**
 * What two policies make of one question, side by side. Each is taken as far as the kernel's own rules go that need nothing but the answer:
 * form and floor. Effects are compared as they were asked for; planning them would read, sign and write.
 */
import { canonicalJson } from '../canonical.ts'
import { Denial, type KernelReason, kernelReason } from '../denial.ts'
import { checkFloor } from '../floor.ts'
import type { Json } from '../json.ts'
import type { Change, LeafReason } from '../log/leaves.ts'
import type { Registered } from '../registry.ts'
import type { Request } from '../request.ts'
import { readVerdict, type Verdict } from '../verdict.ts'

/** The question: what both were asked. */
export interface Question {
  readonly registered: Registered
  readonly request: Pick<Request, 'action' | 'obligations'>
  readonly facts: object
}

export interface Outcome {
  readonly allow: boolean
  readonly reasons: readonly LeafReason[]
  /** Canonical JSON of what else there is to compare. */
  readonly effects: string
  readonly obligations: string
  readonly output: string
}

/** What the kernel makes of a policy's answer. Never throws: what is no verdict is a denial, with the kernel's own reason. */
export function outcomeOf(question: Question, answer: Json | undefined): Outcome {
  const verdict = readVerdict(answer)
  if ('problem' in verdict) return denialOf('invalid_verdict')
  try {
    checkFloor(question.registered, question.facts, verdict, question.request)
    return verdictOutcome(verdict)
  } catch (error) {
    return denialOf(error instanceof Denial ? error.code : 'policy_failed')
  }
}

/** A policy that gave no answer. */
export function denialOf(code: KernelReason): Outcome {
  const { code: name, rule } = kernelReason(code)
  return deniedFor([{ code: name, rule }])
}

export function deniedFor(reasons: readonly LeafReason[]): Outcome {
  return { allow: false, reasons, effects: '[]', obligations: '[]', output: '' }
}

/** @throws JsonError: something that no leaf holds, so that there would be no decision if it were live */
function verdictOutcome({ allow, effects, obligations, output, reasons }: Verdict): Outcome {
  const named = reasons.map(({ code, rule }) => ({ code, rule })).sort(byCode)
  canonicalJson(named)
  return {
    allow,
    reasons: named,
    effects: canonicalJson(effects as unknown as Json),
    obligations: canonicalJson(obligations as unknown as Json),
    output: output === undefined ? '' : canonicalJson(output),
  }
}

/** The first thing that differs, the gravest first; undefined when nothing does. Messages are not compared. */
export function changeBetween(live: Outcome, shadow: Outcome): Change | undefined {
  if (live.allow !== shadow.allow) return live.allow ? 'allow_to_deny' : 'deny_to_allow'
  if (JSON.stringify(live.reasons) !== JSON.stringify(shadow.reasons)) return 'reasons'
  return (['effects', 'obligations', 'output'] as const).find((part) => live[part] !== shadow[part])
}

function byCode(a: LeafReason, b: LeafReason): number {
  const left = `${a.code}\n${a.rule}`
  const right = `${b.code}\n${b.rule}`
  return left < right ? -1 : left > right ? 1 : 0
}
