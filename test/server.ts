/** Runs the real server as a process of its own, as operators do: `bin/assay serve`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './source.ts'

export const ASSAY: string = join(root, 'bin/assay')

export interface ServerOptions {
  readonly data: string
  readonly config?: string
  /** Default 0: the system picks one. */
  readonly port?: number
  readonly env?: NodeJS.ProcessEnv
  /** The command's path. Default: this checkout's. */
  readonly program?: string
  /** A program and its arguments in front of the server's own, for example a tracer. */
  readonly under?: readonly string[]
  readonly timeoutMs?: number
}

/** A server process that was started and may not be ready yet. */
export class Server {
  readonly #process: ChildProcess
  /** Resolves with the base URL; rejects when the process ends or the time is over first. */
  readonly ready: Promise<string>
  /** Resolves with the exit code, null after a signal. */
  readonly ended: Promise<number | null>
  output = ''

  constructor(options: ServerOptions) {
    const {
      data,
      config,
      port = 0,
      env = {},
      program: command = ASSAY,
      under = [],
      timeoutMs = 60_000,
    } = options
    const serve = [command, 'serve', '--port', String(port), '--data', data]
    const [program = '', ...args] = [...under, ...serve, ...(config ? ['--config', config] : [])]
    this.#process = spawn(program, args, {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.ended = new Promise((resolve) => {
      this.#process.once('error', () => resolve(127))
      this.#process.once('exit', resolve)
    })
    this.ready = this.#untilReady(timeoutMs)
    // Whoever kills a server before it is ready does not wait for this.
    this.ready.catch(() => {})
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  async #untilReady(timeoutMs: number): Promise<string> {
    return await new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`the server ${why}:\n${this.output}`))
      const timer = setTimeout(() => fail('was not ready in time'), timeoutMs)
      const take = (text: string): void => {
        this.output += text
        const url = this.output.match(/^assay listening on (https?:\S+)$/m)?.[1]
        if (url !== undefined) resolve(url)
      }
      this.#process.stdout?.setEncoding('utf8').on('data', take)
      this.#process.stderr?.setEncoding('utf8').on('data', take)
      void this.ended.then((code) => {
        clearTimeout(timer)
        fail(`ended with ${code}`)
      })
    })
  }

  /** To the whole process group. */
  signal(signal: NodeJS.Signals): void {
    try {
      if (this.#process.pid !== undefined) process.kill(-this.#process.pid, signal)
    } catch {
      // It ended by itself.
    }
  }

  /** Signals the process group and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.signal(signal)
    return await this.ended
  }
}

/** Runs one `assay` command to its end. */
export async function assay(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(ASSAY, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const take = (text: string): void => {
    output += text
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}
