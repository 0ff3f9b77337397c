/**
 * The kernel in process against the floor, on one CPU: `embedded.ts <options as JSON>`. The sides
 * take turns in one process, so that what disturbs one disturbs the other. Prints one line of JSON.
 */
import { join } from 'node:path'
import type { Decision, Kernel, Seal } from '../../core/kernel.ts'
import type { TrustAnchor } from '../../core/log/anchor.ts'
import { verifyReceipt } from '../../core/log/receipt.ts'
import { Floor, memorySink, sqliteSink } from './floor.ts'
import { type Round, type Summary, summarize } from './stats.ts'
import { assertWorkload, type Case, makeCases, openWorld, seed, submissionOf } from './world.ts'

/** One receipt in so many is taken and verified. */
const SAMPLE = 100

export interface EmbeddedOptions {
  readonly store: 'memory' | 'sqlite'
  readonly inFlight: number
  readonly rounds: number
  readonly seconds: number
  /** The optimising compiler shares the one CPU: it takes about ten seconds to be done. */
  readonly warmSeconds: number
  readonly folder: string
}
export interface EmbeddedResult {
  readonly store: EmbeddedOptions['store']
  readonly inFlight: number
  readonly durable: Summary
  readonly sealed: Summary
  readonly floor: Summary
  /** Receipts that were verified against the trust anchor. */
  readonly verified: number
}

export async function measureEmbedded(options: EmbeddedOptions): Promise<EmbeddedResult> {
  const { store, inFlight, rounds, seconds, warmSeconds, folder } = options
  const { cases } = await makeCases(join(folder, 'cases'))
  assertWorkload(cases)
  const { composed, policy } = await openWorld(join(folder, 'kernel'), store)
  const sink = store === 'sqlite' ? await sqliteSink(join(folder, 'floor.db')) : memorySink()
  const floor = new Floor(policy, sink)
  const { kernel, anchor } = composed
  const taken = { durable: [] as Round[], sealed: [] as Round[], floor: [] as Round[] }
  let verified = 0
  try {
    await seed(kernel)
    const load = new Load(kernel, cases, anchor)
    await load.run('sealed', inFlight, warmSeconds * 1000)
    floorRound(floor, cases, inFlight, (warmSeconds * 1000) / 4)
    load.verified = 0
    const ms = seconds * 1000
    for (let round = 0; round < rounds; round++) {
      taken.durable.push(await load.run('durable', inFlight, ms))
      taken.floor.push(floorRound(floor, cases, inFlight, ms))
      taken.sealed.push(await load.run('sealed', inFlight, ms))
    }
    verified = load.verified
  } finally {
    sink.close()
    await composed.close()
  }
  const [durable, sealed] = [summarize(taken.durable), summarize(taken.sealed)]
  return { store, inFlight, durable, sealed, floor: summarize(taken.floor), verified }
}

/** Callers that each wait for one decision at a time. */
class Load {
  readonly #kernel: Kernel
  readonly #cases: readonly Case[]
  readonly #anchor: TrustAnchor
  #next = 0
  verified = 0

  constructor(kernel: Kernel, cases: readonly Case[], anchor: TrustAnchor) {
    this.#kernel = kernel
    this.#cases = cases
    this.#anchor = anchor
  }

  /** @throws Error for an answer that is wrong, lacks its seal, or whose receipt does not verify */
  async run(seal: Seal, inFlight: number, ms: number): Promise<Round> {
    const latenciesMs: number[] = []
    const sample: Decision[] = []
    const [from, cpu] = [performance.now(), process.cpuUsage()]
    const caller = async (): Promise<void> => {
      for (let now = performance.now(); now - from < ms; ) {
        const asked = this.#cases[this.#next++ % this.#cases.length]!
        const decision = await this.#kernel.decide(submissionOf(asked.evaluation), { seal })
        if (decision.seal !== seal) throw new Error(`${decision.seal} instead of ${seal}`)
        if (decision.allow !== asked.allow) throw new Error('another answer than without load')
        const then = performance.now()
        if (latenciesMs.push(then - now) % SAMPLE === 0) sample.push(decision)
        now = then
      }
    }
    await Promise.all(Array.from({ length: inFlight }, caller))
    const { user, system } = process.cpuUsage(cpu)
    const wallMs = performance.now() - from
    for (const decision of sample) await this.#verify(decision)
    return { decisions: latenciesMs.length, wallMs, cpuMicros: user + system, latenciesMs }
  }

  async #verify(decision: Decision): Promise<void> {
    const { ok, checks } = verifyReceipt(await decision.receipt(), this.#anchor)
    if (!ok) throw new Error(`a receipt does not verify: ${JSON.stringify(checks)}`)
    this.verified++
  }
}

function floorRound(floor: Floor, cases: readonly Case[], groupSize: number, ms: number): Round {
  const [from, cpu] = [performance.now(), process.cpuUsage()]
  let decisions = 0
  while (performance.now() - from < ms) {
    const at = decisions % cases.length
    const group = cases.slice(at, at + groupSize)
    floor.decide(group)
    decisions += group.length
  }
  const { user, system } = process.cpuUsage(cpu)
  return {
    decisions,
    wallMs: performance.now() - from,
    cpuMicros: user + system,
    latenciesMs: [],
  }
}

if (import.meta.main) {
  const [options] = process.argv.slice(2)
  if (options === undefined) throw new Error('usage: embedded.ts <options as JSON>')
  const result = await measureEmbedded(JSON.parse(options) as EmbeddedOptions)
  console.log(JSON.stringify(result))
}
