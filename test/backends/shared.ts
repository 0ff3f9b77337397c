/**
 * Servers that test files share: the first one that asks for a server starts it, and it ends with the test run. Each test file makes names of its
 * own in it (a table, a mount, a key), so that nobody meets what another left.
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** What a server tells those who use it: plain JSON. `pid` leads a process group of its own. */
export interface Running {
  readonly pid: number
}

/** In the environment of a test run: the folder in which its servers are known. */
export const RUN_FOLDER = 'ASSAY_BACKENDS_RUN'
const PATIENCE_MS = 600_000

/** @param start called in one process of the run; its folder is empty. @throws what it throws, in every process that asks */
export async function shared<T extends Running>(
  name: string,
  start: (folder: string) => Promise<T>,
): Promise<T> {
  const run = process.env[RUN_FOLDER]
  if (run === undefined) throw new Error(`${RUN_FOLDER} is not set: run this under vitest`)
  const folder = join(run, name)
  if (!isFirst(folder)) return await startedBy<T>(folder)
  try {
    const running = await start(folder)
    publish(folder, { running })
    return running
  } catch (error) {
    publish(folder, { failed: String(error) })
    throw error
  }
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

interface Told<T> {
  readonly running?: T
  readonly failed?: string
}

function publish<T>(folder: string, told: Told<T>): void {
  const path = join(folder, 'told.json')
  writeFileSync(`${path}.new`, JSON.stringify(told), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

async function startedBy<T>(folder: string): Promise<T> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 50) {
    const { failed, running } = told<T>(folder)
    if (failed !== undefined) throw new Error(failed)
    if (running !== undefined) return running
    await pause(50)
  }
  throw new Error(`${folder}: nobody started it in ${PATIENCE_MS} ms`)
}

function told<T>(folder: string): Told<T> {
  const path = join(folder, 'told.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Told<T>) : {}
}

/** Ends every server of a run. */
export function stopAll(run: string): void {
  for (const name of readdirSync(run)) {
    const { running } = told<Running>(join(run, name))
    if (running !== undefined) stop(running)
  }
}

export function stop({ pid }: Running): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export interface Server {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Its standard output and error. */
  readonly logFile: string
  /** Undefined as long as it does not serve; `said` is the log file. A rejection counts as undefined. */
  readonly ready: (said: string) => Promise<boolean>
  readonly timeoutMs?: number
}

/** Starts a server that outlives this process. @throws when it ends, or is not ready in time (default 60 s), with the end of its log */
export async function startServer(server: Server): Promise<Running> {
  const log = openSync(server.logFile, 'a', 0o600)
  const child = spawn(server.command, server.args, {
    cwd: server.cwd,
    detached: true,
    env: { ...process.env, ...server.env },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  let ended: string | undefined
  child.once('error', (error) => {
    ended = error.message
  })
  child.once('exit', (code, signal) => {
    ended = `ended with ${code ?? signal}`
  })
  child.unref()
  const said = (): string => readFileSync(server.logFile, 'utf8')
  const { timeoutMs = 60_000 } = server
  for (let waited = 0; waited < timeoutMs && ended === undefined; waited += 50) {
    if (await server.ready(said()).catch(() => false)) return { pid: child.pid as number }
    await pause(50)
  }
  if (ended === undefined && child.pid !== undefined) stop({ pid: child.pid })
  const why = ended ?? `is not ready after ${timeoutMs} ms`
  throw new Error(`${server.command} ${why}: ${said().slice(-2000)}`)
}
