/** Two texts line by line, as `diff -u` shows them. */
import { printable } from '../out.ts'

const AROUND = 3

interface Line {
  readonly sign: ' ' | '+' | '-'
  readonly text: string
  /** Row in the old text, or where it would stand. */
  readonly row: number
}

/** Only what changed, with three lines around it; empty when nothing did. */
export function lineDiff(before: string, after: string): string[] {
  const lines = compared(before.split('\n'), after.split('\n'))
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ sign }) => sign !== ' '),
  )
  return lines.flatMap(({ row, sign, text }, at) => {
    if (near[at] !== true) return []
    const gap = at === 0 || near[at - 1] !== true ? [`@@ ${row} @@`] : []
    return [...gap, sign + text.split('\t').map(printable).join('\t')]
  })
}

/** The longest common lines, by the table of lengths; rows that begin or end alike are not in it. */
function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  const same = (from: number, to: number): readonly Line[] =>
    before.slice(from, to).map((text, at) => ({ sign: ' ', text, row: from + at + 1 }))
  const old = before.slice(head, before.length - tail)
  const changed = middle(old, after.slice(head, after.length - tail), head)
  return [...same(0, head), ...changed, ...same(before.length - tail, before.length)]
}

function middle(old: readonly string[], next: readonly string[], offset: number): Line[] {
  const lengths = commonLengths(old, next)
  const lines: Line[] = []
  let i = 0
  let j = 0
  while (i < old.length || j < next.length) {
    const row = offset + i + 1
    const down = lengths[i + 1]?.[j] ?? -1
    const right = j < next.length ? (lengths[i]?.[j + 1] ?? -1) : -1
    if (i < old.length && old[i] === next[j]) {
      lines.push({ sign: ' ', text: old[i]!, row })
      i++
      j++
    } else if (i < old.length && down >= right) lines.push({ sign: '-', text: old[i++]!, row })
    else lines.push({ sign: '+', text: next[j++]!, row })
  }
  return lines
}

function commonLengths(old: readonly string[], next: readonly string[]): readonly Uint32Array[] {
  const rows = Array.from({ length: old.length + 1 }, () => new Uint32Array(next.length + 1))
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = next.length - 1; j >= 0; j--)
      rows[i]![j] =
        old[i] === next[j] ? rows[i + 1]![j + 1]! + 1 : Math.max(rows[i + 1]![j]!, rows[i]![j + 1]!)
  return rows
}
