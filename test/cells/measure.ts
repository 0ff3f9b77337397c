/**
 * How long a revoked token is still accepted: on the kernel that revoked it not once, on the others for as long as they do not know. Revocations
 * of every sort, while the network loses messages and kernels are killed and come back.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { between, type Random } from '../crash/random.ts'
import { refusal, released, type Victim, WAYS, type Way } from './revoking.ts'
import type { Kernel, World } from './world.ts'

export interface MeasureOptions {
  /** Of each kernel. */
  readonly revocations: number
  /** Kills, spread over the run. Default 0. */
  readonly restarts?: number
  /** Names in {@link WAYS}, one after the other. Default: those after which a cell can go on. */
  readonly kinds?: readonly string[]
  /** Which of the kernels revoke. Default: all. */
  readonly issuers?: readonly Kernel[]
  readonly random: Random
  progress?(line: string): void
}
export interface Report {
  readonly lossPercent: number
  readonly restarts: number
  /** Revocations, and what other kernels were asked about each. */
  readonly revoked: number
  readonly observed: number
  /** Milliseconds from the request to revoke until a token was accepted for the last time: 0 when it never was. */
  readonly accepted: Quantiles
  /** Milliseconds until a kernel knew, where neither it nor the issuer was killed meanwhile. */
  readonly known: Quantiles
  /** What must not be. */
  readonly problems: readonly string[]
  readonly network: { readonly passed: number; readonly lost: number; readonly doubled: number }
}
export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** A revoked token must not be accepted for longer, anywhere. */
export const BOUND_MS = 10_000
const KINDS = ['token', 'ancestor', 'lease', 'renewal']
/** Of each cell, at least. */
export const RESOURCES = 24
const POLL_MS = 20
/** Refusals that say more than that nothing was heard lately. */
const KNOWING = new Set([
  'lease_expired',
  'lease_generation_stale',
  'lease_revoked',
  'token_revoked',
])

export async function measure(world: World, options: MeasureOptions): Promise<Report> {
  const { issuers = world.kernels, random, restarts = 0, revocations } = options
  const run = new Run(world, options)
  const working = issuers.map((kernel) => run.work(kernel, revocations))
  const chaos = run.disturb(restarts, revocations * issuers.length, random)
  await Promise.all([...working, chaos])
  return run.report(restarts)
}

class Run {
  readonly #world: World
  readonly #kinds: readonly string[]
  readonly #progress: (line: string) => void
  readonly #accepted: number[] = []
  readonly #known: number[] = []
  readonly #problems: string[] = []
  /** How often each was killed. */
  readonly #kills = new Map<Kernel, number>()
  #revoked = 0
  #working = 0
  #places = 0

  constructor(world: World, { kinds = KINDS, progress = () => undefined }: MeasureOptions) {
    this.#world = world
    this.#kinds = kinds
    this.#progress = progress
  }

