/**
 * The artifact's bytes while they are being judged: hashed as they come and, where they are to be installed, kept in a file without a
 * name, so that nothing is left of them whatever happens. Only {@link Spool.install} makes a name.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface Digests {
  /** Lower-case hex, like the other one. */
  readonly blake2b512: string
  readonly sha256: string
  readonly size: number
  /** The bytes themselves, where there are no more than were asked for. */
  readonly content: Uint8Array | undefined
}

const CHUNK_BYTES = 1_048_576

export class Spool {
  readonly #target: string | undefined
  readonly #file: FileHandle | undefined

  private constructor(target: string | undefined, file: FileHandle | undefined) {
    this.#target = target
    this.#file = file
  }

  /** @param target where they may be installed later; without one they are only hashed */
  static async open(target?: string): Promise<Spool> {
    return new Spool(target, target === undefined ? undefined : await openNameless(target))
  }

  /** @param keep give the bytes back where there are no more of them */
  async take(chunks: AsyncIterable<Uint8Array>, keep: number): Promise<Digests> {
    const [blake2b512, sha256] = [createHash('blake2b512'), createHash('sha256')]
    const kept: Uint8Array[] = []
    let size = 0
    for await (const chunk of chunks) {
      size += chunk.length
      blake2b512.update(chunk)
      sha256.update(chunk)
      if (size <= keep) kept.push(chunk)
      await this.#file?.writeFile(chunk)
    }
    return {
      blake2b512: blake2b512.digest('hex'),
      sha256: sha256.digest('hex'),
      size,
      content: size <= keep ? new Uint8Array(Buffer.concat(kept)) : undefined,
    }
  }

  /** Puts the bytes at the target, whole and durable, or leaves what is there. A link there is replaced, not followed. */
  async install(): Promise<void> {
    const [from, target] = [this.#file, this.#target]
    if (from === undefined || target === undefined) throw new Error('nothing was taken')
    const temporary = temporaryName(target)
    try {
      const to = await open(temporary, 'wx', 0o644)
      try {
        await copy(from, to)
        await to.sync()
      } finally {
        await to.close()
      }
      await rename(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    const folder = await open(dirname(target))
    await folder.sync().finally(() => folder.close())
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

/** In the target's folder: what does not fit there is found out before anything is decided. */
async function openNameless(target: string): Promise<FileHandle> {
  await sweep(target)
  const path = temporaryName(target)
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  return file
}

async function copy(from: FileHandle, to: FileHandle): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES)
  let at = 0
  for (;;) {
    const { bytesRead } = await from.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) return
    await to.writeFile(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}

function temporaryName(target: string): string {
  const name = `.${basename(target)}.assay-${process.pid}-${randomBytes(8).toString('hex')}`
  return join(dirname(target), name)
}

/** Removes what processes left that were killed while they installed. */
async function sweep(target: string): Promise<void> {
  const folder = dirname(target)
  const before = `.${basename(target)}.assay-`
  for (const name of await readdir(folder)) {
    const [, pid] = (name.startsWith(before) && PID.exec(name.slice(before.length))) || []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true })
  }
}
const PID = /^([0-9]{1,10})-[0-9a-f]{16}$/

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
