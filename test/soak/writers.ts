/**
 * Many processes that decide on one DynamoDB table while they are killed, frozen and started again at random; then an audit: every decision that was
 * acknowledged is in the log exactly once, every head that anybody saw is one of one history, and `fsck` finds nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../adapters/clock/system.ts'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { initTable } from '../../adapters/store/dynamodb/index.ts'
import { percentile } from '../bench/stats.ts'
import { between, seeded } from '../crash/random.ts'
import { audit } from './writers-audit.ts'

export interface Place {
  readonly endpoint: string
  readonly table: string
  readonly region: string
  readonly prefix: string
}
export interface WriterOptions {
  readonly place: Place
  /** The folder of the log's key, which all of them use. */
  readonly keys: string
  readonly inFlight: number
  /** Every so-manieth decision waits for its seal. */
  readonly sealed: number
  readonly mergeMs?: number
  /** How long a signature takes. */
  readonly signMs?: number
}
/** A line of a writer. */
export type Said =
  | { readonly ready: number }
  | { readonly id: string; readonly seal: string; readonly ms: number }
  | { readonly none: string }
  | { readonly head: string }
  | { readonly signing: number }

export interface Load extends Omit<WriterOptions, 'sealed'> {
  readonly writers: number
  readonly seconds: number
  readonly seed: number
  readonly sealed?: number
  /** `random`: killed and frozen. `signing`: frozen one after the other while they sign. Default `random`. */
  readonly harm?: 'none' | 'random' | 'signing'
}

export interface WritersReport {
  readonly acknowledged: number
  readonly sealed: number
  readonly none: Readonly<Record<string, number>>
  readonly kills: number
  readonly freezes: number
  /** From a freeze while signing until another writer's head, at most. */
  readonly takeOverMs: number
  readonly heads: number
  readonly perSecond: number
  /** From the call to the answer, of those that waited for the commit alone and of those that waited for the seal. */
  readonly durable: Latency
  readonly waited: Latency
  readonly problems: readonly string[]
}

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What the writers said, all together. */
export interface Told {
  readonly acknowledged: Map<string, { readonly seal: string; readonly ms: number }>
  /** Acknowledged more than once: that would be a decision id given twice. */
  readonly repeated: string[]
  readonly none: Record<string, number>
  readonly heads: Set<string>
  /** The process that said last that it signs. */
  signing: number
}

/** Longer than the lease: somebody takes over meanwhile. */
const FROZEN_MS = [3500, 6000] as const
const KILL_EVERY_MS = [400, 1600] as const

/** Starts writers, hurts them for `seconds`, lets them stop, and audits what is left. The folder `keys` has no key yet. */
export async function manyWriters(load: Load): Promise<WritersReport> {
  await prepare(load)
  const told: Told = {
    acknowledged: new Map(),
    repeated: [],
    none: {},
    heads: new Set(),
    signing: 0,
  }
  const writers = Array.from({ length: load.writers }, () => new Writer(load, told))
  await Promise.all(writers.map((writer) => writer.start()))
  const before = told.acknowledged.size
  const began = performance.now()
  const done = await HARM[load.harm ?? 'random'](writers, load, told)
  const seconds = (performance.now() - began) / 1000
  const counted = [...told.acknowledged.values()].slice(before)
  await Promise.all(writers.map((writer) => writer.stop()))
  const problems = [...(await audit(load, told)), ...writers.flatMap(({ problems }) => problems)]
  return {
    ...{ acknowledged: told.acknowledged.size, none: told.none, ...done, problems },
    sealed: [...told.acknowledged.values()].filter(({ seal }) => seal === 'sealed').length,
    heads: told.heads.size,
    perSecond: Math.round(counted.length / seconds),
    durable: latency(counted.filter(({ seal }) => seal === 'durable')),
    waited: latency(counted.filter(({ seal }) => seal !== 'durable')),
  }
}

function latency(answers: readonly { readonly ms: number }[]): Latency {
  const times = answers.map(({ ms }) => ms)
  if (times.length === 0) return { p50Ms: 0, p99Ms: 0 }
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) }
}

