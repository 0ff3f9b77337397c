/** The PIN, from a file that its owner alone can read. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { refuse } from './failure.ts'

/** PKCS #11 has no limit; no PIN is longer. */
const MAX_BYTES = 256

/** One line. @throws CustodyError `misconfigured`, `insecure_permissions` */
export async function pinIn(path: string): Promise<string> {
  // Not blocking: somebody may have put a pipe there.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    throw refuse('misconfigured', `pinFile ${path} cannot be read (${error.code}); correct it`)
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > MAX_BYTES)
      throw refuse('misconfigured', `pinFile ${path} is not a file with one PIN`)
    if ((stats.mode & 0o077) !== 0)
      throw refuse('insecure_permissions', `pinFile ${path} is open to others; chmod go= it`)
    const pin = (await file.readFile('utf8')).replace(/\r?\n$/, '')
    if (pin === '' || /[\r\n\0]/.test(pin))
      throw refuse('misconfigured', `pinFile ${path} is not one line with a PIN`)
    return pin
  } finally {
    await file.close()
  }
}
