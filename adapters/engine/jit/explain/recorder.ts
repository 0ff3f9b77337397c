/** Listens to a traced evaluation and keeps, for each call, the attempt of each definition that got furthest. */
import type { Value } from '../../value/value.ts'
import type { Seen, Trace } from '../trace.ts'
import type { Definition } from './definitions.ts'
import { type Attempts, copyOf, type Failure, type Frame } from './frames.ts'
import { type Origin, Resolver } from './origins.ts'
import { filling, type Site, type Structure } from './structure.ts'

/** A call under way. */
interface Open {
  readonly frame: Frame
  readonly seen: Map<number, readonly Seen[]>
  readonly elements: Map<number, readonly [key: Value, value: Value]>
  readonly calls: Map<number, Frame>
  scopes: Scope[]
  attempts: Attempts | undefined
  body: number
  last: number
}

/** A body, or a scan, a negation or a `with` within it. */
interface Scope {
  /** -1: the body itself. */
  readonly number: number
  /** The last failure; it was one of something within, when the evaluation goes on behind it. */
  pending: Failure | undefined
  furthest: Failure | undefined
  inner: Failure | undefined
  /** Of elements for which the body of an `every` did not hold. */
  kept: Failure | undefined
  /** Attempts that ended in it. */
  failed: number
  elements: number
}

/** Calls beyond are not recorded. */
const MAX_CALLS = 20_000
/** Ways in which one definition held that are kept. */
const MAX_REACHED = 8

export class Recorder implements Trace {
  readonly roots: Frame[] = []
  readonly #structure: Structure
  readonly #given: { readonly input: Seen; readonly data: Seen }
  readonly #stack: (Open | undefined)[] = []
  readonly #rules = new Map<number, Frame>()
  #calls = 0

  constructor(structure: Structure, given: { readonly input: Seen; readonly data: Seen }) {
    this.#structure = structure
    this.#given = given
  }

  /** Whether calls were left out. */
  get truncated(): boolean {
    return this.#calls > MAX_CALLS
  }

  enter(func: number, args: readonly Seen[]): void {
    const caller = this.#top
    const isKept = ++this.#calls <= MAX_CALLS && (this.#stack.length === 0 || caller !== undefined)
    if (!isKept) return void this.#stack.push(undefined)
    const number = caller && this.#callSite(caller, func)
    const origins = args.length === 0 ? [] : this.#argumentsAt(caller, number)
    const frame: Frame = {
      func,
      args,
      origins,
      attempts: new Map(),
      value: undefined,
      inflow: new Set(),
      alias: undefined,
    }
    if (caller === undefined) this.roots.push(frame)
    else if (number !== undefined) caller.calls.set(number, frame)
    if (args.length === 0) this.#rules.set(func, frame)
    this.#stack.push({
      frame,
      seen: new Map(),
      elements: new Map(),
      calls: new Map(),
      scopes: [],
      attempts: undefined,
      body: -1,
      last: -1,
    })
  }

  leave(_func: number, value: Seen): void {
    const open = this.#stack.pop()
    if (open === undefined) return
    endBody(open)
    open.frame.value = value
  }

  again(func: number): void {
    const caller = this.#top
    const frame = this.#rules.get(func)
    if (frame === undefined) return
    const number = caller && this.#callSite(caller, func)
    if (caller === undefined) this.roots.push(frame)
    else if (number !== undefined) caller.calls.set(number, frame)
  }

  open(number: number, values: readonly Seen[]): void {
    const open = this.#at(number)
    if (open === undefined) return
    open.seen.set(number, values)
    open.scopes.push(newScope(number))
  }

  element(number: number, key: Value, value: Value): void {
    const open = this.#top
    const scope = open && unwind(open, number)
    if (open === undefined || scope === undefined) return
    endAttempt(scope)
    scope.elements++
    scope.inner = undefined
    open.elements.set(number, [key, value])
    open.last = number
  }

  close(number: number): void {
    const open = this.#top
    const scope = open && unwind(open, number)
    if (open === undefined || scope === undefined) return
    open.scopes.pop()
    endAttempt(scope)
    const site = this.#structure.sites[number] as Site
    const outer = open.scopes.at(-1) as Scope
    if (site.statement.type === 'NotStmt') {
      outer.inner = later(outer.inner, handed(scope))
      return
    }
    if (site.statement.type === 'ScanStmt' && scope.elements === 0)
      outer.pending = failureOf(open, site, undefined, true)
    else outer.pending = handed(scope) ?? outer.pending
    outer.inner = later(outer.inner, scope.kept)
  }

  passed(number: number, values: readonly Seen[]): void {
    const open = this.#at(number)
    if (open === undefined) return
    open.seen.set(number, values)
    const site = this.#structure.sites[number] as Site
    const scope = open.scopes.at(-1) as Scope
    if (this.#endsElement(site, scope)) {
      scope.kept = later(scope.kept, sameCondition(site, scope.inner) ? scope.inner : undefined)
      scope.inner = undefined
    }
    if (site.role === 'head') this.#reach(open, site, values)
  }

  failed(number: number, values: readonly Seen[]): void {
    const open = this.#at(number)
    if (open === undefined) return
    open.seen.set(number, values)
    const site = this.#structure.sites[number] as Site
    const scope = open.scopes.at(-1) as Scope
    if (site.role === 'order') {
      if (open.attempts) open.attempts.skipped = true
    } else if (this.#endsElement(site, scope)) scope.inner = undefined
    else {
      const isWithin = site.statement.type !== 'NotStmt' && sameCondition(site, scope.inner)
      scope.pending = failureOf(open, site, isWithin ? scope.inner : undefined)
    }
  }

  /** Whether an element of an `every` is done: passed where its body did not hold, failed where it did. */
  #endsElement(site: Site, { number }: Scope): boolean {
    const scan = this.#structure.sites[number]
    return (
      site.statement.type === 'IsUndefinedStmt' &&
      scan?.statement.type === 'ScanStmt' &&
      scan.conditions.at(-1) === site.conditions.at(-1)
    )
  }

  get #top(): Open | undefined {
    return this.#stack.at(-1)
  }

  /** The call under way, in the body of this statement. */
  #at(number: number): Open | undefined {
    const open = this.#top
    const site = this.#structure.sites[number]
    if (open === undefined || site === undefined || site.func !== open.frame.func) return undefined
    const { definition } = site
    // A result that is taken over: the body is done.
    if (site.role === 'order' && site.statement.type !== 'IsUndefinedStmt') return undefined
    if (definition !== open.attempts?.definition || site.body !== open.body) {
      endBody(open)
      if (definition === undefined) return undefined
      open.attempts = attemptsOf(open.frame, definition)
      open.body = site.body
      open.scopes = [newScope(-1)]
    }
    if (open.scopes.length === 0) return undefined
    const scope = open.scopes.at(-1) as Scope
    // Going on behind a failure: it ended a block within, and no attempt.
    if (scope.pending !== undefined && number > scope.pending.site.number) {
      scope.inner = later(scope.inner, scope.pending)
      scope.pending = undefined
    }
    open.last = number
    return open
  }

  #reach(open: Open, site: Site, values: readonly Seen[]): void {
    const { attempts, frame } = open
    if (attempts === undefined) return
    attempts.times++
    const memory = copyOf(open)
    if (attempts.reached.length < MAX_REACHED) attempts.reached.push({ memory, values })
    const resolver = new Resolver(this.#structure, frame, memory, this.#given)
    for (const operand of givenBy(site)) {
      const origin = resolver.operand(operand, site.number)
      for (const path of origin.inflow) frame.inflow.add(path)
      const { conditions } = attempts.definition
      const isPlain = origin.frames.length + conditions.length + (origin.keys?.size ?? 0) === 0
      if (isPlain && site.statement.type === 'AssignVarOnceStmt') frame.alias = origin.path
    }
  }

  /** The call that comes next in the caller's text. */
  #callSite({ frame, last }: Open, func: number): number | undefined {
    const { calls } = this.#structure.outlines[frame.func]!
    const { name } = this.#structure.outlines[func]!.func
    const same = calls.filter(({ callee }) => callee === name)
    return (same.find(({ number }) => number > last) ?? same.at(-1))?.number
  }

  #argumentsAt(caller: Open | undefined, number: number | undefined): readonly Origin[] {
    const statement = number === undefined ? undefined : this.#structure.sites[number]?.statement
    if (caller === undefined || number === undefined || statement?.type !== 'CallStmt') return []
    const resolver = new Resolver(this.#structure, caller.frame, caller, this.#given)
    return statement.args.slice(2).map((arg) => resolver.operand(arg, number))
  }
}

