/** Custody in AWS KMS: private keys that never leave it. */
import { checkScopes } from '../../../core/keyref.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import {
  type Custody,
  KEY_ALGORITHMS,
  KEY_SCOPES,
  type KeyAlgorithm,
  type KeyScope,
} from '../../../core/ports/custody.ts'
import { Calls, type Sdk } from './calls.ts'
import { KmsCustody } from './custody.ts'
import { NAME, refuse } from './failure.ts'

export interface KmsCustodyOptions {
  /** AWS's name of it, as in `eu-central-1`. */
  readonly region: string
  /** Default: AWS's own of the region. */
  readonly endpoint?: string
  /** Begins the names of all aliases, so that several logs can share an account. Default `assay`. */
  readonly prefix?: string
  /** What keys it makes, the first one by default. Default `ecdsa-p256` alone: Ed25519 was tested against no server. */
  readonly algorithms?: readonly KeyAlgorithm[]
  /** Default: all scopes. */
  readonly scopes?: readonly KeyScope[]
  /** Until a call of the port that got no answer fails; milliseconds, default 5,000. */
  readonly timeoutMs?: number
  /** How old what is known of keys and states may get: a bound on how late other processes' revocations count. Milliseconds, default 2,000. */
  readonly maxAgeMs?: number
  readonly clock: Clock
}

const REGION = /^[a-z0-9-]{1,64}$/
const PREFIX = /^[a-z0-9][a-z0-9-]{0,31}$/
const TIMEOUT_MS = 5000
const MAX_AGE_MS = 2000

/**
 * Makes no call yet: a server starts also while KMS does not answer, and what is wrong is said by the first call. Credentials come from the
 * SDK's own chain: the role of the machine, a profile, the environment.
 *
 * @throws CustodyError `misconfigured`: an option that cannot be right, or the SDK is not installed; `scope_mismatch`: there is no such scope
 */
export async function openKmsCustody(options: KmsCustodyOptions): Promise<Custody> {
  const { clock, endpoint, region, timeoutMs = TIMEOUT_MS } = options
  const { algorithms = ['ecdsa-p256'], prefix = 'assay', scopes = KEY_SCOPES } = options
  check(options, { algorithms, prefix, scopes })
  const sdk = await loadSdk()
  const client = new sdk.KMSClient({
    region,
    maxAttempts: 1,
    ...(endpoint === undefined ? {} : { endpoint }),
  })
  const place = { region, ...(endpoint === undefined ? {} : { endpoint }) }
  const calls = new Calls({ sdk, client, place, clock, timeoutMs })
  const { maxAgeMs = MAX_AGE_MS } = options
  return new KmsCustody({ calls, clock, prefix, scopes, algorithms, maxAgeMs })
}

function check(
  { endpoint, region }: KmsCustodyOptions,
  {
    algorithms,
    prefix,
    scopes,
  }: Required<Pick<KmsCustodyOptions, 'algorithms' | 'prefix' | 'scopes'>>,
): void {
  checkScopes(NAME, scopes)
  const wrong = (setting: string, what: string): Error =>
    refuse('misconfigured', `custody.${setting} is ${what}`)
  if (!REGION.test(region)) throw wrong('region', 'no name of a region, such as eu-central-1')
  if (!PREFIX.test(prefix)) throw wrong('prefix', `no ${PREFIX.source}`)
  if (algorithms.length === 0 || algorithms.some((one) => !KEY_ALGORITHMS.includes(one)))
    throw wrong('algorithms', `none of ${KEY_ALGORITHMS.join(', ')}`)
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    throw wrong('endpoint', 'no http or https URL')
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-kms')
  } catch {
    throw refuse(
      'misconfigured',
      'custody kms needs the AWS SDK: run npm install @aws-sdk/client-kms',
    )
  }
}
