/**
 * POST /assay/v1/announce: one signed wire message as raw bytes. Whoever signed nothing that counts learns nothing: the connection ends
 * without an answer, the refusal is counted, and after some of them the address is not listened to for a while. A message that is signed and
 * still denied is told why, so many times a second: each has a leaf, and copies of what others signed cost nothing to make.
 */
import { toBase64url } from '../../../core/crypto.ts'
import { NoDecision } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import { isKernelReason } from '../../../core/log/leaves.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { MAX_MESSAGE_BYTES } from '../../../formats/wire/index.ts'
import { type Answer, errorAnswer, Refusal, SILENCE } from './answer.ts'
import type { Call } from './call.ts'
import { decisionHeaders } from './frame.ts'
import { RateLimiter } from './rate.ts'
import { Sources } from './source.ts'

/** The kernel action without which there is no such endpoint. */
export const RECEIVE = 'announce.receive'

/** Messages without a signature that counts, from one address. */
const BAD = { perSecond: 0.2, burst: 10 }
/** Messages that are signed and denied. Whoever sends again what was heard is told so. */
const DENIED = { perSecond: 10, burst: 200 }
/** Addresses that are told apart; the others share one allowance. */
const PLACES = 10_000

export interface MessageDoorOptions {
  /** Without a clock nobody is limited. */
  readonly clock?: Clock | undefined
  readonly trustedProxies?: readonly string[] | undefined
}

export class MessageDoor {
  readonly #kernel: Kernel
  readonly #sources: Sources
  readonly #bad: RateLimiter | undefined
  readonly #denied: RateLimiter | undefined

  /** @throws TransportError `invalid_options` */
  constructor(kernel: Kernel, { clock, trustedProxies }: MessageDoorOptions = {}) {
    this.#kernel = kernel
    this.#sources = new Sources(trustedProxies)
    this.#bad = clock && new RateLimiter(BAD, () => clock.monotonic(), PLACES)
    this.#denied = clock && new RateLimiter(DENIED, () => clock.monotonic(), PLACES)
  }

  async answer(call: Call, peer: Peer): Promise<Answer> {
    const source = this.#sources.of(call)
    if ((this.#bad?.wait(source) ?? 0) > 0 || (this.#denied?.wait(source) ?? 0) > 0) {
      this.#kernel.refused(RECEIVE, 'rate_limited')
      return SILENCE
    }
    const bytes = await bodyOf(call)
    if (bytes === undefined) {
      this.#kernel.refused(RECEIVE, 'too_large')
      this.#bad?.take(source)
      return SILENCE
    }
    const message = toBase64url(bytes)
    const submission = { action: RECEIVE, payload: Payload.fromParsed({ message }), peer }
    try {
      const decision = await this.#kernel.decide(submission, { signal: call.signal })
      const headers = decisionHeaders(decision)
      if (decision.allow) return { status: 204, headers, body: '' }
      const { code = 'denied', message: why = 'denied' } = decision.reasons[0] ?? {}
      // The kernel's own denials are not about the message: perhaps later.
      if (isKernelReason(code))
        return errorAnswer(503, 'unavailable', why, { ...headers, 'retry-after': '1' })
      this.#denied?.take(source)
      return errorAnswer(403, code, why, headers)
    } catch (error) {
      if (!(error instanceof NoDecision) || error.code !== 'refused') throw error
      this.#bad?.take(source)
      return SILENCE
    }
  }
}

/** Undefined where no message is so long, as far as that can be told before it is read. */
async function bodyOf(call: Call): Promise<Uint8Array | undefined> {
  if (Number(call.header('content-length')) > MAX_MESSAGE_BYTES) return undefined
  try {
    return await call.body()
  } catch (error) {
    if (error instanceof Refusal && error.code === 'too_large') return undefined
    throw error
  }
}
