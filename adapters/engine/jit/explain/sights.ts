/** What the parts of one condition were when it was evaluated. */
import type { Operand, StatementOf } from '../plan.ts'
import type { Seen } from '../trace.ts'
import type { Condition, Definition } from './definitions.ts'
import type { Frame, Memory } from './frames.ts'
import { MEMBER, type Origin, type Resolver, type Segment } from './origins.ts'
import type { Site, Structure } from './structure.ts'
import { isNode, type Node, nameOf, nodesOf, refText, spanOf } from './tree.ts'

/** One part; `origin.value` is undefined where it has no value. */
export interface Sight {
  readonly ref: string
  readonly origin: Origin
}

/** The statements of a condition, or of a head, that were run, as far as `upTo`. */
export function sitesOf(
  sites: readonly Site[],
  definition: Definition,
  condition: Condition | undefined,
  memory: Memory,
): readonly Site[] {
  return sites.filter(
    (site) =>
      site.definition === definition &&
      site.conditions.at(-1) === condition &&
      site.role === 'step' &&
      memory.seen.has(site.number),
  )
}

/** Each part once, in the order of the text; of a reference only its end. */
export function sightsOf(
  structure: Structure,
  sites: readonly Site[],
  resolver: Resolver,
  memory: Memory,
): readonly Sight[] {
  const whole = sites[0]?.conditions.at(-1)?.span.text
  const found = new Map<string, Sight>()
  for (const site of sites)
    for (const { origin, text } of partsOf(site, structure, resolver, memory)) {
      if (origin.isConstant === true || isWritten(origin)) continue
      const ref =
        origin.path === undefined ? (text ?? callText(origin, structure)) : pathRef(origin.path)
      // That the condition itself did not hold is told already.
      if (ref === undefined || (ref === whole && origin.path === undefined)) continue
      if (!found.has(ref)) found.set(ref, { ref, origin })
    }
  const all = [...found.values()]
  return all.filter((one) => !all.some((other) => other !== one && leadsTo(one, other)))
}

/** Rules and functions that it asked. */
export function framesOf(
  sites: readonly Site[],
  sights: readonly Sight[],
  { calls }: Memory,
): readonly Frame[] {
  const called = sites.flatMap(({ number }) => calls.get(number) ?? [])
  return [...new Set([...called, ...sights.flatMap(({ origin }) => origin.frames)])]
}

function leadsTo({ origin: { path: a, value } }: Sight, { origin: { path: b } }: Sight): boolean {
  if (a === undefined || b === undefined || a.length >= b.length || value === undefined)
    return false
  return a.every((segment, i) => segment === b[i])
}

/** An object that the policy's text is made of: its members are told where they are used. */
function isWritten({ members, path }: Origin): boolean {
  return path === undefined && members !== undefined && members.size > 0
}

/** What a statement looked at. `text`: how the condition calls it, where it says so in one place. */
interface Part {
  readonly origin: Origin
  readonly text?: string | undefined
}

function partsOf(
  site: Site,
  structure: Structure,
  resolver: Resolver,
  memory: Memory,
): readonly Part[] {
  const seen = memory.seen.get(site.number) as readonly Seen[]
  const { number, statement } = site
  const at = (operand: Operand, value: Seen): Origin => resolver.operand(operand, number, value)
  switch (statement.type) {
    case 'EqualStmt': {
      const [left, right] = callsIn(site).at(-1)?.operands ?? []
      return [
        { origin: at(statement.a, seen[0]), text: plain(left) },
        { origin: at(statement.b, seen[1]), text: plain(right) },
      ]
    }
    case 'NotEqualStmt':
      return [{ origin: at(statement.a, seen[0]) }]
    case 'DotStmt': {
      const found = ended(resolver.operand({ local: statement.target }, number + 1), seen[2])
      return [{ origin: at(statement.key, seen[1]) }, { origin: found }]
    }
    case 'CallStmt':
      return called(statement, { site, structure }, resolver, memory)
    case 'IsArrayStmt':
    case 'IsObjectStmt':
    case 'IsSetStmt':
      return [{ origin: at(statement.source, seen[0]) }]
    case 'ScanStmt':
      return memory.elements.has(number) && !isEvery(site)
        ? [{ origin: resolver.operand({ local: statement.value }, number + 1) }]
        : [{ origin: at({ local: statement.source }, seen[0]) }]
    default:
      return []
  }
}

