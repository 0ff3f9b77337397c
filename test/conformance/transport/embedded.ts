/** The embedded transport as a program sees it: promises and typed errors. */
import {
  type Assay,
  createAssay,
  type Evaluation,
} from '../../../adapters/transport/embedded/index.ts'
import { NoDecision } from '../../../core/error.ts'
import type { OpenedTransport, Reply, Sent, TransportSubject } from '../transport.ts'

export const embeddedSubject: TransportSubject = {
  name: 'transport/embedded',
  peer: { kind: 'embedded', id: 'billing' },
  async open(kernel, { maxBytes }): Promise<OpenedTransport> {
    const assay = createAssay(kernel, { id: 'billing', maxPayloadBytes: maxBytes })
    return { send: (sent) => send(assay, sent), close: () => assay.close() }
  },
}

async function send(assay: Assay, { evaluation, forged, ...options }: Sent): Promise<Reply> {
  // A program has no other place to say who it is.
  const asked = forged ? { ...options, peer: { kind: 'operator', id: 'root' } } : options
  try {
    const { allow, id } = await assay.decide(evaluation as Evaluation, asked)
    return { allow, id }
  } catch (error) {
    if (!(error instanceof NoDecision)) throw error
    const { code, decisionId, message, retryAfterMs } = error
    return {
      code,
      text: message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(decisionId === undefined ? {} : { decisionId }),
    }
  }
}
