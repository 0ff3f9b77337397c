/**
 * Where a value comes from: the reference that leads to it from input or data, the rules that computed it, and every path that flowed into
 * it. Derived from the plan's assignments and what a trace saw; nothing is evaluated again.
 */
import { get, isSet, type Value } from '../../value/value.ts'
import type { Operand, Statement } from '../plan.ts'
import type { Seen } from '../trace.ts'
import type { Frame, Memory } from './frames.ts'
import { filling, type Outline, type Source, type Structure } from './structure.ts'

/** An element that has no key of its own: a member of a set. */
export const MEMBER: unique symbol = Symbol('member')
export type Segment = Value | typeof MEMBER

export interface Origin {
  readonly value: Seen
  /** From `input` or `data` (rules included); undefined for what was computed. */
  readonly path?: readonly Segment[]
  readonly isConstant?: true
  /** The built-in or function whose result it is, and the statement that called it. */
  readonly call?: { readonly callee: string; readonly number: number }
  /** Rules and functions whose values it is made of. */
  readonly frames: readonly Frame[]
  /** Paths that it holds values of, as texts of JSON arrays. */
  readonly inflow: ReadonlySet<string>
  /** The same of keys in its path that were computed: they show in it. */
  readonly keys?: ReadonlySet<string>
  /** What it is built of, where the policy wrote it as an object. */
  readonly members?: ReadonlyMap<string, Origin>
}

const INPUT = 0
const DATA = 1
/** Where it cannot be followed, anything of the input may have flowed into it. */
const UNKNOWN: Origin = {
  value: undefined,
  frames: [],
  inflow: new Set([pathText(['input'])]),
}
/** Deeper than people nest what they write. */
const MAX_DEPTH = 48

/** Resolves the locals of one call, as it stood when `memory` was taken. */
export class Resolver {
  readonly #outline: Outline
  readonly #structure: Structure
  readonly #memory: Memory
  readonly #frame: Pick<Frame, 'args' | 'origins'>
  readonly #roots: { readonly input: Seen; readonly data: Seen }

  constructor(
    structure: Structure,
    frame: Pick<Frame, 'args' | 'func' | 'origins'>,
    memory: Memory,
    roots: { readonly input: Seen; readonly data: Seen },
  ) {
    this.#structure = structure
    this.#outline = structure.outlines[frame.func] as Outline
    this.#frame = frame
    this.#memory = memory
    this.#roots = roots
  }

  /** @param before a trace's number: assignments behind it do not count. */
  operand(operand: Operand, before: number, value?: Seen): Origin {
    const at = this.#outline.order.get(before) ?? Number.POSITIVE_INFINITY
    const body = this.#structure.sites[before]?.body ?? 0
    const origin = this.#resolve(operand, { at, body, depth: 0 })
    return origin.value === undefined && value !== undefined ? { ...origin, value } : origin
  }

