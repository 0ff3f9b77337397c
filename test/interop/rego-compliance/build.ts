/** OPA's own cases, compiled by the program in `go/` into a folder outside the repository, until that program or its OPA changes. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, zstdCompressSync } from 'node:zlib'
import { fetched, folder } from '../../tools.ts'

const run = promisify(execFile)

/** In how many files the cases lie. Families are spread over all of them. */
export const GROUPS = 4

/** The folder with `cases-N.jsonl` and `wasm-N.bin.zst` for each group. @throws without Go */
export async function compiledCases(): Promise<string> {
  const source = join(import.meta.dirname, 'go')
  const hash = createHash('sha256').update(`${GROUPS}`)
  for (const name of readdirSync(source).sort()) hash.update(readFileSync(join(source, name)))
  const made = folder(`rego-compliance-1.22.0-${hash.digest('hex').slice(0, 16)}`)
  const ready = join(made, 'ready')
  if (existsSync(ready)) return made
  await oneAtATime(`${made}.lock`, () =>
    fetched(ready, made, async (into) => {
      const program = join(into, 'compliance')
      const env = { ...process.env, GOFLAGS: '' }
      await run('go', ['build', '-o', program, '.'], { cwd: source, env })
      await run(program, [into, String(GROUPS)])
      for (let group = 0; group < GROUPS; group++) pack(join(into, `wasm-${group}.bin`))
      rmSync(program)
      writeFileSync(join(into, 'ready'), '')
    }),
  )
  return made
}

/** 84 MB of modules that have one runtime in common are 0.4 MB in a window that sees more than one of them. */
function pack(path: string): void {
  const params = {
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
    [constants.ZSTD_c_windowLog]: 23,
  }
  writeFileSync(`${path}.zst`, zstdCompressSync(readFileSync(path), { params }))
  rmSync(path)
}

/** Test files are processes of their own: what takes half a minute of two processors is done by one of them. */
async function oneAtATime(lock: string, work: () => Promise<unknown>): Promise<void> {
  mkdirSync(dirname(lock), { recursive: true })
  while (!isTaken(lock)) await setTimeout(200)
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isTaken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true })
    return false
  }
}

/** Whether the process that made it still runs. One that is empty has just been made. */
function isHeld(lock: string): boolean {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    return holder === 0 || process.kill(holder, 0)
  } catch {
    return false
  }
}