  async work(issuer: Kernel, count: number): Promise<void> {
    this.#working++
    for (let n = 0; n < count; n++) {
      const kind = this.#kinds[n % this.#kinds.length] as string
      const way = WAYS[kind] as Way
      // The second cell of a kernel, whose key may be revoked, comes last.
      const cell = issuer.cells.at(kind === 'key' ? -1 : n % issuer.cells.length) as string
      // A grant whose answer was lost keeps its resource: the next attempt takes another one.
      const victim = await this.#patiently(() =>
        way({ issuer, cell, n: this.#places++ % RESOURCES }),
      )
      await this.#patiently(() => this.#acceptedEverywhere(victim))
      await this.#observe(victim)
      await this.#patiently(() => released(victim))
    }
    this.#working--
  }

  /** Kills and starts kernels again, one after the other, at random moments. */
  async disturb(restarts: number, expected: number, random: Random): Promise<void> {
    for (let n = 1; n <= restarts && this.#working > 0; n++) {
      const after = (n * expected) / (restarts + 1)
      while (this.#revoked < after && this.#working > 0) await pause(between(random, 20, 120))
      const kernel = this.#world.kernels[n % this.#world.kernels.length] as Kernel
      this.#kills.set(kernel, this.#killed(kernel) + 1)
      await kernel.stop('SIGKILL')
      await kernel.start()
      this.#progress(`${kernel.name} was killed and is back`)
    }
  }

  report(restarts: number): Report {
    const network = { passed: 0, lost: 0, doubled: 0 }
    for (const { counts } of this.#world.networks) {
      network.passed += counts.passed
      network.lost += counts.lost
      network.doubled += counts.doubled
    }
    return {
      lossPercent: Math.round(this.#world.weather.loss * 100),
      restarts,
      revoked: this.#revoked,
      observed: this.#accepted.length,
      accepted: quantiles(this.#accepted),
      known: quantiles(this.#known),
      problems: this.#problems,
      network,
    }
  }

  #killed(kernel: Kernel): number {
    return this.#kills.get(kernel) ?? 0
  }

  /** Until it goes well: kernels are down now and then. */
  async #patiently<T>(run: () => Promise<T>): Promise<T> {
    const until = performance.now() + 60_000
    for (;;) {
      try {
        return await run()
      } catch (error) {
        if (performance.now() > until) throw error
        await pause(200)
      }
    }
  }

  async #acceptedEverywhere(victim: Victim): Promise<void> {
    for (const kernel of this.#world.kernels) {
      const code = await refusal(kernel, victim)
      if (code !== undefined) throw new Error(`${kernel.name} does not accept it: ${code}`)
    }
  }

  async #observe(victim: Victim): Promise<void> {
    const { issuer, what } = victim
    const began = performance.now()
    // Whoever hears nothing asks again: revoking is idempotent.
    await this.#patiently(() => victim.revoke())
    const committed = performance.now()
    const code = await this.#patiently(() => refusal(issuer, victim))
    if (code === undefined) this.#problems.push(`${issuer.name} accepts what it revoked: ${what}`)
    this.#revoked++
    const others = this.#world.kernels.filter((kernel) => kernel !== issuer)
    await Promise.all(others.map((kernel) => this.#follow(kernel, victim, began, committed)))
    this.#progress(`${this.#revoked}: ${what} of ${victim.cell}`)
  }

  /** Until it knows. */
  async #follow(kernel: Kernel, victim: Victim, began: number, committed: number): Promise<void> {
    const kills = this.#killed(kernel) + this.#killed(victim.issuer)
    let last = began
    for (;;) {
      const asked = performance.now()
      const code = await refusal(kernel, victim).catch(() => 'unreachable')
      if (code === undefined) {
        last = asked
        if (asked > committed + BOUND_MS)
          this.#problems.push(`${kernel.name} accepts ${victim.what} after ${asked - committed} ms`)
      }
      if (code !== undefined && KNOWING.has(code)) break
      if (asked > committed + 6 * BOUND_MS) {
        this.#problems.push(`${kernel.name} never learned of ${victim.what}: ${code ?? 'accepted'}`)
        break
      }
      await pause(POLL_MS)
    }
    this.#accepted.push(last - began)
    if (this.#killed(kernel) + this.#killed(victim.issuer) === kills)
      this.#known.push(performance.now() - began)
  }
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0)
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** One line a run. */
export function table(reports: readonly Report[]): string {
  const head = [
    'lost %',
    'restarts',
    'revoked',
    'observed',
    'p50 ms',
    'p99 ms',
    'max ms',
    'known p99',
    'max',
  ]
  const rows = reports.map((report) => [
    report.lossPercent,
    report.restarts,
    report.revoked,
    report.observed,
    report.accepted.p50,
    report.accepted.p99,
    report.accepted.max,
    report.known.p99,
    report.known.max,
  ])
  return [head, ...rows]
    .map((row) => row.map((cell) => String(cell).padStart(9)).join(' '))
    .join('\n')
}
