/** Decisions of the plugin `release`, made in this process and asked by whoever holds the data folder. */
import { type Composed, type Config, compose } from '../../adapters/compose.ts'
import type { Decision } from '../../core/kernel.ts'
import { Payload } from '../../core/request.ts'
import {
  MAX_KEY_FILE_BYTES,
  publicKeyText,
  readPublicKey,
  readPublicKeyFile,
} from '../../formats/minisign/index.ts'
import { operator } from '../decide.ts'
import { bytesOf, configured, type PlaceOptions } from '../input.ts'
import { printable, UsageError } from '../out.ts'

export type Ask = (action: string, payload: object) => Promise<Decision>

/** Lets `put` ask, and closes what was opened for it. */
export async function asking<T>(options: PlaceOptions, put: (ask: Ask) => Promise<T>): Promise<T> {
  const composed = await compose(withRelease(await configured(options)), { watch: false })
  const peer = { kind: 'operator', id: operator() }
  const ask: Ask = (action, payload) =>
    composed.kernel.decide({ action, payload: Payload.fromJson(payload), peer })
  return settled(composed, put(ask))
}

async function settled<T>(composed: Composed, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } finally {
    await composed.close()
  }
}

/** A server need not serve releases for its data folder to keep their pins. */
function withRelease(config: Config): Config {
  if (config.plugins.some(({ name }) => name === 'release')) return config
  const plugin = { name: 'release', isolation: 'none', deadlineMs: 5000 } as const
  return { ...config, plugins: [...config.plugins, plugin] }
}

/** @param given a public key as minisign prints it, or its `.pub` file. @throws UsageError */
export async function keyOf(given: string): Promise<string> {
  if (!('problem' in readPublicKey(given))) return given
  if (/^RW[A-Za-z0-9+/]{54}$/.test(given)) return given
  const file = await bytesOf(given, 'the public key')
  const read = file.length > MAX_KEY_FILE_BYTES ? { problem: 'malformed' } : readPublicKeyFile(file)
  if ('problem' in read)
    throw new UsageError('usage', `${printable(given)} is not a minisign public key`)
  return publicKeyText({ keyId: read.keyId, publicKey: read.key.publicKey })
}
