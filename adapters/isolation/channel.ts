/**
 * Calls into a worker that is killed when a call is late. A synchronous endless loop can be ended in no other way. The calls that were
 * waiting beside the late one are asked again in a fresh worker, each within its own deadline.
 */
import { Worker } from 'node:worker_threads'
import { KernelError } from '../../core/error.ts'
import type { FromWorker, IsolatedModule, ToWorker } from './protocol.ts'

/** `timeout`: over its deadline, the worker was killed. `crashed`: the worker ended by itself. `failed`: the isolated code threw. */
export type IsolationErrorCode = 'aborted' | 'closed' | 'crashed' | 'failed' | 'timeout'
export class IsolationError extends KernelError<IsolationErrorCode> {
  /** The code of the error inside, where it had one. */
  readonly inner: string | undefined
  constructor(code: IsolationErrorCode, what: string, inner?: string) {
    super('isolation', code, what)
    this.inner = inner
  }
}

export interface ChannelOptions {
  /** Milliseconds a call may take, the start of the worker included. */
  readonly deadlineMs: number
  /** V8 heap of the worker in MiB. Default 256. */
  readonly maxHeapMiB?: number
}
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Answers what the worker asks while it works on this call. */
  readonly answer?: (method: string, body: unknown) => Promise<unknown>
}

interface Pending {
  readonly id: number
  readonly method: string
  readonly body: unknown
  readonly options: CallOptions
  /** Counts workers that ended under this call. */
  lost: number
  timer: NodeJS.Timeout
  settle(outcome: { value: unknown } | { error: IsolationError }): void
}

const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js',
  import.meta.url,
)

export class Channel {
  readonly #target: IsolatedModule
  readonly #options: ChannelOptions
  readonly #pending = new Map<number, Pending>()
  /** Said again to every fresh worker, before anything else. */
  readonly #replay = new Map<number, { readonly method: string; readonly body: unknown }>()
  #worker: Worker | undefined
  #next = 1
  #closed = false

  constructor(target: IsolatedModule, options: ChannelOptions) {
    this.#target = target
    this.#options = options
    // Started ahead, so that the first call does not pay for it; later ones start with the next call, so that a module that ends its
    // worker while it is loaded does not do so in a circle.
    this.#worker = this.#start()
  }

  /** @throws IsolationError */
  call(method: string, body: unknown, options: CallOptions = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(new IsolationError('closed', 'it was closed'))
    const { signal } = options
    if (signal?.aborted) return Promise.reject(aborted())
    return new Promise((resolve, reject) => {
      const id = this.#next++
      const settle: Pending['settle'] = (outcome) => {
        signal?.removeEventListener('abort', onAbort)
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      }
      // The caller is free at once; the call keeps its deadline, since its code may still be running.
      const onAbort = (): void => {
        reject(aborted())
        this.#send({ abort: id })
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const timer = setTimeout(() => this.#late(id), this.#options.deadlineMs)
      const pending: Pending = { id, method, body, options, lost: 0, timer, settle }
      this.#pending.set(id, pending)
      this.#ask(pending)
    })
  }

  /** A call whose state every later worker needs too; `forget` ends that. */
  async keep(method: string, body: unknown): Promise<() => void> {
    await this.call(method, body)
    const key = this.#next++
    this.#replay.set(key, { method, body })
    return () => this.#replay.delete(key)
  }

  async close(): Promise<void> {
    this.#closed = true
    const worker = this.#worker
    this.#worker = undefined
    for (const pending of [...this.#pending.values()])
      this.#end(pending, { error: new IsolationError('closed', 'it was closed') })
    await worker?.terminate()
  }

  #ask(pending: Pending): void {
    this.#worker ??= this.#start()
    // Cloning fails here, in the caller's turn, for what is not plain data.
    try {
      this.#send({ call: pending.id, method: pending.method, body: pending.body })
    } catch {
      this.#end(pending, { error: new IsolationError('failed', 'the request is not plain data') })
    }
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  #start(): Worker {
    const worker = new Worker(WORKER, {
      workerData: this.#target,
      // No environment and no options of the process: an isolated module gets what it is asked, and nothing else.
      env: {},
      execArgv: [],
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: this.#options.maxHeapMiB ?? 256 },
    })
    worker.unref()
    worker.on('message', (message: FromWorker) => this.#hear(worker, message))
    worker.on('error', (error) => this.#gone(worker, 'crashed', error))
    worker.on('exit', () => this.#gone(worker, 'crashed'))
    for (const kept of this.#replay.values())
      worker.postMessage({ call: 0, method: kept.method, body: kept.body } satisfies ToWorker)
    return worker
  }

  #hear(worker: Worker, message: FromWorker): void {
    if (worker !== this.#worker) return
    if ('ask' in message) {
      void this.#answer(worker, message)
      return
    }
    const pending = this.#pending.get(message.done)
    if (pending === undefined) return
    if ('value' in message) this.#end(pending, { value: message.value })
    else {
      const { code, message: text } = message.failed
      this.#end(pending, { error: new IsolationError('failed', text, code) })
    }
  }

  async #answer(worker: Worker, ask: Extract<FromWorker, { ask: number }>): Promise<void> {
    const { answer } = this.#pending.get(ask.of)?.options ?? {}
    let reply: ToWorker
    try {
      if (answer === undefined) throw new Error('the call is over')
      reply = { answer: ask.ask, value: await answer(ask.method, ask.body) }
    } catch (error) {
      reply = { answer: ask.ask, failed: error instanceof Error ? error.message : 'failed' }
    }
    if (worker === this.#worker) worker.postMessage(reply)
  }

  #late(id: number): void {
    const late = this.#pending.get(id)
    if (late === undefined) return
    const { deadlineMs } = this.#options
    this.#end(late, {
      error: new IsolationError('timeout', `no answer in ${deadlineMs} ms; its worker was killed`),
    })
    const worker = this.#worker
    if (worker !== undefined) {
      this.#gone(worker, 'timeout')
      void worker.terminate()
    }
  }

  /** A worker ended: what it was working on is asked again in the next one, once where it crashed by itself. */
  #gone(worker: Worker, why: 'crashed' | 'timeout', cause?: unknown): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    for (const pending of [...this.#pending.values()]) {
      if (why === 'crashed') pending.lost++
      if (pending.lost > 1) {
        const text = cause instanceof Error ? cause.message : 'its worker ended'
        this.#end(pending, { error: new IsolationError('crashed', text) })
      } else this.#ask(pending)
    }
  }

  #end(pending: Pending, outcome: { value: unknown } | { error: IsolationError }): void {
    clearTimeout(pending.timer)
    this.#pending.delete(pending.id)
    pending.settle(outcome)
  }
}

const aborted = (): IsolationError => new IsolationError('aborted', 'the caller gave up')
