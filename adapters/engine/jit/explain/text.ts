/** An explanation as lines for people. */
import type { Explanation, Failing, Fired, Missed, Nearest, RuleText, Saw } from './explanation.ts'

const OUTCOMES: Readonly<Record<Explanation['outcome'], string>> = {
  allowed: 'allowed',
  denied: 'denied',
  undefined: 'denied: the entry point has no value',
  value: 'answered',
}

export function explanationText(explanation: Explanation): string {
  const { entrypoint, fired, hidden, missed, nearest, outcome, truncated } = explanation
  return [
    `${OUTCOMES[outcome]} by ${entrypoint}`,
    ...(nearest === undefined ? [] : ['', 'Look here first:', ...nearestLines(nearest)]),
    ...(fired.length === 0 ? [] : ['', 'Rules that made the answer:']),
    ...fired.flatMap((rule) => firedLines(rule, 1)),
    ...(missed.length === 0 ? [] : ['', 'What could have allowed it, nearest first:']),
    ...missed.flatMap((rule) => missedLines(rule, 1)),
    ...(hidden === 0 ? [] : ['', `${hidden} values are hidden by a mask`]),
    ...(truncated ? ['', 'There is more: the explanation was cut'] : []),
  ].join('\n')
}

function indented(depth: number, text: string): string {
  return `${'  '.repeat(depth)}${text}`
}

function ruleLine({ col, file, head, row, rule }: RuleText): string {
  return `${rule}  ${file}:${row}:${col}  ${oneLine(head)}`
}

function noteLines(
  { custom, description, labels, title }: RuleText,
  depth: number,
): readonly string[] {
  const members = { ...(custom && { custom }), ...(labels && { labels }) }
  return [
    ...(title === undefined ? [] : [title]),
    ...(description === undefined || title !== undefined ? [] : [oneLine(description)]),
    ...Object.entries(members).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  ].map((text) => indented(depth, `# ${text}`))
}

function firedLines(rule: Fired, depth: number): readonly string[] {
  const value = rule.value.hidden ? '(hidden)' : short(rule.value.value)
  return [
    indented(depth, `+ ${ruleLine(rule)}`),
    ...noteLines(rule, depth + 2),
    indented(depth + 2, `= ${value}${rule.again ? ', as above' : ''}`),
    ...rule.conditions.flatMap(({ because, col, file, missed, row, saw, text }) => [
      indented(depth + 2, `${file}:${row}:${col}  ${oneLine(text)}`),
      ...sawLines(saw, depth + 4),
      ...missed.flatMap((one) => missedLines(one, depth + 3)),
      ...because.flatMap((one) => firedLines(one, depth + 3)),
    ]),
    ...rule.because.flatMap((one) => firedLines(one, depth + 1)),
  ]
}

function missedLines(rule: Missed, depth: number): readonly string[] {
  const { attempts, condition, held } = rule
  const tried = attempts > 1 ? `; ${attempts} bindings were tried` : ''
  return [
    indented(depth, `- ${ruleLine(rule)}`),
    ...noteLines(rule, depth + 2),
    ...(held > 0 || tried ? [indented(depth + 2, `${held} of its conditions held${tried}`)] : []),
    ...(condition === undefined ? [] : failingLines(condition, depth + 2)),
  ]
}

function nearestLines({ col, file, row, rule, saw, text, why }: Nearest): readonly string[] {
  return [
    indented(1, `${file}:${row}:${col}  ${oneLine(text)}  <- ${WHY[why]}`),
    ...sawLines(saw, 3),
    indented(1, `in ${rule}`),
  ]
}

const WHY: Readonly<Record<Nearest['why'], string>> = {
  empty: 'has nothing to go through',
  false: 'did not hold',
  held: 'held, and so the rule refuses',
  holds: 'is not so: what it negates holds',
  undefined: 'has no value',
}

function failingLines(failing: Failing, depth: number): readonly string[] {
  const { col, file, fired, inner, missed, row, saw, text, why } = failing
  return [
    indented(depth, `${file}:${row}:${col}  ${oneLine(text)}  <- ${WHY[why]}`),
    ...sawLines(saw, depth + 2),
    ...(inner === undefined ? [] : failingLines(inner, depth + 1)),
    ...missed.flatMap((one) => missedLines(one, depth + 1)),
    ...fired.flatMap((one) => firedLines(one, depth + 1)),
  ]
}

function sawLines(saw: readonly Saw[], depth: number): readonly string[] {
  return saw.map(({ hidden, missing, ref, value }) => {
    if (missing) return indented(depth, `${ref} is not there`)
    return indented(depth, `${oneLine(ref)} = ${hidden ? '(hidden)' : short(value)}`)
  })
}

const MAX_LINE = 160

function short(value: unknown): string {
  return cut(JSON.stringify(value) ?? 'undefined')
}

function oneLine(text: string): string {
  return cut(text.replaceAll(/\s+/g, ' ').trim())
}

function cut(text: string): string {
  return text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text
}
