/** Several ways of doing something, taken in turns within one process, so that what disturbs one disturbs them all. */

import { type Random, seeded } from '../../crash/random.ts'

/** One call: what it gives does not matter. Set up before, so that only what is to be measured is in it. */
export type Side = () => unknown
/** Made anew before each turn, which is not measured: for what gets slower the longer it lives. */
export interface RenewedSide {
  renew(): Promise<Side>
}

export interface Turns {
  readonly rounds: number
  /** Of CPU, for one side in one round. */
  readonly sliceMs: number
  /** Of CPU, for each side before the first round. */
  readonly warmMs: number
}

/** Calls before a renewed side's turn begins. */
const RENEWED_CALLS = 50

/** Microseconds of CPU a call, by side, for each round: garbage collection and helper threads included. */
export type Taken<Name extends string> = Readonly<Record<Name, readonly number[]>>

export async function inTurns<Name extends string>(
  sides: Readonly<Record<Name, RenewedSide | Side>>,
  { rounds, sliceMs, warmMs }: Turns,
): Promise<Taken<Name>> {
  const names = Object.keys(sides) as Name[]
  const counts = new Map<Name, number>()
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    Name,
    number[]
  >
  for (const name of names) {
    const each = await warm(await ready(sides[name]), warmMs)
    counts.set(name, Math.max(1, Math.round((sliceMs * 1000) / each)))
  }
  const random = seeded(1)
  for (let round = 0; round < rounds; round++)
    // In another order each time: what one leaves to be collected, the next one pays for.
    for (const name of shuffled(names, random))
      taken[name].push(await perCall(await ready(sides[name]), counts.get(name) ?? 1))
  return taken
}

async function ready(side: RenewedSide | Side): Promise<Side> {
  if (typeof side === 'function') return side
  const renewed = await side.renew()
  for (let i = 0; i < RENEWED_CALLS; i++) await renewed()
  return renewed
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

async function warm(side: Side, warmMs: number): Promise<number> {
  let each = await perCall(side, 1)
  for (let spent = 0, count = 1; spent < warmMs * 1000; count *= 2) {
    each = await perCall(side, count)
    spent += each * count
  }
  return each
}

async function perCall(side: Side, count: number): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) {
    const given = side()
    if (given instanceof Promise) await given
  }
  const { user, system } = process.cpuUsage(before)
  return Math.max(user + system, 1) / count
}
