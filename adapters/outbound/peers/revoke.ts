/**
 * Revocations that a decision of this kernel asked for: each becomes a decision of its own, `announce.revoke`, which signs and sends it. It
 * is made at least once: what is revoked already is not told again. One after the other, since each takes the next number and many at once
 * would be denied as contended; and without an idempotency key, under which such a denial would stand for minutes.
 */
import type { Json } from '../../../core/json.ts'
import type { Kernel } from '../../../core/kernel.ts'
import { isKernelReason } from '../../../core/log/leaves.ts'
import type { Outbound } from '../../../core/ports/outbound.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Revoke, readEntry } from './entries.ts'
import { PeerError } from './error.ts'

/** What the outbox learned, decided in its own name. */
const OUTBOX: Peer = { kind: 'embedded', id: 'outbox' }

export interface RevokingOptions {
  readonly kernel: Pick<Kernel, 'decide'>
  /** Whose keys are here. What an entry without a cell revokes, each of them says: a cell's word ends its own tokens. */
  readonly cells: readonly string[]
}

export function createRevoking({ cells, kernel }: RevokingOptions): Outbound {
  let last: Promise<unknown> = Promise.resolve()
  return {
    name: 'outbound/revoking',
    kinds: ['announce.revoke'],
    async perform(action, signal): Promise<Json> {
      signal.throwIfAborted()
      if (action.kind !== 'announce.revoke')
        throw new PeerError('revoking', 'malformed_entry', `nobody here performs ${action.kind}`)
      const entry = readEntry(action, action.kind)
      const outcomes: Record<string, Json> = {}
      for (const cell of entry.cell === undefined ? cells : [entry.cell]) {
        const deciding = last.then(() => revoke(kernel, { ...entry, cell }, signal))
        last = deciding.catch(() => undefined)
        outcomes[cell] = await deciding
      }
      return outcomes
    },
  }
}

/** @throws PeerError `not_taken`; NoDecision */
async function revoke(
  kernel: Pick<Kernel, 'decide'>,
  asked: Revoke,
  signal: AbortSignal,
): Promise<Json> {
  const payload = Payload.fromJson(asked)
  const submission = { action: 'announce.revoke', payload, peer: OUTBOX }
  const { allow, id, reasons } = await kernel.decide(submission, { seal: 'durable', signal })
  if (allow) return { decided: id, revoked: true }
  const codes = reasons.map(({ code }) => code)
  // The kernel's own denials are not about the revocation: perhaps later.
  if (codes.some(isKernelReason))
    throw new PeerError('revoking', 'not_taken', `announce.revoke: ${codes.join(', ')}`)
  return { decided: id, revoked: false, why: codes.join(', ') }
}
