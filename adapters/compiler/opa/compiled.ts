/**
 * Compiled policies in a folder, for the next start: what was compiled by this very compiler from these very sources. A file that was shortened or
 * changed counts as absent. Whoever may write to the folder decides what policies do, so it is nobody else's.
 */
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBase64, randomBytes, toBase64, toHex } from '../../../core/crypto.ts'
import { CompilerError } from '../../../core/error.ts'
import { packedModule } from './module.ts'
import { type Answer, type Ask, WHO } from './thread.ts'

/** Those that were written last. */
const MAX_FILES = 64

export class CompiledFolder {
  readonly #path: string
  #compiler: Promise<string> | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** @throws CompilerError `unavailable`: others may write to the folder */
  async read(ask: Ask): Promise<Answer | undefined> {
    if (!this.#exists()) return undefined
    const path = await this.#pathOf(ask)
    const text = await readFile(path, 'utf8').catch(() => undefined)
    return text === undefined ? undefined : decoded(text)
  }

  /** That it cannot be written costs the next start some seconds, and is no failure. */
  async write(ask: Ask, answer: Answer): Promise<void> {
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 })
      if (!this.#exists()) return
      const path = await this.#pathOf(ask)
      const partial = `${path}.${toHex(randomBytes(8))}`
      await writeFile(partial, encoded(answer), { mode: 0o600 })
      renameSync(partial, path)
      this.#forget()
    } catch (error) {
      if (error instanceof CompilerError) throw error
    }
  }

  #exists(): boolean {
    const stats = statsOf(this.#path)
    if (stats === undefined) return false
    const mine = stats.isDirectory() && stats.uid === process.geteuid?.()
    if (mine && (stats.mode & 0o022) === 0) return true
    throw new CompilerError(
      WHO,
      'unavailable',
      `${this.#path}: others may write compiled policies there; make it a folder of this user, chmod go-w`,
    )
  }

  async #pathOf(ask: Ask): Promise<string> {
    this.#compiler ??= packedModule().then(sha256)
    const key = sha256(`${await this.#compiler}\n${JSON.stringify(ask)}`)
    return join(this.#path, `${key}.json`)
  }

  #forget(): void {
    const files = readdirSync(this.#path).map((name) => {
      const path = join(this.#path, name)
      return { path, writtenMs: statSync(path).mtimeMs }
    })
    files.sort((a, b) => b.writtenMs - a.writtenMs)
    for (const { path } of files.slice(MAX_FILES)) rmSync(path, { force: true })
  }
}

/** Undefined where nothing is, or nothing can be looked at. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}

function encoded({ wasm, ...answer }: Answer): string {
  const text = JSON.stringify({ ...answer, wasm: wasm && toBase64(wasm) })
  return `${sha256(text)}\n${text}`
}

function decoded(file: string): Answer | undefined {
  const text = file.slice(65)
  if (file.slice(0, 65) !== `${sha256(text)}\n`) return undefined
  const { wasm, ...answer } = JSON.parse(text) as Omit<Answer, 'wasm'> & { wasm?: string }
  const bytes = wasm === undefined ? undefined : fromBase64(wasm)
  return bytes === undefined ? answer : { ...answer, wasm: bytes }
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
