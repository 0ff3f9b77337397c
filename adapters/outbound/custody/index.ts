/**
 * Performs `signer.make`, `signer.move` and `signer.seal`: has custody make a key or a secret, bring a version into a state, or seal a secret to
 * its recipient, and reports the outcome as a decision of
 * its own before the entry leaves the outbox. It decides nothing: what an outcome means stands in policies/signer. Private keys stay in custody, and so do
 * values.
 *
 * Entries are performed at least once, so before custody is asked the kernel is, by a dry run, whether the record still says so: an entry
 * that was overtaken changes nothing. Entries of one key take turns, so that none is overtaken in between.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel, Submission } from '../../../core/kernel.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import type { Outbound } from '../../../core/ports/outbound.ts'
import type { Secrets } from '../../../core/ports/secrets.ts'
import { Payload } from '../../../core/request.ts'
import { Turns } from '../../../core/turns.ts'
import { type Entry, readEntry, SECRET } from './entries.ts'
import { KeyCustodyError } from './error.ts'
import { keptKeys, make, move } from './keys.ts'
import { keptSecrets, seal } from './secrets.ts'

export { KeyCustodyError, type KeyCustodyErrorCode } from './error.ts'

export interface KeyCustodyOptions {
  readonly custody: Custody
  /** Undefined: there is no place for any, and what asks for one fails. */
  readonly secrets?: Secrets | undefined
  readonly clock: Pick<Clock, 'now'>
  /** Of the records. It is asked in the name of the outbox: `{ kind: 'embedded', id: 'outbox' }`. */
  readonly kernel: Pick<Kernel, 'check' | 'decide'>
}

const PEER = { kind: 'embedded', id: 'outbox' } as const
/** Reasons with which the kernel says that nobody waits for this any more. */
const SETTLED: ReadonlySet<string> = new Set([
  'creation_not_due',
  'delivery_not_due',
  'move_not_due',
])
const POLL_MS = 50

export function createKeyCustody(options: KeyCustodyOptions): Outbound {
  const turns = new Turns()
  return {
    name: 'outbound/custody',
    kinds: ['signer.make', 'signer.move', 'signer.seal'],
    async perform(action, signal) {
      const entry = readEntry(action)
      await until(entry, options.clock, signal)
      const { name, scope } = entry.body
      return turns.take(`${scope}/${name}`, signal, () => settle(options, entry, signal))
    },
  }
}

/** Not before its time: whatever still signs with the key is through by then. */
async function until(
  { body, kind }: Entry,
  clock: Pick<Clock, 'now'>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  if (kind !== 'signer.move') return
  while (clock.now() < body.not_before * 1000) await pause(POLL_MS, undefined, { signal })
}

async function settle(
  options: KeyCustodyOptions,
  entry: Entry,
  signal: AbortSignal,
): Promise<Json> {
  const { kernel } = options
  const before = await kernel.check(submission(entry, { failed: 'unknown' }), { signal })
  const settled = settledBy(before)
  if (settled !== undefined) return { settled }
  signal.throwIfAborted()
  const outcome = await performed(options, entry)
  const decision = await kernel.decide(submission(entry, outcome), { seal: 'durable' })
  const late = settledBy(decision)
  return { decision: decision.id, ...(late === undefined ? {} : { settled: late }) }
}

/** What came of it, as the decision on the outcome says it. */
async function performed({ custody, secrets }: KeyCustodyOptions, entry: Entry): Promise<object> {
  if (entry.kind === 'signer.seal') return seal(secrets, entry.body)
  const kept = entry.body.scope === SECRET ? keptSecrets(secrets) : keptKeys(custody)
  return entry.kind === 'signer.make' ? make(kept, entry.body) : move(kept, entry.body)
}

/** The decision that an outcome asks for. */
function submission(entry: Entry, outcome: object): Submission {
  const { name, scope } = entry.body
  if (entry.kind === 'signer.make') return asked('signer.created', { name, scope, ...outcome })
  if (entry.kind === 'signer.seal') {
    const { decision: delivery, version } = entry.body
    return asked('signer.delivered', { delivery, name, scope, version, ...outcome })
  }
  const { state, version } = entry.body
  return asked('signer.moved', { name, scope, state, version, ...outcome })
}

function asked(action: string, payload: object): Submission {
  return { action, payload: Payload.fromJson(payload), peer: PEER }
}

/** Why there is nothing left to do; undefined when the outcome counts. @throws KeyCustodyError `undecided` */
function settledBy({ allow, reasons }: Pick<Decision, 'allow' | 'reasons'>): string | undefined {
  const code = reasons[0]?.code ?? ''
  if (SETTLED.has(code)) return code
  if (allow) return undefined
  throw new KeyCustodyError('outbound/custody', 'undecided', `the kernel said ${code}`)
}
