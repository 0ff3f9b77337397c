/**
 * Revocations that a decision of this kernel asked for: each becomes a decision of its own, `announce.revoke`, which signs and sends it. It
 * is made at least once: what is revoked already is not told again. One after the other, since each takes the next number and many at once
 * would be denied as contended; and without an idempotency key, under which such a denial would stand for minutes.
 */
import type { Json } from '../../../core/json.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Outbound } from '../../../core/ports/outbound.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { readEntry } from './entries.ts'
import { PeerError } from './error.ts'

/** What the outbox learned, decided in its own name. */
const OUTBOX: Peer = { kind: 'embedded', id: 'outbox' }

export interface RevokingOptions {
  readonly kernel: Pick<Kernel, 'decide'>
  /** Which cell's key signs where the entry names no cell. Undefined: no cell's key is here, so there is nobody to tell and nothing to sign. */
  readonly cell: string | undefined
}

export function createRevoking({ cell, kernel }: RevokingOptions): Outbound {
  let last: Promise<unknown> = Promise.resolve()
  return {
    name: 'outbound/revoking',
    kinds: ['announce.revoke'],
    async perform(action, signal): Promise<Json> {
      signal.throwIfAborted()
      if (action.kind !== 'announce.revoke')
        throw new PeerError('revoking', 'malformed_entry', `nobody here performs ${action.kind}`)
      const asked = { cell, ...readEntry(action, action.kind) }
      if (asked.cell === undefined) return { revoked: false, why: 'no_cell' }
      const submission = { action: action.kind, payload: Payload.fromJson(asked), peer: OUTBOX }
      const deciding = last.then(() => kernel.decide(submission, { seal: 'durable', signal }))
      last = deciding.catch(() => undefined)
      const decision = await deciding
      const codes = decision.reasons.map(({ code }) => code)
      // The kernel's own denials are not about the revocation: perhaps later.
      if (codes.some((code) => code.startsWith('kernel/')))
        throw new PeerError('revoking', 'not_taken', `announce.revoke: ${codes.join(', ')}`)
      const { allow: revoked, id: decided } = decision
      return revoked ? { decided, revoked } : { decided, revoked, why: codes.join(', ') }
    },
  }
}
