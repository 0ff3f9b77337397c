/** A preloaded library that makes chosen writes and syncs of a real process fail. Compiled from `fault.c` beside, once a folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'

export interface Fault {
  readonly operation: 'rename' | 'sync' | 'truncate' | 'write'
  /** `short`: half of it is written, without an error. */
  readonly error: 'EIO' | 'ENOSPC' | 'EROFS' | 'short'
  /** Calls that pass first. Default 0. */
  readonly skip?: number
  /** Only the first call after those fails, or all of them. */
  readonly mode: 'always' | 'once'
  /** A part of the paths that are concerned; their end where a `$` follows. */
  readonly path: string
}

export class Faults {
  readonly env: NodeJS.ProcessEnv
  readonly #schedule: string

  constructor(folder: string) {
    const library = join(folder, 'fault.so')
    const source = join(import.meta.dirname, 'fault.c')
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
    this.#schedule = join(folder, 'fault')
    this.env = { LD_PRELOAD: library, ASSAY_FAULT: this.#schedule }
  }

  /** From now on. Once in the life of a process. */
  arm({ operation, error, skip = 0, mode, path }: Fault): void {
    const number = error === 'short' ? 0 : constants.errno[error]
    writeFileSync(`${this.#schedule}.new`, `${operation} ${number} ${skip} ${mode} ${path}\n`)
    renameSync(`${this.#schedule}.new`, this.#schedule)
  }

  /** What failed, and what was called on such files after the first failure. */
  events(): readonly { readonly what: 'failed' | 'later'; readonly operation: string }[] {
    const file = `${this.#schedule}.log`
    if (!existsSync(file)) return []
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [what, operation = ''] = line.split(' ')
        return { what: what === 'failed' ? 'failed' : 'later', operation }
      })
  }
}
