/** From what a traced evaluation did to an explanation: which definitions held, which did not, and for what condition. */
import { equal } from '../../value/order.ts'
import { isObject, isSet } from '../../value/value.ts'
import type { Operand } from '../plan.ts'
import type { Seen } from '../trace.ts'
import type { Condition, Definition } from './definitions.ts'
import type { At, Failing, FailureKind, Fired, Met, Missed, RuleText, Saw } from './explanation.ts'
import {
  type Attempts,
  type Failure,
  type Frame,
  isSomething,
  type Memory,
  type Reached,
} from './frames.ts'
import { MEMBER, Resolver } from './origins.ts'
import { framesOf, type Sight, sightsOf, sitesOf } from './sights.ts'
import type { Site, Structure } from './structure.ts'
import type { Veil } from './veil.ts'

export interface BuildLimits {
  /** Definitions told in all. */
  readonly maxRules: number
  /** Rules asked by rules asked by rules. */
  readonly maxDepth: number
}

export class Builder {
  truncated = false
  readonly #structure: Structure
  readonly #veil: Veil
  readonly #given: { readonly input: Seen; readonly data: Seen }
  readonly #limits: BuildLimits
  readonly #sites: ReadonlyMap<number, readonly Site[]>
  readonly #told = new Set<Reached>()
  readonly #missed = new Set<Frame>()
  #rules = 0

  constructor(
    structure: Structure,
    veil: Veil,
    given: { readonly input: Seen; readonly data: Seen },
    limits: BuildLimits,
  ) {
    this.#structure = structure
    this.#veil = veil
    this.#given = given
    this.#limits = limits
    this.#sites = Map.groupBy(structure.sites, ({ func }) => func)
  }

