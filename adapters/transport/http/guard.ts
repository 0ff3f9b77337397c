/** Who gets in: how often a source may ask, who the caller is, whether that is the realm's, and how often a caller may ask. */
import { TransportError } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Peer } from '../../../core/request.ts'
import { Refusal } from './answer.ts'
import { ANONYMOUS, type Authenticator } from './auth.ts'
import type { Call, Endpoint, OpenGroup } from './call.ts'
import { type Rate, RateLimiter } from './rate.ts'
import { wrongRealm } from './realm.ts'
import { Sources } from './source.ts'

export interface RateLimits {
  /** For each authenticated peer. */
  readonly perPeer?: Rate
  /** For each address, before anybody is authenticated. Liveness and readiness are not counted. */
  readonly perSource?: Rate
  /** Peers, and sources, that are told apart at a time. Default 10,000; at most 1,000,000. */
  readonly places?: number
}

export interface GuardOptions {
  /** Undefined: everybody is anonymous. */
  readonly auth: Authenticator | undefined
  /** Readable without authentication. */
  readonly open: ReadonlySet<OpenGroup>
  /** The name of the realm that is guarded; undefined for the server's own. */
  readonly realm: string | undefined
  readonly rateLimit: RateLimits | undefined
  readonly trustedProxies: readonly string[] | undefined
  readonly clock: Clock | undefined
}

export class Guard {
  readonly #options: GuardOptions
  readonly #sources: Sources
  readonly #perSource: RateLimiter | undefined
  readonly #perPeer: RateLimiter | undefined

  /** @throws TransportError `invalid_options` */
  constructor(options: GuardOptions) {
    const { clock, rateLimit = {}, trustedProxies } = options
    const { perPeer, perSource, places = 10_000 } = rateLimit
    const limiter = (rate: Rate | undefined): RateLimiter | undefined =>
      rate && new RateLimiter(checked(rate), timeOf(clock), checkedPlaces(places))
    this.#options = options
    this.#sources = new Sources(trustedProxies)
    this.#perSource = limiter(perSource)
    this.#perPeer = limiter(perPeer)
  }

  /** @throws Refusal with 400, 401, 403 or 429; NoDecision */
  async identify(endpoint: Pick<Endpoint, 'open'>, call: Call): Promise<Peer> {
    const { auth, open, realm } = this.#options
    if (endpoint.open !== 'health') limit(this.#perSource, () => this.#sources.of(call))
    if (auth === undefined || isOpen(endpoint, open)) return ANONYMOUS
    const identity = await identified(auth, call)
    const { peer } = identity
    // Nobody in particular belongs to no realm, and is where the route says.
    if (peer !== ANONYMOUS && identity.realm !== realm) throw wrongRealm()
    if (peer !== ANONYMOUS) limit(this.#perPeer, () => `${peer.kind}\n${peer.id}`)
    return peer
  }
}

function checked(rate: Rate): Rate {
  const { burst = 1, perSecond } = rate
  if (perSecond >= 0.001 && perSecond <= 1e6 && burst >= 1 && burst <= 1e6) return rate
  throw invalid('perSecond is from 0.001 to 1,000,000, and burst from 1')
}

function checkedPlaces(places: number): number {
  if (Number.isSafeInteger(places) && places >= 1 && places <= 1_000_000) return places
  throw invalid('places are 1 to 1,000,000')
}

function timeOf(clock: Clock | undefined): () => number {
  if (clock !== undefined) return () => clock.monotonic()
  throw invalid('limits need a clock')
}

function invalid(what: string): TransportError {
  return new TransportError('transport/http', 'invalid_options', `rateLimit: ${what}`)
}

function isOpen({ open }: Pick<Endpoint, 'open'>, groups: ReadonlySet<OpenGroup>): boolean {
  return open !== undefined && (open === 'always' || groups.has(open))
}

async function identified(
  auth: Authenticator,
  call: Call,
): Promise<Awaited<ReturnType<Authenticator['identify']>>> {
  try {
    return await auth.identify(call)
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 401) throw error
    const challenge = { 'www-authenticate': auth.challenge(error.code) }
    throw new Refusal(error.code, error.what, { ...error.headers, ...challenge })
  }
}

function limit(limiter: RateLimiter | undefined, caller: () => string): void {
  const waitMs = limiter?.take(caller()) ?? 0
  if (waitMs > 0)
    throw new Refusal('rate_limited', 'too many requests; retry later', {
      'retry-after': String(Math.ceil(waitMs / 1000)),
    })
}
