/** A difference between policies as text for a terminal. */
import type { Changed } from '../../adapters/lint/index.ts'
import type { Flip, Flips } from '../../adapters/shadow/flips.ts'
import { isFlip } from '../../adapters/shadow/report.ts'
import type { LeafReason } from '../../core/log/leaves.ts'
import { type Out, printable } from '../out.ts'
import type { PolicyDiff } from './diff.ts'

export function diffLines({ after, before, changes, replay }: PolicyDiff, out: Out): string[] {
  const head = out.colour('bold', printable(`${before.name} -> ${after.name}`))
  const structure = Object.entries(changes).flatMap(([what, changed]) =>
    changedLines(what, changed, out),
  )
  const text = structure.length > 0 ? structure : ['  no rule, reason, entry point or data differs']
  if (replay === undefined) return [head, ...text]
  return [head, ...text, ...replayLines(replay, out)]
}

/** Of one kind, on a terminal. */
const MAX_LINES = 20

function changedLines(what: string, { added, changed, removed }: Changed, out: Out): string[] {
  const lines = [
    ...added.map((name) => out.colour('green', `  + ${printable(name)}`)),
    ...removed.map((name) => out.colour('red', `  - ${printable(name)}`)),
    ...changed.map((name) => out.colour('yellow', `  ~ ${printable(name)}`)),
  ]
  if (lines.length === 0) return []
  const more = lines.length - MAX_LINES
  const rest = more > 0 ? [`  and ${more} more: --json and --html list them all`] : []
  return [`${what}:`, ...lines.slice(0, MAX_LINES), ...rest]
}

function replayLines({ drifted, flips, notReplayed, replayed }: Flips, out: Out): string[] {
  const flipped = flips.filter(isFlip).reduce((sum, { count }) => sum + count, 0)
  const lost = notReplayed.map(
    ({ count, why }) => `${count} not decided again: ${NOT_REPLAYED[why]}`,
  )
  return [
    out.colour('bold', `${replayed} decisions decided again, ${flipped} flip`),
    ...flips.flatMap((flip) => flipLines(flip, out)),
    ...lost,
    ...(drifted > 0 ? [`${drifted} decided otherwise by the first policy than on record`] : []),
  ]
}

function flipLines(
  { action, after, before, change, count, examples, input, share }: Flip,
  out: Out,
): string[] {
  const percent = (share * 100).toFixed(1)
  const colour = change === 'allow_to_deny' ? 'red' : change === 'deny_to_allow' ? 'yellow' : 'dim'
  const head = `  ${CHANGES[change]}  ${count} (${percent}%) ${action}`
  const shown = input === undefined ? [] : [`    input of the first: ${input}`]
  return [
    out.colour(colour, printable(head)),
    ...[
      `    ${reasonNames(before)} -> ${reasonNames(after)}`,
      `    for example ${examples.slice(0, 3).join(', ')}`,
      ...shown,
    ].map(printable),
  ]
}

/** For people. */
export const CHANGES: Readonly<Record<Flip['change'], string>> = {
  allow_to_deny: 'allow -> DENY',
  deny_to_allow: 'deny -> ALLOW',
  reasons: 'other reasons',
  effects: 'other effects',
  obligations: 'other obligations',
  output: 'other output',
}
export const NOT_REPLAYED: Readonly<Record<Flips['notReplayed'][number]['why'], string>> = {
  engine_only: 'the engine of then gave up, or two engines disagreed',
  erased: 'what they were made of was erased',
  incomplete: 'what they were made of is no input any more',
  not_asked: 'no policy was asked then',
  unknown_action: 'no plugin of the configuration has the action',
}

export function reasonNames(reasons: readonly LeafReason[]): string {
  const names = reasons.map(({ code, rule }) => (code === rule ? code : `${code} (${rule})`))
  return names.length > 0 ? names.join(', ') : 'no reason'
}
