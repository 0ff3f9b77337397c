/** Of all rules that were asked those that refused, and what led to them. */
import { get, isArray, isObject, isSet } from '../../value/value.ts'
import type { Seen } from '../trace.ts'
import { type Frame, isSomething } from './frames.ts'

/**
 * The calls of rules that refused, with every call on the way to them. Where the answer has reasons, only those refused whose reasons it
 * gives: a policy may say what is missing although a denial was decided by something else.
 *
 * @param isRefusing by name
 */
export function refusals(
  roots: readonly Frame[],
  answer: Seen,
  isRefusing: (frame: Frame) => boolean,
): ReadonlySet<Frame> {
  const all = [...below(roots)].filter((one) => isRefusing(one) && isSomething(one.value))
  const said = all.filter(({ value }) => isSaid(value, answer))
  return leading(roots, new Set(said.length > 0 ? said : all))
}

/** All calls that an answer is made of. */
export function below(roots: readonly Frame[]): ReadonlySet<Frame> {
  const found = new Set(roots)
  for (const frame of found) for (const called of calls(frame)) found.add(called)
  return found
}

function calls({ attempts }: Frame): readonly Frame[] {
  return [...attempts.values()].flatMap(({ reached }) =>
    reached.flatMap(({ memory }) => [...memory.calls.values()]),
  )
}

function isSaid(members: Seen, answer: Seen): boolean {
  const given = isObject(answer) ? get(answer, 'reasons') : undefined
  const reasons = isSet(given) ? given.values() : isArray(given) ? given : []
  return isSet(members) && reasons.some((reason) => members.has(reason))
}

function leading(roots: readonly Frame[], to: ReadonlySet<Frame>): ReadonlySet<Frame> {
  const known = new Map<Frame, boolean>()
  const leads = (frame: Frame): boolean => {
    const before = known.get(frame)
    if (before !== undefined) return before
    known.set(frame, to.has(frame))
    const does = calls(frame).map(leads).includes(true) || to.has(frame)
    known.set(frame, does)
    return does
  }
  for (const root of roots) leads(root)
  return new Set([...known].filter(([, does]) => does).map(([frame]) => frame))
}
