/** A bundle as a file or a folder on this machine: looked at again and again, read when something about it changed. */
import { readFile, stat } from 'node:fs/promises'
import { type Limits, pack, readBundleAt, tooLarge } from './archive.ts'
import { type Ask, type BundleSource, type Fetched, SourceError } from './source.ts'

export function fileSource(path: string, limits: Limits): BundleSource {
  return new FileSource(path, limits)
}

class FileSource implements BundleSource {
  readonly name: string
  readonly waits: boolean = false
  readonly #path: string
  readonly #limits: Limits

  constructor(path: string, limits: Limits) {
    this.name = path
    this.#path = path
    this.#limits = limits
  }

  async ask({ tag }: Ask): Promise<Fetched> {
    const found = await this.#look()
    if (found.folder) return this.#folder(tag)
    if (found.stamp === tag) return { kind: 'unchanged' }
    if (found.size > this.#limits.maxBytes) throw tooLarge(this.#limits)
    const bytes = await readFile(this.#path).catch((cause) => {
      throw unreadable(this.#path, cause)
    })
    return { kind: 'bundle', bytes, tag: found.stamp }
  }

  /** Files in a folder change one by one: what it holds is packed, and compared as a whole. */
  async #folder(tag: string | undefined): Promise<Fetched> {
    const bytes = await pack(await readBundleAt(this.#path, this.#limits))
    const now = Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)))
    const digest = now.toString('hex')
    return digest === tag ? { kind: 'unchanged' } : { kind: 'bundle', bytes, tag: digest }
  }

  async #look(): Promise<{
    readonly folder: boolean
    readonly size: number
    readonly stamp: string
  }> {
    try {
      const found = await stat(this.#path, { bigint: true })
      const { ctimeNs, ino, mtimeNs, size } = found
      const stamp = [ino, size, mtimeNs, ctimeNs].join(' ')
      return { folder: found.isDirectory(), size: Number(size), stamp }
    } catch (cause) {
      throw unreadable(this.#path, cause)
    }
  }

  async close(): Promise<void> {}
}

function unreadable(path: string, cause: unknown): SourceError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  const kind = code === 'ENOENT' ? 'not_found' : 'unreachable'
  return new SourceError(kind, `${path} cannot be read (${code})`, { cause })
}
