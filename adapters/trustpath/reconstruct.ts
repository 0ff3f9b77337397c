/**
 * What happened to one lease, from the log alone: who asked for what, what every signature said, what came of it, and the state after each
 * step. The plugin's records are looked at last, to say whether they agree.
 */
import { LogError } from '../../core/error.ts'
import { type TrustAnchor, verifyHead } from '../../core/log/anchor.ts'
import type { Checkpoint } from '../../core/log/checkpoint.ts'
import { leafHash } from '../../core/log/leaf.ts'
import { inclusionProof, verifyInclusion } from '../../core/log/proof.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { findDecision } from '../../core/receipts.ts'
import { effectsOf, eventOf, issuedHandle, type LeaseEvent, presented } from './event.ts'
import { after, type Life } from './life.ts'
import { asMembers, bodyOf, membersOf, mentions, type Opened, opened } from './opened.ts'
import { type Difference, differences } from './records.ts'
import { decisionsIn } from './scan.ts'

export interface ReconstructPorts {
  readonly store: Store
  readonly log: LogStore
  readonly anchor: TrustAnchor
}

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

export interface Reconstruction {
  readonly lease: string
  /** Leaves under the signed head that everything was held against, decimal; events after it are not proved yet. */
  readonly size: string
  readonly events: readonly LeaseEvent[]
  readonly unknown: readonly Unknown[]
  /** What is not as the log commits to it. */
  readonly problems: readonly Problem[]
  readonly state: Life
  /** Where the plugin's records say otherwise than the log. */
  readonly differences: readonly Difference[]
  /** No problem, no difference, and nothing unknown that could have changed the state. */
  readonly ok: boolean
}

/** Undefined where the log knows nothing of such a lease. @throws StoreError; LogError `malformed`: a leaf that is none */
export async function reconstruct(
  ports: ReconstructPorts,
  lease: string,
): Promise<Reconstruction | undefined> {
  const { log, store } = ports
  const granted = await findDecision(store, log, lease)
  const reading = new Reading(lease)
  for await (const logged of decisionsIn(log, isOfLeases, { from: granted?.index ?? 0n }))
    reading.take(await opened(store, logged))
  if (reading.events.length === 0) return undefined
  const { size, problems } = await proved(ports, reading)
  const { state, unknown } = reading
  const found = await differences(store, lease, state)
  const settled = unknown.every(({ action, allow }) => !allow || !action.startsWith('lease.'))
  return {
    lease,
    size,
    events: reading.events.map(({ event }) => event),
    unknown,
    problems,
    state,
    differences: found,
    ok: problems.length === 0 && found.length === 0 && settled,
  }
}

const PLUGINS: ReadonlySet<string> = new Set(['announce', 'capability', 'lease'])
const PERFORM = 'kernel.perform'
const isOfLeases = (action: string): boolean =>
  action === PERFORM || PLUGINS.has(action.slice(0, action.indexOf('.')))

/** Takes decisions in the order of the log, and keeps those that are about one lease. */
class Reading {
  readonly #lease: string
  readonly #decisions = new Set<string>()
  /** Of every token of the lease that was seen. */
  readonly #handles = new Set<string>()
  readonly events: { readonly event: LeaseEvent; readonly one: Opened }[] = []
  readonly unknown: Unknown[] = []
  readonly altered: Problem[] = []
  state: Life = {}

  constructor(lease: string) {
    this.#lease = lease
  }

  take(one: Opened): void {
    const { action, allow, id } = one.leaf
    if (one.state === 'erased')
      this.unknown.push({ index: `${one.index}`, decision: id, action, allow })
    else if (one.state === 'altered')
      this.altered.push({ where: id, detail: 'its openings are not what the leaf committed to' })
    else if (this.#concerns(one)) this.#add(one)
  }

  #concerns(one: Opened): boolean {
    if (one.leaf.action === PERFORM) return this.#decisions.has(entryOf(one))
    if (mentions(one, this.#lease)) return true
    const { action } = one.leaf
    // Of a token that did not verify the facts name no lease; what it says of itself is said here, and no more than that.
    if (action === 'capability.use') return !isVerified(one) && presented(one).lease === this.#lease
    const { id, kind } = bodyOf(one)
    if (kind === 'tenant') return id === this.state.lease?.tenant
    return typeof id === 'string' && this.#handles.has(id)
  }

  #add(one: Opened): void {
    const { action, allow, id } = one.leaf
    this.#decisions.add(id)
    for (const handle of handlesIn(one, this.#lease)) this.#handles.add(handle)
    if (allow && action.startsWith('lease.')) this.state = this.#moved(one)
    this.events.push({ event: eventOf(one, this.state), one })
  }

  /** A grant of another lease mentions this one only where it was refused, or is not about it. */
  #moved(one: Opened): Life {
    const { id, time } = one.leaf
    const { epoch } = asMembers(membersOf(one, 'facts.resource').record)
    const moment = { id, now: time, epoch: typeof epoch === 'number' ? epoch : 0 }
    let life = this.state
    for (const effect of effectsOf(one)) {
      if (effect.kind === 'lease.grant' && id !== this.#lease) continue
      life = after(life, effect, moment) ?? life
    }
    return life
  }
}

const isVerified = (one: Opened): boolean => membersOf(one, 'facts.token').check === 'valid'

/** The decision that had it done. */
function entryOf(one: Opened): string {
  const { entry } = bodyOf(one)
  return typeof entry === 'string' ? (entry.split('/', 1)[0] as string) : ''
}

function handlesIn(one: Opened, lease: string): readonly string[] {
  const issued = issuedHandle(one)
  if (issued !== undefined) return [issued]
  const shown = presented(one)
  return shown.lease === lease ? shown.handles : []
}

/** Every event is where the log has it, under the head that its key signed. */
async function proved(
  { anchor, log }: ReconstructPorts,
  { altered, events }: Reading,
): Promise<{ readonly size: string; readonly problems: readonly Problem[] }> {
  const head = await headOf(log, anchor)
  if ('detail' in head) return { size: '0', problems: [...altered, head] }
  const problems = [...altered]
  for (const { one } of events) {
    const { index, leaf, text } = one
    if (index >= head.size) continue
    const path = await inclusionProof(log, index, head.size)
    if (!verifyInclusion(leafHash(text), index, head.size, path, head.root))
      problems.push({ where: leaf.id, detail: 'its leaf is not under the signed head' })
  }
  return { size: `${head.size}`, problems }
}

async function headOf(log: LogStore, anchor: TrustAnchor): Promise<Checkpoint | Problem> {
  const note = await log.checkpoint()
  if (note === undefined) return { where: 'head', detail: 'the log has no signed head yet' }
  try {
    return verifyHead(note, anchor)
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return { where: 'head', detail: error.message }
  }
}