async function prepare({ keys, place }: Load): Promise<void> {
  await initTable({ ...place, clock: systemClock })
  const custody = await openFileCustody({ dir: keys })
  const key = await custody.create('log', 'log')
  if (key.state === 'pre-active') await custody.transition(key, 'active')
  await custody.close()
}

type Done = Pick<WritersReport, 'freezes' | 'kills' | 'takeOverMs'>
type Harm = (writers: readonly Writer[], load: Load, told: Told) => Promise<Done>

const unharmed: Harm = async (_, { seconds }) => {
  await pause(seconds * 1000)
  return { freezes: 0, kills: 0, takeOverMs: 0 }
}

const killed: Harm = async (writers, { seconds, seed }) => {
  const random = seeded(seed)
  const ends = performance.now() + seconds * 1000
  let [kills, freezes] = [0, 0]
  const under: Promise<void>[] = []
  while (performance.now() < ends) {
    await pause(between(random, ...KILL_EVERY_MS))
    const writer = writers[between(random, 0, writers.length - 1)] as Writer
    if (writer.hurt) continue
    const frozen = random() < 0.25
    if (frozen) freezes++
    else kills++
    under.push(frozen ? writer.freeze(() => pause(between(random, ...FROZEN_MS))) : writer.kill())
  }
  await Promise.all(under)
  return { kills, freezes, takeOverMs: 0 }
}

const frozenWhileSigning: Harm = async (writers, { seconds }, told) => {
  const ends = performance.now() + seconds * 1000
  let [freezes, takeOverMs] = [0, 0]
  while (performance.now() < ends) {
    told.signing = 0
    while (told.signing === 0) await pause(1)
    const writer = writers.find(({ pid }) => pid === told.signing)
    if (writer === undefined) throw new Error('somebody signs who is no writer')
    await writer.freeze(async () => {
      const [began, before] = [performance.now(), told.heads.size]
      while (told.heads.size === before && performance.now() - began < 60_000) await pause(10)
      takeOverMs = Math.max(takeOverMs, Math.round(performance.now() - began))
    })
    freezes++
    await pause(500)
  }
  return { freezes, kills: 0, takeOverMs }
}

const HARM = { none: unharmed, random: killed, signing: frozenWhileSigning } as const

/** One process at a time, started again as often as it is killed. */
class Writer {
  /** Killed or frozen just now. */
  hurt = false
  readonly problems: string[] = []
  readonly #load: Load
  readonly #told: Told
  #child: ChildProcess | undefined
  #ended: Promise<void> | undefined

  constructor(load: Load, told: Told) {
    this.#load = load
    this.#told = told
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves when it decides. */
  async start(): Promise<void> {
    const { inFlight, keys, mergeMs, place, sealed = 5, signMs } = this.#load
    const options: WriterOptions = {
      ...{ inFlight, keys, place, sealed },
      ...(mergeMs === undefined ? {} : { mergeMs }),
      ...(signMs === undefined ? {} : { signMs }),
    }
    const script = join(import.meta.dirname, 'writer.ts')
    const child = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    const closed = new Promise<void>((resolve) => lines.once('close', resolve))
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        if (signal !== 'SIGKILL' && code !== 0)
          this.problems.push(`a writer ended with ${code ?? signal}`)
        void closed.then(resolve)
      })
    })
    await new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        const said = JSON.parse(line) as Said
        if ('ready' in said) resolve()
        else this.#hear(said)
      })
      void this.#ended?.then(resolve)
    })
  }

  async kill(): Promise<void> {
    this.hurt = true
    this.#child?.kill('SIGKILL')
    await this.#ended
    await this.start()
    this.hurt = false
  }

  async freeze(until: () => Promise<void>): Promise<void> {
    this.hurt = true
    this.#child?.kill('SIGSTOP')
    await until()
    this.#child?.kill('SIGCONT')
    this.hurt = false
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.#ended
  }

  #hear(said: Said): void {
    const { acknowledged, heads, none, repeated } = this.#told
    if ('id' in said) {
      if (acknowledged.has(said.id)) repeated.push(said.id)
      acknowledged.set(said.id, said)
    } else if ('head' in said) {
      if (said.head !== '') heads.add(said.head)
    } else if ('none' in said) none[said.none] = (none[said.none] ?? 0) + 1
    else if ('signing' in said) this.#told.signing = said.signing
  }
}
