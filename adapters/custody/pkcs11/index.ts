/** Custody on an HSM, or whatever else has a PKCS #11 library: private keys that never leave the token. */
import { checkScopes } from '../../../core/keyref.ts'
import { type Custody, KEY_SCOPES, type KeyScope } from '../../../core/ports/custody.ts'
import { Pkcs11Custody } from './custody.ts'
import { NAME, refuse } from './failure.ts'
import { Host } from './host.ts'

export interface Pkcs11CustodyOptions {
  /** The vendor's PKCS #11 library. */
  readonly module: string
  /** The token's label: numbers of slots change. */
  readonly token: string
  /** The user's PIN in one line, in a file that its owner alone can read. Read again at each login. */
  readonly pinFile: string
  /** Begins the labels of all keys, so that several logs can share a token. Default `assay`. */
  readonly prefix?: string
  /** Default: all scopes. */
  readonly scopes?: readonly KeyScope[]
  /** Until a call of the port that got no answer fails; milliseconds, default 5,000. */
  readonly timeoutMs?: number
}

const PREFIX = /^[a-z0-9][a-z0-9-]{0,31}$/
const TIMEOUT_MS = 5000

/**
 * Loads the library in a process of its own, looks for the token and logs in.
 *
 * @throws CustodyError `misconfigured`: no such library, token or PIN file, or nothing that makes keys of ours; `denied`: the PIN;
 *   `insecure_permissions`: a PIN file that others may read; `scope_mismatch`: a scope that does not exist; `unavailable`: no answer
 */
export async function openPkcs11Custody(options: Pkcs11CustodyOptions): Promise<Custody> {
  const { prefix = 'assay', scopes = KEY_SCOPES, timeoutMs = TIMEOUT_MS } = options
  checkScopes(NAME, scopes)
  if (!PREFIX.test(prefix))
    throw refuse('misconfigured', `prefix is not ${PREFIX.source}; correct it`)
  const { module, pinFile, token } = options
  const host = new Host({ module, pinFile, token })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  try {
    const algorithms = await host.open(late.signal)
    if (algorithms.length === 0)
      throw refuse('misconfigured', `token "${token}" makes neither Ed25519 nor P-256 keys`)
    return new Pkcs11Custody({ host, algorithms, prefix, scopes, timeoutMs })
  } catch (error) {
    host.close()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
