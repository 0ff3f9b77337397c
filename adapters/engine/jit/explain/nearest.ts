/** Of a whole explanation the one condition to look at first: from the nearest rule down to what it was about. */
import type { Failing, Fired, Met, Missed, Nearest } from './explanation.ts'

/**
 * Of what refused, where a rule did; else of what was missing.
 *
 * @param refusing names of rules that refuse: where one held, nothing that is missing matters before it
 */
export function nearestOf(
  missed: readonly Missed[],
  fired: readonly Fired[],
  refusing: ReadonlySet<string>,
): Nearest | undefined {
  const lacking = (): Nearest | undefined => first(missed, (one) => inMissed(one, fired))
  const refused = (): Nearest | undefined => first(fired, (one) => inFired(one, fired))
  return fired.some((one) => refuses(one, refusing))
    ? (refused() ?? lacking())
    : (lacking() ?? refused())
}

function refuses({ because, conditions, rule }: Fired, names: ReadonlySet<string>): boolean {
  if (names.has(rule.slice(rule.lastIndexOf('.') + 1))) return true
  const asked = [...because, ...conditions.flatMap((condition) => condition.because)]
  return asked.some((one) => refuses(one, names))
}

function inMissed({ condition, rule }: Missed, all: readonly Fired[]): Nearest | undefined {
  return condition && inFailing(condition, rule, all)
}

function inFailing(failing: Failing, rule: string, all: readonly Fired[]): Nearest {
  const { col, file, fired, inner, missed, row, saw, text, why } = failing
  const here: Nearest = { rule, file, row, col, text, saw, why }
  if (inner !== undefined) return inFailing(inner, rule, all)
  // A comparison with something that was asked: what it is compared with is no mistake.
  if (why === 'false' && saw.some(({ ref }) => /^input\b/.test(ref))) return here
  const missing = first(missed, (one) => inMissed(one, all))
  if (missing !== undefined || why === 'undefined' || why === 'empty') return missing ?? here
  return first(fired, (one) => inFired(one, all)) ?? here
}

/** Why a rule held that should not have: the innermost condition that it stands on. */
function inFired(one: Fired, all: readonly Fired[]): Nearest | undefined {
  const told = one.again ? original(one, all) : one
  if (told === undefined) return undefined
  const { because, conditions, rule } = told
  const inHead = first(because, (each) => inFired(each, all))
  // What comes first is when a rule applies; what comes last is what it is about.
  return inHead ?? first(conditions.toReversed(), (each) => inMet(each, rule, all))
}

function inMet(met: Met, rule: string, all: readonly Fired[]): Nearest | undefined {
  const { because, missed, saw } = met
  return (
    first(missed, (one) => inMissed(one, all)) ??
    first(because, (one) => inFired(one, all)) ??
    (saw.length > 0 ? held(met, rule) : undefined)
  )
}

function held({ col, file, row, saw, text }: Met, rule: string): Nearest {
  return { rule, file, row, col, text, saw, why: 'held' }
}

/** Where a rule was told in full. */
function original(one: Fired, all: readonly Fired[]): Fired | undefined {
  return first(all, (each) => {
    if (each.again !== true && isSame(each, one)) return each
    return original(one, [...each.because, ...each.conditions.flatMap(({ because }) => because)])
  })
}

function isSame(a: Fired, b: Fired): boolean {
  return (
    a.file === b.file &&
    a.row === b.row &&
    a.col === b.col &&
    JSON.stringify(a.value) === JSON.stringify(b.value)
  )
}

function first<T, R>(all: readonly T[], find: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = find(one)
    if (found !== undefined) return found
  }
  return undefined
}
