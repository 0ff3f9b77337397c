/** What verbs are given: a configuration, files, standard input. */
import { readFile, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Config } from '../adapters/config/complete.ts'
import { loadConfig } from '../adapters/config/load.ts'
import { printable, UsageError } from './out.ts'

export interface PlaceOptions {
  readonly data?: string
  readonly config?: string
  /** One of the configuration's. */
  readonly realm?: string
}

/** @throws UsageError, ConfigError */
export async function configured({ config, data, realm }: PlaceOptions): Promise<Config> {
  const { ASSAY_COMPILED: compiled } = process.env
  const own = await loadConfig({
    ...(compiled === undefined ? {} : { compiled }),
    ...(config === undefined ? {} : { file: config }),
    ...(data === undefined ? {} : { data }),
  })
  if (realm === undefined) return own
  const named = Object.hasOwn(own.realms, realm) ? own.realms[realm] : undefined
  if (named !== undefined) return named
  throw new UsageError('not_found', `the configuration has no realm ${printable(realm)}`)
}

/** The bytes of a file, or of standard input for `-`. @throws UsageError */
export async function bytesOf(file: string, what: string): Promise<Uint8Array> {
  if (file === '-') {
    if (process.stdin.isTTY)
      throw new UsageError('usage', `${what} is read from standard input, and that is a terminal`)
    return new Uint8Array(await buffer(process.stdin))
  }
  try {
    return await readFile(file)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    throw new UsageError('not_found', `${what} ${file} cannot be read (${why})`)
  }
}

/** @throws UsageError */
export async function writeOut(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    throw new UsageError('not_found', `${printable(file)} cannot be written (${why})`)
  }
}

/** As somebody in the working folder would type it. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path)
  return near === '' ? '.' : near.startsWith('..') ? path : near
}

/** How this command is called from the working folder, ready for a shell. */
export function commandName(): string {
  const fromSource = import.meta.url.endsWith('.ts')
  const root = new URL('../bin/assay', import.meta.url)
  return fromSource ? quoted(shown(fileURLToPath(root))) : 'npx assay'
}

/** For a shell. */
export function quoted(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