  /**
   * The definitions of this call that made its value.
   *
   * @param first calls that matter most: where a rule asked for one of them, the others are left out
   * @param member of a set: only what put this one into it
   */
  fired(frame: Frame, first: ReadonlySet<Frame>, depth = 0, member?: Seen): readonly Fired[] {
    if (isAlias(frame)) return []
    const all: Fired[] = []
    for (const attempts of frame.attempts.values())
      for (const reached of this.#distinct(frame, attempts, member)) {
        if (!this.#admit(depth)) return all
        all.push(this.#firedOf(frame, attempts.definition, reached, { first, depth }))
      }
    return all
  }

  /** The definitions of this call that did not hold, the nearest first. */
  missed(
    frame: Frame,
    depth = 0,
    only: (definition: Definition) => boolean = any,
  ): readonly Missed[] {
    if (this.#missed.has(frame)) return []
    this.#missed.add(frame)
    const open = [...frame.attempts.values()].filter(
      (one) =>
        one.times === 0 &&
        !one.skipped &&
        !one.definition.isDefault &&
        !isForOthers(frame, one) &&
        only(one.definition),
    )
    const all: Missed[] = []
    for (const attempts of open.toSorted((a, b) => this.#held(b) - this.#held(a))) {
      if (!this.#admit(depth)) break
      all.push(this.#missedOf(frame, attempts, depth))
    }
    return all
  }

  #admit(depth: number): boolean {
    const room = depth <= this.#limits.maxDepth && this.#rules < this.#limits.maxRules
    if (room) this.#rules++
    else this.truncated = true
    return room
  }

  /** A complete rule has one value, however often its body held. */
  #distinct(frame: Frame, { reached, times }: Attempts, member: Seen): readonly Reached[] {
    if (times > reached.length) this.truncated = true
    if (!isSet(frame.value)) return isObject(frame.value) ? reached : reached.slice(0, 1)
    return member === undefined
      ? reached
      : reached.filter(({ values: [value] }) => value !== undefined && equal(value, member))
  }

  #firedOf(
    frame: Frame,
    definition: Definition,
    reached: Reached,
    { depth, first }: { readonly depth: number; readonly first: ReadonlySet<Frame> },
  ): Fired {
    const { memory, values } = reached
    const { inflow, value } = frame
    const isPartial = isSet(value) && values.length === 1 && !isSet(values[0])
    const shown = this.#veil.show({ frames: [frame], inflow, value: isPartial ? values[0] : value })
    const base = { ...textOf(definition), value: shown }
    if (this.#told.has(reached)) return { ...base, conditions: [], because: [], again: true }
    this.#told.add(reached)
    const looks = definition.conditions.map((condition) => ({
      condition,
      ...this.#look(frame, definition, condition, memory),
    }))
    const head = this.#look(frame, definition, undefined, memory)
    const asked = this.#chosen([...looks, head], first)
    const conditions = looks.map((look): Met => {
      const missing = look.condition.negated
        ? look.frames.filter(({ value }) => !isSomething(value))
        : []
      return {
        ...placeOf(look.condition),
        ...this.#saw(look.sights),
        because: this.#because(look, asked, first, depth),
        missed: missing.flatMap((one) => this.missed(one, depth + 1)),
      }
    })
    return { ...base, conditions, because: this.#because(head, asked, first, depth) }
  }

  /** Of all rules that were asked and have a value those that matter most; each is told once. */
  #chosen(looks: readonly Look[], first: ReadonlySet<Frame>): Set<Frame> {
    const some = looks.flatMap(({ frames }) => frames).filter(({ value }) => isSomething(value))
    const main = some.filter((frame) => first.has(frame))
    return new Set(main.length > 0 ? main : some)
  }

  #because(
    { frames, sights }: Look,
    asked: Set<Frame>,
    first: ReadonlySet<Frame>,
    depth: number,
  ): readonly Fired[] {
    return frames
      .filter((frame) => asked.delete(frame))
      .flatMap((frame) => this.fired(frame, first, depth + 1, memberOf(frame, sights)))
      .filter(({ again }) => again !== true)
  }

  /** What a condition, or a head, saw. `upTo`: a statement's number, what stands behind it is of an earlier attempt. */
  #look(
    frame: Frame,
    definition: Definition,
    condition: Condition | undefined,
    memory: Memory,
    upTo = Number.POSITIVE_INFINITY,
  ): Look {
    const own = this.#sites.get(frame.func) ?? []
    const sites = sitesOf(own, definition, condition, memory).filter(({ number }) => number <= upTo)
    const resolver = new Resolver(this.#structure, frame, memory, this.#given)
    const sights = sightsOf(this.#structure, sites, resolver, memory)
    const heads = condition === undefined ? this.#headFrames(own, definition, resolver) : []
    return { sights, frames: [...framesOf(sites, sights, memory), ...heads] }
  }

  /** Rules whose values the head's value is made of. */
  #headFrames(own: readonly Site[], definition: Definition, resolver: Resolver): readonly Frame[] {
    const heads = own.filter((site) => site.definition === definition && site.role === 'head')
    return heads.flatMap(({ number, statement }) => {
      const operand =
        'source' in statement
          ? statement.source
          : 'value' in statement
            ? statement.value
            : undefined
      return typeof operand === 'object' && !Array.isArray(operand)
        ? resolver.operand(operand as Operand, number).frames
        : []
    })
  }

  #saw(sights: readonly Sight[]): { readonly saw: readonly Saw[] } {
    return {
      saw: sights.map(({ ref, origin }) => {
        const name = this.#veil.text(ref, origin.keys)
        if (origin.value === undefined) return { ref: name, missing: true }
        return { ref: name, ...this.#veil.show(origin) }
      }),
    }
  }

  #held({ furthest }: Attempts): number {
    return furthest === undefined
      ? 0
      : conditionsBefore(furthest, this.#sites.get(furthest.site.func) ?? [])
  }

  #missedOf(frame: Frame, attempts: Attempts, depth: number): Missed {
    const { definition, failed, furthest } = attempts
    const base = { ...textOf(definition), attempts: failed, held: this.#held(attempts) }
    if (furthest === undefined) return base
    return { ...base, condition: this.#failing(frame, definition, furthest, depth) }
  }

  #failing(frame: Frame, definition: Definition, failure: Failure, depth: number): Failing {
    const { inner, isEmpty, memory, site } = failure
    const condition = site.conditions.at(-1)
    const isNot = site.statement.type === 'NotStmt'
    const upTo = isNot ? undefined : site.number
    const { frames, sights } = this.#look(frame, definition, condition, memory, upTo)
    const kind = kindOf(site, isEmpty)
    // What failed in the same expression is a part of how it is evaluated.
    const within = inner?.site.conditions.at(-1) === condition ? undefined : inner
    const place = condition === undefined ? headPlace(definition) : placeOf(condition)
    return {
      ...place,
      why: kind,
      ...this.#saw(sights),
      ...(within === undefined ? {} : { inner: this.#failing(frame, definition, within, depth) }),
      missed: frames.filter(isLacking).flatMap((one) => this.missed(one, depth + 1)),
      fired: frames
        .filter((one) => !isLacking(one))
        .flatMap((one) => this.fired(one, NONE, depth + 1)),
    }
  }
}
/** What a condition, or a head, saw, and which rules it asked. */
interface Look {
  readonly sights: readonly Sight[]
  readonly frames: readonly Frame[]
}

/** The member of the rule's set that a condition was about, where it was about one. */
function memberOf(frame: Frame, sights: readonly Sight[]): Seen {
  const found = sights.find(
    ({ origin: { frames, path } }) =>
      frames.length === 1 && frames[0] === frame && path?.at(-1) === MEMBER,
  )
  return found?.origin.value
}

const NONE: ReadonlySet<Frame> = new Set()
const any = (): boolean => true

/** Whether a rule says nothing because none of its definitions held: another one may say that there is nothing. */
function isLacking({ attempts, value }: Frame): boolean {
  const all = [...attempts.values()]
  return (
    !isSomething(value) && all.every(({ definition, times }) => times === 0 || definition.isDefault)
  )
}

/** A function's definition for other arguments. */
function isForOthers({ args }: Frame, { furthest }: Attempts): boolean {
  const site = furthest?.site
  return args.length > 0 && site?.conditions.length === 0 && site.statement.type === 'EqualStmt'
}

/** A name for something else: no condition, and no rule asked. */
function isAlias({ attempts }: Frame): boolean {
  return [...attempts.values()].every(
    ({ definition, reached }) =>
      definition.conditions.length === 0 && reached.every(({ memory }) => memory.calls.size === 0),
  )
}

function conditionsBefore({ site, memory }: Failure, sites: readonly Site[]): number {
  const before = sites.filter(
    (one) =>
      one.definition === site.definition &&
      one.number < site.number &&
      memory.seen.has(one.number) &&
      one.conditions[0] !== undefined &&
      one.conditions[0] !== site.conditions[0],
  )
  return new Set(before.map(({ conditions }) => conditions[0])).size
}

function kindOf({ statement }: Site, isEmpty: boolean): FailureKind {
  if (isEmpty) return 'empty'
  switch (statement.type) {
    case 'CallDynamicStmt':
    case 'CallStmt':
    case 'DotStmt':
      return 'undefined'
    case 'NotStmt':
      return 'holds'
    default:
      return 'false'
  }
}

function placeOf({ file, span }: Condition): At & { readonly text: string } {
  return { file, row: span.row, col: span.col, text: span.text }
}

function headPlace({ file, head }: Definition): At & { readonly text: string } {
  return { file, row: head.row, col: head.col, text: head.text }
}

function textOf({ file, head, notes, rule }: Definition): RuleText {
  return { file, row: head.row, col: head.col, rule, head: head.text, ...notes }
}
