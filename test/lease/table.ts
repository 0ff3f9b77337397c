/** The table of docs/lease.md: what happens to a resource, by what is asked and by its situation. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const SITUATIONS = ['new', 'free', 'leased', 'overdue', 'tearing_down', 'fenced'] as const
export type Situation = (typeof SITUATIONS)[number]

export interface Cell {
  readonly allow: boolean
  readonly code: string
  /** Undefined: nothing changes. */
  readonly next?: string
}
export type Table = ReadonlyMap<string, ReadonlyMap<Situation, Cell>>

const CELL = /^(?:→ \*\*(?<next>\w+)\*\* |(?<stays>stays) |refused )`(?<code>\w+)`$/

export function readTable(): Table {
  const page = readFileSync(join(import.meta.dirname, '../../docs/lease.md'), 'utf8')
  const rows = page.split('\n').map(cellsOf)
  const head = rows.findIndex(([first]) => first === 'what is asked')
  const end = rows.findIndex((row, at) => at > head && row.length === 0)
  expectSituations(rows[head]?.slice(1) ?? [])
  return new Map(
    rows.slice(head + 2, end).map(([title = '', ...cells]) => [title, readRow(title, cells)]),
  )
}

const cellsOf = (line: string): readonly string[] =>
  line.startsWith('|')
    ? line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim())
    : []

function expectSituations(titles: readonly string[]): void {
  if (titles.join() !== SITUATIONS.join()) throw new Error(`the table has columns ${titles.join()}`)
}

function readRow(title: string, cells: readonly string[]): ReadonlyMap<Situation, Cell> {
  const row = new Map<Situation, Cell>()
  for (const [at, situation] of SITUATIONS.entries()) {
    const text = cells[at] ?? ''
    if (text === '') continue
    const { code = '', next, stays } = CELL.exec(text)?.groups ?? {}
    if (code === '') throw new Error(`${title}, ${situation}: cannot read ${text}`)
    const allow = next !== undefined || stays !== undefined
    row.set(situation, { allow, code, ...(next === undefined ? {} : { next }) })
  }
  return row
}
