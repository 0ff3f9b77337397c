/** Vitest's global set-up: a folder for the servers that test files share, and their end; one for what is compiled once in a run: policies, and the code of commands. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RUN_FOLDER, stopAll } from './shared.ts'

export default function setup(): () => void {
  const run = mkdtempSync(join(tmpdir(), 'assay-backends-'))
  process.env[RUN_FOLDER] = run
  const compiled = mkdtempSync(join(tmpdir(), 'assay-compiled-'))
  process.env.ASSAY_COMPILED = join(compiled, 'policies')
  process.env.NODE_COMPILE_CACHE = join(compiled, 'node')
  return () => {
    stopAll(run)
    rmSync(run, { recursive: true })
    // A command that is ending may write there still.
    rmSync(compiled, { recursive: true, maxRetries: 5 })
  }
}