function newScope(number: number): Scope {
  return {
    number,
    pending: undefined,
    furthest: undefined,
    inner: undefined,
    kept: undefined,
    failed: 0,
    elements: 0,
  }
}

function attemptsOf(frame: Frame, definition: Definition): Attempts {
  const known = frame.attempts.get(definition)
  if (known !== undefined) return known
  const made: Attempts = {
    definition,
    failed: 0,
    skipped: false,
    furthest: undefined,
    reached: [],
    times: 0,
  }
  frame.attempts.set(definition, made)
  return made
}

/** What the call has seen so far is not copied: most failures are forgotten again. */
function failureOf(
  { seen, elements, calls }: Open,
  site: Site,
  inner: Failure | undefined,
  isEmpty = false,
): Failure {
  return { site, memory: { seen, elements, calls }, inner, isEmpty, attempts: 1 }
}

/** What is further in the text, or else came first; the one that is new is copied. */
function later(old: Failure | undefined, added: Failure | undefined): Failure | undefined {
  if (added === undefined) return old
  if (old !== undefined && added.site.number <= old.site.number) return old
  return { ...added, memory: copyOf(added.memory) }
}

/** The furthest failure of a scope, for all of its attempts. */
function handed({ failed, furthest }: Scope): Failure | undefined {
  return furthest && { ...furthest, attempts: failed }
}

function sameCondition(site: Site, inner: Failure | undefined): boolean {
  return inner !== undefined && inner.site.conditions[0] === site.conditions[0]
}

/** What an assignment to the head takes. */
function givenBy({ statement }: Site): ReturnType<typeof filling> {
  return statement.type === 'AssignVarOnceStmt' ? [statement.source] : filling(statement)
}

function endAttempt(scope: Scope): void {
  scope.failed += scope.pending?.attempts ?? 0
  scope.furthest = later(scope.furthest, scope.pending)
  scope.pending = undefined
}

/** Down to the scope of this statement: a break may have left several. */
function unwind(open: Open, number: number): Scope | undefined {
  const at = open.scopes.findLastIndex((scope) => scope.number === number)
  if (at < 0) return undefined
  while (open.scopes.length > at + 1) hand(open.scopes)
  return open.scopes[at]
}

function hand(scopes: Scope[]): void {
  const scope = scopes.pop() as Scope
  endAttempt(scope)
  const outer = scopes.at(-1)
  if (outer !== undefined) outer.pending = handed(scope) ?? outer.pending
}

function endBody(open: Open): void {
  const { attempts } = open
  while (open.scopes.length > 1) hand(open.scopes)
  const scope = open.scopes.pop()
  if (scope === undefined || attempts === undefined) return
  endAttempt(scope)
  attempts.furthest = later(attempts.furthest, scope.furthest)
  attempts.failed += scope.failed
}
