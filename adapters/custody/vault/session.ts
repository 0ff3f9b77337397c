/** The token of one custody: made by a login, renewed in time, made anew when it cannot be renewed or is refused. */
import type { Clock } from '../../../core/ports/clock.ts'
import { type Login, login, loginIn, type VaultAuth } from './auth.ts'
import type { Answer, Question, VaultClient } from './client.ts'
import { Deadline, jittered } from './deadline.ts'
import { lacking } from './failure.ts'

export interface SessionOptions {
  readonly client: VaultClient
  readonly auth: VaultAuth
  readonly clock: Clock
  readonly timeoutMs: number
}

interface Held extends Login {
  /** `clock.monotonic()`; Infinity for one that lives for ever. */
  readonly endsAt: number
  /** What the first login gave: less after a renewal means that its longest life is near. */
  readonly wholeSeconds: number
}

/** Renewed at this share of its life, up to a tenth more or less, so that many processes do not renew at once. */
const RENEW_AT = 2 / 3
const JITTER = 0.1
/** A token that is renewed for less than this share of its first life is replaced. */
const WORTH = 0.5
const REVOKE_MS = 1000
/** The longest time that a timer takes. */
const LONGEST_MS = 2 ** 31 - 1

export class Session {
  readonly #options: SessionOptions
  readonly #closing = new AbortController()
  #held: Held | undefined
  #login: Promise<Held> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    this.#options = options
  }

  deadline(): Deadline {
    return new Deadline(this.#options.timeoutMs, this.#closing.signal)
  }

  /**
   * As the client's, with a token. A token that died is replaced, once.
   * @throws CustodyError `denied`: no token is given, or it lacks a permission
   */
  async ask(question: Question, deadline: Deadline): Promise<Answer> {
    const { client } = this.#options
    const first = await this.#token(deadline)
    const answer = await client.ask(question, first.token, deadline)
    if (answer.status !== 403) return answer
    // Vault gives the same answer to a token that died and to one that may not do this.
    if (!(await this.#isDead(first, deadline))) throw lacking(`${question.verb} ${question.path}`)
    if (this.#held === first) this.#held = undefined
    const second = await this.#token(deadline)
    const again = await client.ask(question, second.token, deadline)
    if (again.status === 403) throw lacking(`${question.verb} ${question.path}`)
    return again
  }

  async #isDead({ token }: Held, deadline: Deadline): Promise<boolean> {
    const question = { verb: 'read', path: 'auth/token/lookup-self', repeatable: true } as const
    return (await this.#options.client.ask(question, token, deadline)).status === 403
  }

  async #token(deadline: Deadline): Promise<Held> {
    const { clock } = this.#options
    if (this.#held && clock.monotonic() < this.#held.endsAt) return this.#held
    return deadline.of(this.#logIn())
  }

  /** One login for everybody who waits for one, with a deadline of its own. */
  #logIn(): Promise<Held> {
    const { auth, client } = this.#options
    this.#login ??= login(client, auth, this.deadline())
      .then((made) => this.#hold(made, made.ttlSeconds))
      .finally(() => {
        this.#login = undefined
      })
    return this.#login
  }

  #hold(made: Login, wholeSeconds: number): Held {
    const { clock } = this.#options
    const { ttlSeconds } = made
    const endsAt = ttlSeconds === 0 ? Infinity : clock.monotonic() + ttlSeconds * 1000
    const held = { ...made, endsAt, wholeSeconds }
    this.#held = held
    if (ttlSeconds > 0) this.#renewIn(ttlSeconds * 1000 * RENEW_AT)
    return held
  }

  #renewIn(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closing.signal.aborted) return
    const work = (): void => void this.#renew().catch(() => this.#renewLater())
    this.#timer = setTimeout(work, Math.min(jittered(ms, JITTER), LONGEST_MS))
    this.#timer.unref()
  }

  /** @throws when Vault does not answer */
  async #renew(): Promise<void> {
    const { auth, client } = this.#options
    const held = this.#held
    if (held === undefined) return
    const renewed = held.renewable ? await this.#renewed(held) : undefined
    if (this.#closing.signal.aborted || this.#held !== held) return
    if (renewed && renewed.ttlSeconds >= held.wholeSeconds * WORTH) {
      this.#hold(renewed, held.wholeSeconds)
    } else if (auth.kind === 'token') {
      // Nothing else can be had until somebody replaces the file, which is read when this one ends.
      if (renewed) this.#hold(renewed, held.wholeSeconds)
    } else {
      await this.#logIn()
      await revoke(client, held.token, this.deadline())
    }
  }

  async #renewed({ token }: Held): Promise<Login | undefined> {
    const path = 'auth/token/renew-self'
    const question = { verb: 'write', path, repeatable: true } as const
    const answer = await this.#options.client.ask(question, token, this.deadline())
    return answer.status === 200 ? { ...loginIn(answer.body), token } : undefined
  }

  /** Vault did not answer: again in a third of what is left. */
  #renewLater(): void {
    const left = (this.#held?.endsAt ?? 0) - this.#options.clock.monotonic()
    if (left > 0) this.#renewIn(Math.max(1000, left / 3))
  }

  /** Ends what runs with `closed`. A token that was made here is revoked where Vault answers soon; otherwise it expires. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    clearTimeout(this.#timer)
    const { auth, client } = this.#options
    const held = this.#held
    this.#held = undefined
    if (held && auth.kind !== 'token') {
      const deadline = new Deadline(REVOKE_MS, new AbortController().signal)
      await revoke(client, held.token, deadline).catch(() => undefined)
    }
    client.close()
  }
}

async function revoke(client: VaultClient, token: string, deadline: Deadline): Promise<void> {
  const question = { verb: 'write', path: 'auth/token/revoke-self', repeatable: false } as const
  await client.ask(question, token, deadline)
}
