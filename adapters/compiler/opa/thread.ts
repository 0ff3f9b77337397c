/** Keeps one worker for the compiler: started when it is needed, one request at a time, killed at the deadline, let go when idle. */
import { Worker } from 'node:worker_threads'
import { CompilerError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { FileCoverage, Problem, Sources, TestCase } from '../../../core/ports/compiler.ts'
import { opaModule } from './module.ts'

/** What `go/serve.go` reads. */
export interface Ask {
  readonly op: 'build' | 'capabilities' | 'check' | 'eval' | 'format' | 'syntax' | 'test'
  readonly modules: Sources
  readonly data?: Json
  readonly capabilities?: Json
  readonly entrypoints?: readonly string[]
  readonly schemas?: Readonly<Record<string, Json>>
  readonly run?: string
  readonly coverage?: boolean
  readonly query?: string
  readonly inputs?: readonly Json[]
}
/** What `go/serve.go` writes. `fault` is the program's own failure. */
export interface Answer {
  readonly problems?: readonly Problem[]
  readonly fault?: string
  readonly entrypoints?: readonly string[]
  readonly plan?: Json
  readonly formatted?: Sources
  readonly tests?: readonly TestCase[]
  readonly coverage?: { readonly percent: number; readonly files: readonly FileCoverage[] }
  readonly values?: readonly { readonly value?: Json; readonly problem?: Problem }[]
  readonly capabilities?: Json
  readonly native?: readonly string[]
  readonly syntax?: Readonly<Record<string, Json>>
  readonly wasm?: Uint8Array
}
interface Reply {
  readonly text: string
  readonly wasm?: Uint8Array
}

export const WHO = 'compiler/opa'

/** Node loads TypeScript as it is; the built package has JavaScript in the same place. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
)

export class CompilerThread {
  readonly #deadlineMs: number
  readonly #idleMs: number
  #module: WebAssembly.Module | undefined
  #worker: Worker | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined
  #closed = false
  #abandon: ((error: CompilerError) => void) | undefined

  constructor(deadlineMs: number, idleMs: number) {
    this.#deadlineMs = deadlineMs
    this.#idleMs = idleMs
  }

  /** The deadline counts from when the request's turn comes. @throws CompilerError `timeout`, `unavailable`, `closed` */
  async ask(ask: Ask): Promise<Answer> {
    const mine = this.#turn.then(() => this.#exchange(JSON.stringify(ask)))
    this.#turn = mine.catch(() => undefined)
    const { text, wasm } = await mine
    const answer = JSON.parse(text) as Answer
    if (answer.fault !== undefined) throw new CompilerError(WHO, 'unavailable', answer.fault)
    return wasm === undefined ? answer : { ...answer, wasm }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#abandon?.(closed())
    this.#module = undefined
    await this.#stop()
  }

  /** @throws CompilerError `closed` */
  assertOpen(): void {
    if (this.#closed) throw closed()
  }

  async #exchange(request: string): Promise<Reply> {
    this.assertOpen()
    clearTimeout(this.#idle)
    const reply = Promise.withResolvers<Reply>()
    const broken = (): void =>
      reply.reject(new CompilerError(WHO, 'unavailable', 'the compiler ended; call again'))
    const deadline = setTimeout(() => {
      const what = `no answer in ${this.#deadlineMs} ms; a rule or test may not end`
      reply.reject(new CompilerError(WHO, 'timeout', what))
    }, this.#deadlineMs)
    this.#abandon = reply.reject
    this.#start().then((worker) => {
      worker?.once('message', reply.resolve).once('error', broken).once('exit', broken)
      worker?.postMessage(request)
    }, reply.reject)
    try {
      const answer = await reply.promise
      this.#rest(broken)
      return answer
    } catch (error) {
      await this.#stop()
      throw error
    } finally {
      clearTimeout(deadline)
      this.#abandon = undefined
    }
  }

  /** Undefined when it was closed meanwhile. */
  async #start(): Promise<Worker | undefined> {
    this.#module ??= await opaModule()
    if (this.#closed) return undefined
    this.#worker ??= this.#spawn(this.#module)
    this.#worker.ref()
    return this.#worker
  }

  #spawn(module: WebAssembly.Module): Worker {
    // Its output is dropped: Go prints what it panics about.
    const options = { env: {}, execArgv: [], stdout: true, stderr: true, workerData: module }
    const worker = new Worker(WORKER, options)
    worker.stdout.resume()
    worker.stderr.resume()
    // One that ends while nobody asks must not be asked again.
    return worker
      .on('error', () => undefined)
      .on('exit', () => {
        if (this.#worker === worker) this.#worker = undefined
      })
  }

  #rest(broken: () => void): void {
    this.#worker?.off('error', broken).off('exit', broken).unref()
    this.#idle = setTimeout(() => void this.#stop(), this.#idleMs).unref()
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function closed(): CompilerError {
  return new CompilerError(WHO, 'closed', 'close() was called')
}