  #resolve(operand: Operand, place: Place): Origin {
    if ('constant' in operand) return constant(operand.constant)
    const { local } = operand
    if (local === INPUT) return root('input', this.#roots.input)
    if (local === DATA) return root('data', this.#roots.data)
    const { params } = this.#outline.func
    const index = params.indexOf(local)
    if (index >= 2)
      return { ...(this.#frame.origins[index - 2] ?? UNKNOWN), value: this.#frame.args[index - 2] }
    if (place.depth > MAX_DEPTH) return UNKNOWN
    const source = this.#sourceOf(local, place)
    return source === undefined
      ? UNKNOWN
      : this.#assigned(source, local, { ...place, at: source.at, depth: place.depth + 1 })
  }

  /** The last one before the place, and of those the last one that was run. */
  #sourceOf(local: number, place: Place): Source | undefined {
    const before = this.#sourcesOf(local, place)
    return before.findLast((source) => this.#wasRun(source, place.depth)) ?? before.at(-1)
  }

  #sourcesOf(local: number, { at, body }: Pick<Place, 'at' | 'body'>): readonly Source[] {
    return (this.#outline.sources.get(local) ?? []).filter(
      (source) =>
        source.at < at && source.body === body && source.statement.type !== 'ResetLocalStmt',
    )
  }

  /** No trace tells of a plain assignment: it was run where what it takes was. */
  #wasRun({ at, body, number, statement }: Source, depth: number): boolean {
    if (number >= 0) return this.#memory.seen.has(number)
    if (statement.type !== 'AssignVarStmt' || !('local' in statement.source)) return true
    const taken = this.#sourcesOf(statement.source.local, { at, body })
    if (taken.length === 0 || depth > MAX_DEPTH) return true
    return taken.some((one) => this.#wasRun(one, depth + 1))
  }

  #assigned(source: Source, local: number, place: Place): Origin {
    const { statement } = source
    switch (statement.type) {
      case 'AssignVarOnceStmt':
      case 'AssignVarStmt':
        return this.#resolve(statement.source, place)
      case 'DotStmt':
        return this.#dot(statement, source, place)
      case 'ScanStmt':
        return this.#element(statement, source, local, place)
      case 'CallDynamicStmt':
      case 'CallStmt':
        return this.#call(statement, source, place)
      case 'MakeArrayStmt':
      case 'MakeObjectStmt':
      case 'MakeSetStmt':
        return this.#made(source, local, place)
      case 'ObjectMergeStmt':
        return joined(
          [{ local: statement.a }, { local: statement.b }].map((one) => this.#resolve(one, place)),
        )
      case 'LenStmt':
        return { ...joined([this.#resolve(statement.source, place)]) }
      default:
        return constantOf(statement)
    }
  }

  #dot(statement: Statement & { type: 'DotStmt' }, { number }: Source, place: Place): Origin {
    const from = this.#resolve(statement.source, place)
    const [container, key, found] = this.#memory.seen.get(number) ?? []
    const value = found ?? (key === undefined ? undefined : get(container, key))
    const name = 'constant' in statement.key ? statement.key.constant : key
    const member = typeof name === 'string' ? from.members?.get(name) : undefined
    if (member !== undefined) return { ...member, value }
    if (from.path === undefined || name === undefined) return computed(from, value)
    const path = [...from.path, name]
    const computedKey = this.#resolve(statement.key, place).inflow
    const keys = new Set([...(from.keys ?? []), ...computedKey])
    return { value, path, frames: from.frames, inflow: below(from, path), keys }
  }

  #element(
    statement: Statement & { type: 'ScanStmt' },
    { number }: Source,
    local: number,
    place: Place,
  ): Origin {
    const from = this.#resolve({ local: statement.source }, place)
    const [key, value] = this.#memory.elements.get(number) ?? []
    const scanned = this.#memory.seen.get(number)?.[0]
    const isKey = local === statement.key && !isSet(scanned)
    if (isKey) return computed(from, key)
    if (from.path === undefined || key === undefined) return computed(from, value)
    const path: readonly Segment[] = [...from.path, isSet(scanned) ? MEMBER : key]
    return { ...from, value, path, inflow: below(from, path) }
  }

  #call(
    statement: Statement & { type: 'CallDynamicStmt' | 'CallStmt' },
    { number }: Source,
    place: Place,
  ): Origin {
    const frame = this.#memory.calls.get(number)
    if (frame !== undefined) return ofFrame(frame, this.#structure, number)
    if (statement.type === 'CallDynamicStmt') return UNKNOWN
    const args = statement.args.map((arg) => this.#resolve(arg, place))
    const seen = this.#memory.seen.get(number) ?? []
    const value = seen.length > args.length ? seen.at(-1) : undefined
    return { ...joined(args), value, call: { callee: statement.func, number } }
  }

  /** A literal or a comprehension. */
  #made(source: Source, local: number, place: Place): Origin {
    const fills = (this.#outline.fills.get(local) ?? []).filter(
      ({ at, body }) => at > source.at && body === source.body,
    )
    const members = new Map<string, Origin>()
    const parts: Origin[] = []
    for (const fill of fills) {
      const [first, second] = filling(fill.statement)
      for (const operand of [first, second]) {
        if (operand === undefined) continue
        const part = this.#resolve(operand, { ...place, at: fill.at })
        parts.push(part)
        if (operand === second && first !== undefined && 'constant' in first)
          members.set(String(first.constant), part)
      }
    }
    const isConstant = parts.every((part) => part.isConstant === true)
    return { ...joined(parts), members, ...(isConstant && parts.length > 0 ? { isConstant } : {}) }
  }
}

interface Place {
  readonly at: number
  readonly body: number
  readonly depth: number
}

function computed({ frames, inflow }: Origin, value: Seen): Origin {
  return { value, frames, inflow }
}

function root(name: 'data' | 'input', value: Seen): Origin {
  return { value, path: [name], frames: [], inflow: new Set([pathText([name])]) }
}

function constant(value: Value): Origin {
  return { value, isConstant: true, frames: [], inflow: new Set() }
}

function constantOf(statement: Statement): Origin {
  switch (statement.type) {
    case 'AssignIntStmt':
    case 'MakeNumberIntStmt':
      return constant(statement.value)
    case 'MakeNumberRefStmt':
      return constant(statement.Index)
    case 'MakeNullStmt':
      return constant(null)
    default:
      return UNKNOWN
  }
}

/** Of a rule: its own path in data, or what it is another name for. A function's result has none. */
export function ofFrame(frame: Frame, structure: Structure, number: number): Origin {
  const { func } = structure.outlines[frame.func] as Outline
  const { alias, inflow, value } = frame
  if (alias !== undefined && value !== undefined)
    return { value, path: alias, frames: [], inflow: new Set([pathText(alias)]) }
  return func.params.length === 2
    ? { value, path: ['data', ...func.path.slice(1)], frames: [frame], inflow }
    : { value, call: { callee: func.name, number }, frames: [frame], inflow }
}

function joined(parts: readonly Origin[]): Origin {
  return {
    value: undefined,
    frames: [...new Set(parts.flatMap(({ frames }) => frames))],
    inflow: new Set(parts.flatMap(({ inflow }) => [...inflow])),
  }
}

/** Of a document itself a part; of a rule's value whatever flowed into it. */
function below(from: Origin, path: readonly Segment[]): ReadonlySet<string> {
  return from.frames.length > 0 ? from.inflow : new Set([pathText(path)])
}

export function pathText(path: readonly Segment[]): string {
  return JSON.stringify(path.map((one) => (one === MEMBER ? null : String(one))))
}
