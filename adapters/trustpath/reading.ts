/** Which decisions of a log are about one lease, and what they make of it: taken one after the other, in the log's order. */
import { effectsOf, eventOf, issuedHandle, type LeaseEvent, presented } from './event.ts'
import type { FindPorts } from './find.ts'
import { after, type Life } from './life.ts'
import { asMembers, bodyOf, membersOf, mentions, type Opened, opened } from './opened.ts'
import { decisionsIn } from './scan.ts'

/** A decision that may be about the lease: its openings were erased. */
export interface Unknown {
  readonly index: string
  readonly decision: string
  readonly action: string
  readonly allow: boolean
}
export interface Problem {
  /** A decision's id, or `head`. */
  readonly where: string
  readonly detail: string
}

const PLUGINS: ReadonlySet<string> = new Set(['announce', 'capability', 'lease'])
const PERFORM = 'kernel.perform'
const BIND = 'enrolment.bind-cell'
const TRANSITION = 'enrolment.transition-key'

/** Whether decisions of this action can be about a lease. */
export const isOfLeases = (action: string): boolean =>
  action === PERFORM || action === TRANSITION || PLUGINS.has(action.split('.', 1)[0] as string)

/** The public keys that each cell was ever bound to. */
export type BoundKeys = ReadonlyMap<string, ReadonlySet<string>>

/** @throws StoreError, LogError */
export async function boundKeys({ log, store }: FindPorts): Promise<BoundKeys> {
  const keys = new Map<string, Set<string>>()
  for await (const logged of decisionsIn(log, (action) => action === BIND)) {
    const { cell, public_key } = bodyOf(await opened(store, logged))
    if (typeof cell !== 'string' || typeof public_key !== 'string' || !logged.leaf.allow) continue
    keys.set(cell, (keys.get(cell) ?? new Set()).add(public_key))
  }
  return keys
}

export class Reading {
  readonly #lease: string
  readonly #keys: BoundKeys
  readonly #decisions = new Set<string>()
  /** Of every token of the lease that was seen. */
  readonly #handles = new Set<string>()
  readonly events: { readonly event: LeaseEvent; readonly one: Opened }[] = []
  readonly unknown: Unknown[] = []
  readonly altered: Problem[] = []
  state: Life = {}

  constructor(lease: string, keys: BoundKeys) {
    this.#lease = lease
    this.#keys = keys
  }

  take(one: Opened): void {
    const { action, allow, id } = one.leaf
    if (one.state === 'erased')
      this.unknown.push({ index: `${one.index}`, decision: id, action, allow })
    else if (one.state === 'altered')
      this.altered.push({ where: id, detail: 'its openings are not what the leaf committed to' })
    else if (this.#concerns(one)) this.#add(one)
  }

  /** Callers choose some words of what they ask: where a lease is named at all does not make it the one that it is about. */
  #concerns(one: Opened): boolean {
    const { action } = one.leaf
    if (action === PERFORM) return this.#decisions.has(entryOf(one))
    if (action.startsWith('lease.')) return this.#isOfLease(one)
    if (action === 'capability.use') return leaseOf(one) === this.#lease
    const body = bodyOf(one)
    if (action === TRANSITION) return this.#isKey(body.public_key)
    if (body.kind === 'tenant') return body.id === this.state.lease?.tenant
    if (body.kind === 'key') return this.#isKey(body.id)
    return [this.#lease, ...this.#handles].some((name) => mentions(one, name))
  }

  /** About the lease that it asks for, or that it creates; else about whichever holds the resource. */
  #isOfLease(one: Opened): boolean {
    if (one.leaf.id === this.#lease) return true
    const { lease } = bodyOf(one)
    return (lease ?? asMembers(membersOf(one, 'facts.resource').record).lease) === this.#lease
  }

  #isKey(id: unknown): boolean {
    const cell = this.state.lease?.cell ?? ''
    return typeof id === 'string' && this.#keys.get(cell)?.has(id) === true
  }

  #add(one: Opened): void {
    const { action, allow, id } = one.leaf
    this.#decisions.add(id)
    for (const handle of handlesIn(one, this.#lease)) this.#handles.add(handle)
    if (allow && action.startsWith('lease.')) this.state = this.#moved(one)
    this.events.push({ event: eventOf(one, this.state), one })
  }

  #moved(one: Opened): Life {
    const { id, time } = one.leaf
    const record = asMembers(membersOf(one, 'facts.resource').record)
    const moment = { id, now: time, epoch: typeof record.epoch === 'number' ? record.epoch : 0 }
    let life = this.state
    for (const effect of effectsOf(one)) life = after(life, effect, moment) ?? life
    return life
  }
}

/** By the facts; those of a token that did not verify name none, and what it says of itself is all there is. */
function leaseOf(one: Opened): unknown {
  const { check, lease } = membersOf(one, 'facts.token')
  return check === 'valid' ? lease : presented(one).lease
}

/** The decision that had it done. */
function entryOf(one: Opened): string {
  const { entry } = bodyOf(one)
  return typeof entry === 'string' ? (entry.split('/', 1)[0] as string) : ''
}

function handlesIn(one: Opened, lease: string): readonly string[] {
  const issued = issuedHandle(one)
  if (issued !== undefined) return membersOf(one, 'output').lease === lease ? [issued] : []
  const shown = presented(one)
  return shown.lease === lease ? shown.handles : []
}
