/** Custody in HashiCorp Vault: private keys are made in its transit engine and never leave it. README.md has the policy that it needs. */

import { readFile } from 'node:fs/promises'
import { checkScopes } from '../../../core/keyref.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { type Custody, KEY_SCOPES, type KeyScope } from '../../../core/ports/custody.ts'
import type { VaultAuth } from './auth.ts'
import { Changes } from './changes.ts'
import { VaultClient } from './client.ts'
import { VaultCustody } from './custody.ts'
import { NAME, refuse } from './failure.ts'
import { KnownKeys } from './known.ts'
import { Records } from './records.ts'
import { Session } from './session.ts'
import { Transit } from './transit.ts'

export type { VaultAuth } from './auth.ts'

export interface VaultCustodyOptions {
  /** `https://host:port`, of the active node or of a cluster that forwards; http is for this machine only. */
  readonly address: string
  readonly auth: VaultAuth
  /** Sent with every request; for Vault Enterprise and for OpenBao. */
  readonly namespace?: string
  /** Of the transit engine, which should have no other user. Default `assay-transit`. */
  readonly mount?: string
  /** Of a KV engine, version 2. Default `assay-kv`. */
  readonly kvMount?: string
  /** Whose keys these are, where several share a mount: `[a-z0-9]{1,32}`; default `assay`. */
  readonly prefix?: string
  /** PEM certificates that Vault's is checked with, in place of the platform's. */
  readonly caFile?: string
  /** Milliseconds for each call of the port, over everything that it asks of Vault. Default 5,000. */
  readonly timeoutMs?: number
  /** Default: all. */
  readonly scopes?: readonly KeyScope[]
  readonly clock: Clock
}

const PREFIX = /^[a-z0-9]{1,32}$/
/** Of a mount, and of an auth method: it becomes a part of paths. */
const MOUNT = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/
const NAMESPACE = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*\/?$/

/**
 * Logs in and looks into both mounts once, so that what is wrong with the settings is said at start.
 *
 * States that another process changed are up to two seconds old, but a version below Vault's own minimum is refused at once.
 *
 * @throws CustodyError `misconfigured`, `denied`, `unavailable`: with the setting to correct; `scope_mismatch`: a scope that does not exist
 */
export async function openVaultCustody(options: VaultCustodyOptions): Promise<Custody> {
  const { auth, clock, scopes = KEY_SCOPES, timeoutMs = 5000 } = options
  checkScopes(NAME, scopes)
  const { address, kvMount, mount, namespace, prefix } = checked(options)
  const ca = options.caFile === undefined ? undefined : await pemIn(options.caFile)
  const client = await VaultClient.create({
    address,
    clock,
    ...(namespace === undefined ? {} : { namespace }),
    ...(ca === undefined ? {} : { ca }),
  })
  const session = new Session({ client, auth, clock, timeoutMs })
  const transit = new Transit({ session, address, mount, prefix })
  const records = new Records({ session, address, mount: kvMount, prefix })
  const known = new KnownKeys(session, records, transit, clock)
  const changes = new Changes(records, transit)
  const custody = new VaultCustody({ session, transit, known, changes }, scopes)
  try {
    const [scope = 'log'] = scopes
    await transit.read(scope, 'any', session.deadline())
    await records.names(scope, session.deadline())
    return custody
  } catch (error) {
    await custody.close()
    throw error
  }
}

function checked(options: VaultCustodyOptions): {
  readonly address: string
  readonly kvMount: string
  readonly mount: string
  readonly namespace: string | undefined
  readonly prefix: string
} {
  const { auth, kvMount = 'assay-kv', mount = 'assay-transit', namespace } = options
  const { prefix = 'assay' } = options
  const mounts = { mount, kvMount, 'auth.mount': auth.kind === 'token' ? 'token' : auth.mount }
  for (const [setting, value] of Object.entries(mounts))
    if (value !== undefined && !MOUNT.test(value))
      throw refuse('misconfigured', `${setting} is no path of a mount; correct it`)
  if (namespace !== undefined && !NAMESPACE.test(namespace))
    throw refuse('misconfigured', 'namespace is no path of a namespace; correct it')
  if (!PREFIX.test(prefix))
    throw refuse('misconfigured', `prefix is not ${PREFIX.source}; correct it`)
  return { address: originOf(options.address), kvMount, mount, namespace, prefix }
}

/** An agent beside the process may speak plain HTTP. */
const LOCAL = /^(?:127\.0\.0\.1|localhost|\[::1\])$/

function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const { hash, password, pathname, protocol, search, username } = url ?? {}
  const more = `${username}${password}${pathname}${search}${hash}`
  if (url === undefined || (protocol !== 'https:' && protocol !== 'http:') || more !== '/')
    throw refuse('misconfigured', 'address is not https://host:port; correct it')
  if (protocol === 'http:' && !LOCAL.test(url.hostname))
    throw refuse(
      'misconfigured',
      'address is http to another machine, and whoever listens there has the token; use https',
    )
  return url.origin
}

async function pemIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse('misconfigured', `caFile ${file} cannot be read (${error.code}); correct it`)
  })
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw refuse('misconfigured', `caFile ${file} holds no PEM certificate; correct it`)
  return text
}
