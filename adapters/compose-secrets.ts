/** The place for secrets that a configuration names; where it names none, there is none. */
import type { Secrets } from '../core/ports/secrets.ts'
import type { Adapters } from './compose.ts'

/** Closed with the adapters. @throws CustodyError */
export async function openSecrets(adapters: Adapters): Promise<Secrets | undefined> {
  const { secrets: place } = adapters.config
  if (place === undefined) return undefined
  const { openFileSecrets } = await import('./secrets/file/index.ts')
  const secrets = await openFileSecrets(place)
  adapters.onClose(() => secrets.close())
  return secrets
}
