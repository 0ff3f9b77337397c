/** Secrets in files as a subject: of their own conformance test, and what the mutants are made of. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileSecrets } from '../../../adapters/secrets/file/index.ts'
import type { Secrets } from '../../../core/ports/secrets.ts'
import { holdLock, keyFileIn } from '../custody/file.ts'
import type { OpenedSecrets, SecretsSubject } from '../secrets.ts'

/** @param changed what the laws are tried on in place of the secrets: for mutants */
export async function openSecretsFolder(
  changed: (secrets: Secrets) => Secrets = (secrets) => secrets,
): Promise<OpenedSecrets> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-secrets-'))
  const dir = join(folder, 'secrets')
  const secret = keyFileIn(folder)
  const closing: Secrets[] = []
  const again = async (): Promise<Secrets> => {
    const secrets = await openFileSecrets({ dir, lockWaitMs: 300, ...secret })
    closing.push(secrets)
    return changed(secrets)
  }
  let secrets = await again()
  const opened: OpenedSecrets = {
    get secrets() {
      return secrets
    },
    async reopen() {
      await secrets.close()
      secrets = await again()
      return opened
    },
    another: again,
    stall: async () => holdLock(dir),
    async dispose() {
      for (const one of closing) await one.close()
      rmSync(folder, { recursive: true })
    },
  }
  return opened
}

export const fileSecrets: SecretsSubject = {
  name: 'secrets/file',
  open: () => openSecretsFolder(),
}
