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
import type { LeaseEvent } from './event.ts'
import type { Life } from './life.ts'
import { opened } from './opened.ts'
import { boundKeys, isOfLeases, type Problem, Reading, type Unknown } from './reading.ts'
import { type Difference, differences } from './records.ts'
import { decisionsIn } from './scan.ts'

export interface ReconstructPorts {
  readonly store: Store
  readonly log: LogStore
  readonly anchor: TrustAnchor
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
  const reading = new Reading(lease, await boundKeys(ports))
  const found = await compared(ports, reading, lease)
  if (reading.events.length === 0) return undefined
  const { size, problems } = await proved(ports, reading)
  const { state, unknown } = reading
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

/** A server that runs may have decided more between reading the log and reading the records: then the rest is read too. */
const MAX_READINGS = 8

async function compared(
  { log, store }: ReconstructPorts,
  reading: Reading,
  lease: string,
): Promise<readonly Difference[]> {
  let from = (await findDecision(store, log, lease))?.index ?? 0n
  for (let readings = 1; ; readings++) {
    const to = await log.size()
    for await (const logged of decisionsIn(log, isOfLeases, { from, to }))
      reading.take(await opened(store, logged))
    const found = await differences(store, lease, reading.state)
    const all = (await log.size()) === to || readings === MAX_READINGS
    if (found.length === 0 || all) return found
    from = to
  }
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
