/** Vitest's global set-up: a folder for the servers that test files share, and their end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RUN_FOLDER, stopAll } from './shared.ts'

export default function setup(): () => void {
  const run = mkdtempSync(join(tmpdir(), 'assay-backends-'))
  process.env[RUN_FOLDER] = run
  return () => {
    stopAll(run)
    rmSync(run, { recursive: true })
  }
}