/** A pattern is compared part by part. */
function plain(text: string | undefined): string | undefined {
  return text === undefined || /^[[{]/.test(text) ? undefined : text
}

/** Which element it was is told of the condition within. */
function isEvery({ conditions }: Site): boolean {
  const terms = conditions.at(-1)?.terms ?? null
  return isNode(terms) && terms.domain !== undefined
}

/** With the value that there was, be it none. */
function ended(origin: Origin, value: Seen): Origin {
  return { ...origin, value }
}

function called(
  statement: StatementOf<'CallStmt'>,
  { site, structure }: { readonly site: Site; readonly structure: Structure },
  resolver: Resolver,
  memory: Memory,
): readonly Part[] {
  const { number } = site
  const seen = memory.seen.get(number) as readonly Seen[]
  const isRule = memory.calls.has(number)
  const own = isRule ? statement.args.slice(2) : statement.args
  const text = callOf(site, structure)
  const args = own.map((arg, i) => ({
    origin: resolver.operand(arg, number, seen[i]),
    text: text?.operands[i],
  }))
  // A comparison says no more than that it did not hold.
  if (!isRule && seen.length > own.length && typeof seen.at(-1) === 'boolean') return args
  const result = resolver.operand({ local: statement.result }, number + 1)
  const value = seen.length > own.length ? seen.at(-1) : undefined
  return [...args, { origin: ended(result, value), text: text?.text }]
}

function callText({ call }: Origin, structure: Structure): string | undefined {
  const site = call && structure.sites[call.number]
  return site && callOf(site, structure)?.text
}

/** The call in the text that a statement was compiled from: of several of one function, in the order in which they are made. */
function callOf(site: Site, { sites }: Structure): Call | undefined {
  const { statement } = site
  if (statement.type !== 'CallStmt') return undefined
  const condition = site.conditions.at(-1)
  const same = sites.filter(
    (one) =>
      one.func === site.func &&
      one.conditions.at(-1) === condition &&
      one.statement.type === 'CallStmt' &&
      one.statement.func === statement.func,
  )
  return callsIn(site).filter(({ name }) => isNameOf(name, statement.func))[same.indexOf(site)]
}

/** The text names a function of the plan by its last part, whatever package it is imported from. */
function isNameOf(name: string, callee: string): boolean {
  return name === callee || (/^g\d+\./.test(callee) && lastOf(name) === lastOf(callee))
}

function lastOf(name: string): string | undefined {
  return name.split('.').at(-1)
}

export function pathRef([head, ...rest]: readonly Segment[]): string {
  return refText(
    String(head),
    rest.map((one) => (one === MEMBER || typeof one === 'symbol' ? MEMBER : plainKey(one))),
  )
}

function plainKey(key: Exclude<Segment, symbol>): string | number | boolean | null {
  return typeof key === 'object' && key !== null ? '…' : typeof key === 'bigint' ? String(key) : key
}

interface Call {
  readonly name: string
  readonly text: string
  readonly operands: readonly string[]
}

/** Calls in the condition's text, the inner ones first, as they are made. */
function callsIn({ conditions }: Site): readonly Call[] {
  const condition = conditions.at(-1)
  if (condition === undefined) return []
  const { span, terms } = condition
  if (Array.isArray(terms)) return [...callsWithin(terms), ...call(nodesOf(terms), span.text)]
  return callsWithin(terms)
}

function callsWithin(json: unknown): readonly Call[] {
  if (Array.isArray(json)) return json.flatMap(callsWithin)
  if (!isNode(json as never)) return []
  const node = json as Node
  const own = node.type === 'call' ? call(nodesOf(node.value), spanOf(node).text) : []
  return [...Object.values(node).flatMap(callsWithin), ...own]
}

function call([operator, ...operands]: readonly Node[], text: string): readonly Call[] {
  const name = operator && nameOf(operator)
  return name === undefined
    ? []
    : [{ name, text, operands: operands.map((one) => spanOf(one).text) }]
}
