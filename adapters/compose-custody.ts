/** The custody that a configuration names, or several by scope. A module is imported when it is asked for, and not before. */
import type { Custody, KeyScope } from '../core/ports/custody.ts'
import type { Adapters } from './compose.ts'
import type { Foreign } from './config/complete.ts'
import type { OwnCustody } from './config/custody.ts'
import { temporaryFolder } from './datafolder/folder.ts'

/** @param openForeign opens one of somebody else @throws ConfigError, CustodyError; nothing is left open then */
export async function openKeys(
  adapters: Adapters,
  openForeign: (choice: Foreign) => Promise<Custody>,
): Promise<Custody> {
  const { custody: place } = adapters.config
  const open = (choice: Foreign | OwnCustody, scopes?: readonly KeyScope[]): Promise<Custody> =>
    choice.kind === 'foreign' ? openForeign(choice) : openOwn(adapters, choice, scopes)
  if (place.kind !== 'scoped') return open(place)
  const opened: { scopes: readonly KeyScope[]; custody: Custody }[] = []
  try {
    for (const { custody, scopes } of place.parts)
      opened.push({ scopes, custody: await open(custody, scopes) })
    const { openScopedCustody } = await import('./custody/scoped/index.ts')
    return openScopedCustody(opened)
  } catch (error) {
    await Promise.allSettled(opened.map(({ custody }) => custody.close()))
    throw error
  }
}

async function openOwn(
  adapters: Adapters,
  choice: OwnCustody,
  scopes?: readonly KeyScope[],
): Promise<Custody> {
  const served = scopes === undefined ? {} : { scopes }
  switch (choice.kind) {
    case 'file': {
      const dir = await keysFolder(adapters, choice.dir)
      const { openFileCustody } = await import('./custody/file/index.ts')
      return openFileCustody({ ...choice, ...served, dir })
    }
    case 'vault': {
      const { openVaultCustody } = await import('./custody/vault/index.ts')
      return openVaultCustody({ ...choice, ...served, clock: await adapters.get('clock') })
    }
    case 'kms': {
      const { openKmsCustody } = await import('./custody/kms/index.ts')
      return openKmsCustody({ ...choice, ...served, clock: await adapters.get('clock') })
    }
    case 'pkcs11': {
      const { openPkcs11Custody } = await import('./custody/pkcs11/index.ts')
      return openPkcs11Custody({ ...choice, ...served })
    }
  }
}

/** A log in memory takes its keys with it. */
async function keysFolder(adapters: Adapters, dir: string): Promise<string> {
  if (adapters.config.store.kind !== 'memory') return dir
  const { path, remove } = await temporaryFolder()
  adapters.onClose(remove)
  return path
}
