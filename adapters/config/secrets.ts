/** What a configuration file says about secrets, which are no signing keys. No secret stands in the file itself; files have them. */
import { z } from 'zod'
import { ConfigError } from '../../core/error.ts'

export interface SecretsConfig {
  readonly kind: 'file'
  readonly dir?: string
  readonly passphraseFile?: string
  readonly keyFile?: string
}
/** Paths are absolute. */
export type SecretsPlace = SecretsConfig & { readonly dir: string }

const path = z.string().min(1).max(4096)
const secretFile = (what: string) => path.describe(`${what}; a file that its owner alone can read`)

export const secretsSchema: z.ZodType<SecretsConfig> = z
  .strictObject({
    kind: z.literal('file'),
    dir: path
      .describe('A folder of its own, not that of the keys; default: secrets in the data folder')
      .exactOptional(),
    passphraseFile: secretFile('Encrypts them: a passphrase in one line').exactOptional(),
    keyFile: secretFile('Encrypts them in place of a passphrase: 32 random bytes').exactOptional(),
  })
  .describe('Where values are kept that are no signing keys; without it there is no place for any')

/**
 * @param usually the folder, and `at` makes a path absolute
 * @param keys where keys lie
 * @throws ConfigError `invalid_config`
 */
export function completeSecrets(
  written: SecretsConfig | undefined,
  usually: string,
  keys: readonly string[],
  at: (path: string) => string,
): { readonly secrets?: SecretsPlace } {
  if (written === undefined) return {}
  const { keyFile, passphraseFile } = written
  if ((keyFile === undefined) === (passphraseFile === undefined))
    throw refusal('needs a passphraseFile or a keyFile, one of them: secrets are encrypted always')
  const dir = written.dir === undefined ? usually : at(written.dir)
  if (keys.includes(dir)) throw refusal('has the folder of the keys; give it one of its own')
  return {
    secrets: {
      kind: written.kind,
      dir,
      ...(keyFile === undefined ? {} : { keyFile: at(keyFile) }),
      ...(passphraseFile === undefined ? {} : { passphraseFile: at(passphraseFile) }),
    },
  }
}

const refusal = (what: string): ConfigError => new ConfigError('invalid_config', `secrets ${what}`)
