/** Starts the process with the library, asks it, and ends it when it does not answer in time. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { sha256Hex } from '../../../core/crypto.ts'
import type { KeyAlgorithm } from '../../../core/ports/custody.ts'
import { errorOf, isLost, isPin, type Place, refuse } from './failure.ts'
import { pinIn } from './pin.ts'
import type { Answer, Ask, Failure, Operation, Operations } from './protocol.ts'

const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './process.ts' : './process.js', import.meta.url),
)

/** The library has not done it, or nobody knows whether it has. */
class Lost extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}
class Failed extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.kind)
    this.failure = failure
  }
}

interface Running {
  readonly child: ChildProcess
  readonly asked: Map<number, { resolve(gives: unknown): void; reject(error: Error): void }>
}

export class Host {
  readonly #place: Place
  #running: Promise<Running> | undefined
  #current: Running | undefined
  #algorithms: readonly KeyAlgorithm[] | undefined
  /** Asking again with a PIN that was refused would lock the token. */
  #refusedPin: string | undefined
  #count = 0
  #closed = false

  constructor(place: Place) {
    this.#place = place
  }

  /** What keys the token makes. Logs in. @throws CustodyError */
  async open(limit: AbortSignal): Promise<readonly KeyAlgorithm[]> {
    try {
      await this.#started(limit)
    } catch (error) {
      throw this.#told(error, false)
    }
    return this.#algorithms ?? []
  }

  /**
   * @param limit when it fires, the process is ended
   * @throws CustodyError; `unknown_outcome` for a change that the token may have made
   */
  async ask<Op extends Operation>(
    op: Op,
    takes: Operations[Op]['takes'],
    limit: AbortSignal,
  ): Promise<Operations[Op]['gives']> {
    const changes = op === 'relabel' || op === 'destroy'
    try {
      return await this.#once(op, takes, limit)
    } catch (error) {
      // A new key could become two; everything else may be done twice.
      const again = op !== 'generate' && !limit.aborted && !this.#closed && isOver(error)
      if (!again) throw this.#told(error, changes)
    }
    try {
      return await this.#once(op, takes, limit)
    } catch (error) {
      throw this.#told(error, changes)
    }
  }

  close(): void {
    this.#closed = true
    this.#end('closed')
  }

  async #once<Op extends Operation>(
    op: Op,
    takes: Operations[Op]['takes'],
    limit: AbortSignal,
  ): Promise<Operations[Op]['gives']> {
    const running = await this.#started(limit)
    try {
      return (await this.#send(running, op, takes, limit)) as Operations[Op]['gives']
    } catch (error) {
      if (isOver(error) && this.#current === running) this.#end('the session was lost')
      throw error
    }
  }

  async #started(limit: AbortSignal): Promise<Running> {
    if (this.#closed) throw new Lost('closed')
    const starting = this.#running ?? this.#start(limit)
    this.#running = starting
    try {
      return await starting
    } catch (error) {
      if (this.#running === starting) this.#end('it did not start')
      throw error
    }
  }

  async #start(limit: AbortSignal): Promise<Running> {
    const { module, pinFile, token } = this.#place
    const pin = await pinIn(pinFile)
    if (this.#closed) throw new Lost('closed')
    if (this.#refusedPin === sha256Hex(pin))
      throw refuse('denied', `token "${token}" refused the PIN in ${pinFile} before; correct it`)
    const child = fork(PROGRAM, [], { execArgv: [], serialization: 'advanced', stdio: STDIO })
    const running: Running = { child, asked: new Map() }
    this.#current = running
    child.on('message', (answer: Answer) => settle(running, answer))
    child.once('error', () => this.#lose(running, 'it cannot be started'))
    child.once('exit', () => this.#lose(running, 'its process ended'))
    // Whoever waits for an answer has a timer; nothing else keeps this process alive.
    child.unref()
    child.channel?.unref()
    try {
      const opened = await this.#send(running, 'open', { module, token, pin }, limit)
      this.#algorithms = (opened as Operations['open']['gives']).algorithms
      return running
    } catch (error) {
      if (error instanceof Failed && isPin(error.failure)) this.#refusedPin = sha256Hex(pin)
      throw error
    }
  }

  #send<Op extends Operation>(
    { asked, child }: Running,
    op: Op,
    takes: Operations[Op]['takes'],
    limit: AbortSignal,
  ): Promise<unknown> {
    const id = ++this.#count
    const answered = new Promise<unknown>((resolve, reject) => asked.set(id, { resolve, reject }))
    const late = (): void => this.#end('it did not answer in time')
    if (limit.aborted) late()
    limit.addEventListener('abort', late, { once: true })
    const ask: Ask<Op> = { id, op, takes }
    child.send(ask, () => undefined)
    return answered.finally(() => limit.removeEventListener('abort', late))
  }

  #end(reason: string): void {
    const running = this.#current
    this.#running = undefined
    this.#current = undefined
    if (running === undefined) return
    running.child.kill('SIGKILL')
    this.#lose(running, reason)
  }

  #lose(running: Running, reason: string): void {
    if (this.#current === running) {
      this.#running = undefined
      this.#current = undefined
    }
    for (const { reject } of running.asked.values()) reject(new Lost(reason))
    running.asked.clear()
  }

  #told(error: unknown, changes: boolean): unknown {
    const { module, token } = this.#place
    if (this.#closed) return refuse('closed', 'the custody was closed; open it again')
    if (error instanceof Lost)
      return refuse(
        changes ? 'unknown_outcome' : 'unavailable',
        `token "${token}" of ${module}: ${error.reason}; ${changes ? 'list the keys first' : 'try again'}`,
      )
    if (!(error instanceof Failed)) return error
    const { failure } = error
    // It was there: a token that was taken out may come back.
    if (failure.kind === 'no_token' && this.#algorithms !== undefined)
      return refuse('unavailable', `token "${token}" is not there any more; put it back`)
    if (changes && isLost(failure))
      return refuse('unknown_outcome', `token "${token}" may have done it; list the keys first`)
    return errorOf(failure, this.#place)
  }
}

/** The library may print what it likes. */
const STDIO: ('ignore' | 'ipc')[] = ['ignore', 'ignore', 'ignore', 'ipc']

const isOver = (error: unknown): boolean =>
  error instanceof Lost || (error instanceof Failed && isLost(error.failure))

function settle({ asked }: Running, answer: Answer): void {
  const waiting = asked.get(answer.id)
  asked.delete(answer.id)
  if ('failure' in answer) waiting?.reject(new Failed(answer.failure))
  else waiting?.resolve(answer.gives)
}
