/** `assay key reencrypt`: the keys of a folder under another passphrase or key file. */
import { resolve } from 'node:path'
import { reencryptKeys, type SecretFiles } from '../../adapters/custody/file/index.ts'
import { configured, type PlaceOptions, shown } from '../input.ts'
import { type ExitCode, type Out, UsageError } from '../out.ts'

export interface ReencryptOptions extends PlaceOptions {
  readonly passphraseFile?: string
  readonly keyFile?: string
}

/** What opens the folder so far, the configuration says. @throws UsageError, CustodyError: nothing was changed, or it goes on at the next start */
export async function reencrypt(options: ReencryptOptions, out: Out): Promise<ExitCode> {
  const { custody } = await configured(options)
  const parts = custody.kind === 'scoped' ? custody.parts.map((part) => part.custody) : [custody]
  const files = parts.filter((part) => part.kind === 'file')
  if (files.length === 0)
    throw new UsageError('not_found', 'the configuration has no custody of kind file')
  const to = secret(options)
  for (const { dir, ...from } of files) await reencryptKeys({ dir, from: secret(from), to })
  const folders = files.map(({ dir }) => dir)
  out.answer(
    { folders },
    `${folders.map(shown).join(', ')}: name the new file in the configuration`,
  )
  return 0
}

function secret({ keyFile, passphraseFile }: SecretFiles): SecretFiles {
  return {
    ...(keyFile === undefined ? {} : { keyFile: resolve(keyFile) }),
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(passphraseFile) }),
  }
}
