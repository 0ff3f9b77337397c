/**
 * Bundles that served, on disk: a server that starts without its source serves the last one. Each is named after its content, a delta after
 * that of the bundle that it leads to.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../../../core/json.ts'
import type { UnixMillis } from '../../../core/ports/clock.ts'

/** What gives a bundle: a whole one as it came, and the deltas on it, in their order. */
export interface Chain<Delta> {
  readonly whole: Uint8Array
  readonly deltas: readonly Delta[]
  /** What each of them is named after. */
  readonly contents: readonly string[]
}
export type Kind = 'delta' | 'whole'

/** What lies there is not trusted: it is verified again, like anything that arrives. */
export class BundleCache {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Undefined when there is none. @throws what the file system throws otherwise */
  async read(
    content: string,
    maxBytes: number,
    kind: Kind = 'whole',
  ): Promise<Uint8Array | undefined> {
    const file = this.#file(content, kind)
    try {
      // A damaged file may have any size.
      if ((await stat(file)).size > maxBytes) return new Uint8Array()
      return await readFile(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Durable when it returns, so that what becomes active is there after a crash. */
  async keep(content: string, bytes: Uint8Array, kind: Kind = 'whole'): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await replace(this.#file(content, kind), bytes)
    const folder = await open(this.#folder)
    await folder.sync().finally(() => folder.close())
  }

  /** Takes out all but these. */
  async prune(contents: readonly string[]): Promise<void> {
    const kept = new Set(
      contents.flatMap((content) => [this.#file(content, 'whole'), this.#file(content, 'delta')]),
    )
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const file = join(this.#folder, name)
      if (name !== CONFIRMED && !kept.has(file)) await rm(file, { force: true })
    }
  }

  /** When the source said last that this is its newest. */
  async confirmed(content: string): Promise<UnixMillis | undefined> {
    try {
      const value = parseJson(await readFile(join(this.#folder, CONFIRMED))) as Confirmation
      return value.content === content && Number.isSafeInteger(value.at) ? value.at : undefined
    } catch {
      return undefined
    }
  }

  /** Not durable: losing it makes the policy look older than it is. */
  async confirm(content: string, at: UnixMillis): Promise<void> {
    const text = JSON.stringify({ content, at } satisfies Confirmation)
    await replace(join(this.#folder, CONFIRMED), new TextEncoder().encode(text)).catch(
      () => undefined,
    )
  }

  #file(content: string, kind: Kind): string {
    const name = content.replace(/^sha256:/, '')
    return join(this.#folder, `${name}${kind === 'delta' ? '.delta' : ''}.tar.gz`)
  }
}

const CONFIRMED = 'confirmed.json'
type Confirmation = { readonly content: string; readonly at: UnixMillis }

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
