/**
 * Where a rule stands in Rego sources. Reasons name their rule as `<package>.<rule>`; one rule may have several bodies and `else` branches,
 * and each is a place of its own.
 */
import type { FileCoverage, Sources } from '../../core/ports/compiler.ts'
import type { RulePlace } from './step.ts'

/** One body of a rule, from its head's row to its last one, 1-based. */
interface Branch {
  readonly file: string
  readonly from: number
  readonly lines: readonly string[]
}

/**
 * The lines that give the reason `code` by `rule`: of each body the one in which the code stands, else its head's. With `coverage` only of
 * bodies that held. Where bodies name the code, those that do not are left out. A name of a whole package stands at its first line.
 */
export function placesOf(
  sources: Sources,
  { code, rule }: { readonly code: string; readonly rule: string },
  coverage?: readonly FileCoverage[],
): readonly RulePlace[] {
  const branches = branchesOf(sources, rule).filter(
    ({ file, from }) => coverage === undefined || isCovered(coverage, file, from),
  )
  const named = branches.filter((branch) => rowOf(branch, code) !== undefined)
  const found = (named.length > 0 ? named : branches).map((branch) => ({
    file: branch.file,
    line: rowOf(branch, code) ?? branch.from,
  }))
  return found.length > 0 ? found : packagePlaces(sources, rule)
}

function rowOf({ from, lines }: Branch, code: string): number | undefined {
  const at = lines.findIndex((line) => line.includes(JSON.stringify(code)))
  return at < 0 ? undefined : from + at
}

function isCovered(coverage: readonly FileCoverage[], file: string, row: number): boolean {
  const found = coverage.find((one) => one.file === file)
  return found !== undefined && !found.notCovered.some(({ from, to }) => row >= from && row <= to)
}

const PACKAGE = /^package[ \t]+([\w.]+)/m

function branchesOf(sources: Sources, rule: string): readonly Branch[] {
  const [, inPackage, name] = /^(.+)\.(\w+)$/.exec(rule) ?? []
  if (inPackage === undefined || name === undefined) return []
  const head = new RegExp(`^(?:default[ \\t]+)?${name}(?![\\w-])`)
  return Object.entries(sources)
    .filter(([, text]) => PACKAGE.exec(text)?.[1] === inPackage)
    .flatMap(([file, text]) => branchesIn(file, text.split('\n'), head))
}

/** Formatted Rego begins each rule at the start of a line, and nothing else of a rule but closing brackets. */
const CONTINUES = /^(?:[\s})\]#]|$)/
const ELSE = /^\}?\s*else\b/

function branchesIn(file: string, lines: readonly string[], head: RegExp): readonly Branch[] {
  const found: Branch[] = []
  for (let at = 0; at < lines.length; at++) {
    if (!head.test(lines[at] as string)) continue
    let from = at
    let end = at + 1
    for (; end < lines.length && CONTINUES.test(lines[end] as string); end++) {
      if (!ELSE.test(lines[end] as string)) continue
      found.push({ file, from: from + 1, lines: lines.slice(from, end) })
      from = end
    }
    found.push({ file, from: from + 1, lines: lines.slice(from, end) })
    at = end - 1
  }
  return found
}

function packagePlaces(sources: Sources, name: string): readonly RulePlace[] {
  return Object.entries(sources).flatMap(([file, text]) => {
    const found = PACKAGE.exec(text)
    if (found?.[1] !== name) return []
    return [{ file, line: text.slice(0, found.index).split('\n').length }]
  })
}
