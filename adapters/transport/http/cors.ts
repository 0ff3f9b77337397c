/**
 * Which web pages may ask, when any may: exact origins, never `*`, and no credentials of the browser's own.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import { TransportError } from '../../../core/error.ts'
import type { Answer } from './answer.ts'
import type { Call } from './call.ts'

export interface CorsOptions {
  /** Such as `https://console.example.com`: scheme, host and, where it is not the scheme's own, port. */
  readonly origins: readonly string[]
}

const REQUEST_HEADERS = [
  'assay-action',
  'assay-explain',
  'assay-obligations',
  'assay-receipt',
  'assay-seal',
  'assay-timeout-ms',
  'authorization',
  'content-type',
  'idempotency-key',
  'x-request-id',
].join(', ')
const ANSWER_HEADERS = 'assay-seal, retry-after, x-decision-id, x-request-id'
const VARY = 'Origin'

export class Cors {
  readonly #origins: ReadonlySet<string>

  /** @throws TransportError `invalid_options` */
  constructor({ origins }: CorsOptions) {
    for (const origin of origins)
      if (URL.parse(origin)?.origin !== origin || !/^https?:/.test(origin))
        throw new TransportError(
          'transport/http',
          'invalid_options',
          'cors.origins are whole origins such as https://console.example.com',
        )
    this.#origins = new Set(origins)
  }

  /** The answer as the page may read it; as it is for every other page. */
  decorate(call: Pick<Call, 'header'>, answer: Answer): Answer {
    const { vary } = answer.headers
    const origin = this.#allowed(call)
    return {
      ...answer,
      headers: {
        ...answer.headers,
        vary: vary === undefined ? VARY : `${vary}, ${VARY}`,
        ...(origin === undefined
          ? {}
          : {
              'access-control-allow-origin': origin,
              'access-control-expose-headers': ANSWER_HEADERS,
            }),
      },
    }
  }

  /** What a browser asks before it asks. @param methods of the path that it asks for */
  preflight(call: Pick<Call, 'header'>, methods: readonly string[]): Answer {
    const allowed = {
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': '600',
    }
    return { status: 204, headers: this.#allowed(call) === undefined ? {} : allowed, body: '' }
  }

  #allowed(call: Pick<Call, 'header'>): string | undefined {
    const origin = call.header('origin')
    return origin !== undefined && this.#origins.has(origin) ? origin : undefined
  }
}
