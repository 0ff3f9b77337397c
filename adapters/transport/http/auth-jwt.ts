/**
 * JSON Web Tokens, verified by `jose`: RFC 7519 with RFC 8725. Keys that cannot be fetched are no answer about a token: 503 then, and
 * never 401.
 */
import type { JWTPayload, JWTVerifyGetKey } from 'jose'
import { NoDecision } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { Refusal } from './answer.ts'
import type { Identity } from './auth.ts'
import { invalid, type JwtMethod, peerKind } from './auth-options.ts'
import { watchFiles } from './watched-files.ts'

type Jose = typeof import('jose')
const ALGORITHMS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const
const MAX_JWKS_BYTES = 1_048_576
/** After a fetch that failed, the next one waits so long. */
const PAUSE_MS = 1000

interface Keys {
  readonly find: JWTVerifyGetKey
  close(): void
}

/** One issuer. */
export class Issuer {
  readonly #method: JwtMethod
  readonly #jose: Jose
  readonly #keys: Keys
  readonly #clock: Clock | undefined

  private constructor(method: JwtMethod, jose: Jose, keys: Keys, clock: Clock | undefined) {
    this.#method = method
    this.#jose = jose
    this.#keys = keys
    this.#clock = clock
  }

  /** @throws TransportError `invalid_options` when a file of keys cannot be used. A URL is not asked yet. */
  static async open(
    method: JwtMethod,
    onChange: (error?: unknown) => void,
    clock: Clock | undefined,
    everyMs?: number,
  ): Promise<Issuer> {
    const jose = await import('jose')
    const { jwks } = method
    const keys =
      'url' in jwks
        ? remoteKeys(jose, jwks.url, method.timeoutMs ?? 5000)
        : await fileKeys(jose, jwks.file, onChange, everyMs)
    return new Issuer(method, jose, keys, clock)
  }

  /** Whether the token says that it is this issuer's; nothing of it is verified. */
  isNamedBy(unverified: JWTPayload): boolean {
    return unverified.iss === this.#method.issuer
  }

  /** @throws Refusal `invalid_token`; NoDecision `unavailable` */
  async verify(token: string): Promise<Identity> {
    const { algorithms = ALGORITHMS, audience, clockSkewSeconds = 30, issuer, typ } = this.#method
    try {
      const { payload } = await this.#jose.jwtVerify(token, this.#keys.find, {
        algorithms: [...algorithms],
        audience: [audience].flat(),
        clockTolerance: clockSkewSeconds,
        issuer,
        requiredClaims: ['exp'],
        ...(typ === undefined ? {} : { typ }),
        ...(this.#clock === undefined ? {} : { currentDate: new Date(this.#clock.now()) }),
      })
      return this.#identity(payload)
    } catch (error) {
      if (error instanceof NoDecision || error instanceof Refusal) throw error
      throw refused()
    }
  }

  close(): void {
    this.#keys.close()
  }

  #identity(payload: JWTPayload): Identity {
    const { peer, realm, realmClaim } = this.#method
    const id = claim(payload, peer?.claim ?? 'sub')
    const bound = realmClaim === undefined ? realm : claim(payload, realmClaim)
    return {
      peer: { kind: peerKind(this.#method), id },
      ...(bound === undefined ? {} : { realm: bound }),
    }
  }
}

/** Which check failed is for nobody who holds a token that did not pass. */
export function refused(): Refusal {
  return new Refusal('invalid_token', 'the token is not valid here, or not any more')
}

/** As of a certificate: nothing that a terminal or a header would take for more than text. */
const NAME = /^\P{Cc}+$/u

function claim(payload: JWTPayload, name: string): string {
  const value = Object.hasOwn(payload, name) ? payload[name] : undefined
  if (typeof value === 'string' && value.length <= 256 && NAME.test(value) && value.isWellFormed())
    return value
  throw refused()
}

async function fileKeys(
  { createLocalJWKSet }: Jose,
  file: string,
  onChange: (error?: unknown) => void,
  everyMs?: number,
): Promise<Keys> {
  const read = (bytes: Buffer): JWTVerifyGetKey => {
    try {
      return createLocalJWKSet(JSON.parse(bytes.toString()))
    } catch (cause) {
      throw invalid(`${file} is no JSON Web Key Set`, cause)
    }
  }
  const watch = await watchFiles({ file }, { everyMs }).catch((cause) => {
    throw invalid(`${file} cannot be read`, cause)
  })
  let keys: JWTVerifyGetKey
  try {
    keys = read(watch.contents.file)
  } catch (error) {
    watch.close()
    throw error
  }
  watch.onChange = (contents) => {
    try {
      keys = read(contents.file)
      onChange()
    } catch (error) {
      onChange(error)
    }
  }
  return { find: (header, token) => keys(header, token), close: () => watch.close() }
}

function remoteKeys(jose: Jose, url: string, timeoutMs: number): Keys {
  const { createRemoteJWKSet, customFetch, errors } = jose
  let isPausing = false
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    [customFetch]: async (address: string, options: RequestInit) => {
      if (isPausing) throw new Error('it could not be fetched just now')
      try {
        return await boundedFetch(address, options)
      } catch (error) {
        isPausing = true
        setTimeout(() => {
          isPausing = false
        }, PAUSE_MS).unref()
        throw error
      }
    },
  })
  const aboutToken = [
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
    errors.JOSENotSupported,
  ]
  const find: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token)
    } catch (cause) {
      if (aboutToken.some((kind) => cause instanceof kind)) throw cause
      throw new NoDecision('unavailable', "the issuer's keys cannot be fetched", {
        cause,
        retryAfterMs: PAUSE_MS,
      })
    }
  }
  return { find, close: () => undefined }
}

async function boundedFetch(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options)
  if (response.status !== 200) throw new Error(`it answers ${response.status}`)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_JWKS_BYTES) throw new Error(`it answers with more than ${MAX_JWKS_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), { status: 200 })
}
