/** One part of the benchmark in a process of its own: `main.ts <options as JSON>`. Prints one line of JSON. */
import { compiler } from '../../rego.ts'
import { median } from '../stats.ts'
import { BiscuitWasm } from './biscuit.ts'
import { inTurns, type RenewedSide, type Side, type Taken, type Turns } from './measure.ts'
import { openStore, revocationCheck, type StoreKind } from './revocations.ts'
import {
  bareVerification,
  type Keys,
  memoryReads,
  RECORDS,
  SHAPES,
  type Shape,
  signaturesOf,
  Verdicts,
  verification,
} from './tokens.ts'

export type CapabilityOptions = Turns &
  (
    | { readonly part: 'tokens' }
    | { readonly part: 'revocations'; readonly store: StoreKind; readonly folder: string }
  )

/** Medians over rounds. Ratios are to as many bare verifications as the token has signatures, in the same round. */
export interface TokenResult extends Shape {
  readonly signatures: number
  readonly ratio: Readonly<Record<Keys | 'verdict', number>>
  /** With facts and verdict, of biscuit-wasm with its authorizer. */
  readonly ofBiscuit: number
  readonly verdictMicros: number
}
export interface TokenResults {
  readonly bareMicros: number
  readonly shapes: readonly TokenResult[]
}
export interface RevocationResult {
  readonly store: StoreKind
  readonly live: number
  readonly noneMicros: number
  readonly liveMicros: number
  /** To one bare verification in the same round. */
  readonly ratio: { readonly live: number; readonly none: number }
}

const LIVE = 1_000_000
const KEYS: readonly Keys[] = ['cold', 'first', 'kept']

/** Of two sides, round by round. */
function ratioOf(taken: Taken<string>, side: string, base: string, times = 1): number {
  const bases = taken[base] as readonly number[]
  return median((taken[side] as readonly number[]).map((one, i) => one / (bases[i]! * times)))
}

async function measureTokens(turns: Turns): Promise<TokenResults> {
  const verdicts = await Verdicts.open()
  const reads = memoryReads(RECORDS)
  const sides: Record<string, RenewedSide | Side> = { bare: bareVerification() }
  const nameOf = ({ added, last }: Shape, what: string): string => `${added} ${last} ${what}`
  for (const shape of SHAPES) {
    for (const keys of KEYS) sides[nameOf(shape, keys)] = verification(shape, keys)
    sides[nameOf(shape, 'verdict')] = verdicts.of(shape, () => reads)
    sides[nameOf(shape, 'biscuit')] = BiscuitWasm.authorizing(shape)
  }
  const taken = await inTurns(sides, turns)
  await verdicts.close()
  await compiler.close()
  const resultOf = (shape: Shape): TokenResult => {
    const signatures = signaturesOf(shape)
    const ratio = (what: string): number => ratioOf(taken, nameOf(shape, what), 'bare', signatures)
    const verdict = nameOf(shape, 'verdict')
    return {
      ...shape,
      signatures,
      ratio: {
        cold: ratio('cold'),
        first: ratio('first'),
        kept: ratio('kept'),
        verdict: ratio('verdict'),
      },
      ofBiscuit: ratioOf(taken, verdict, nameOf(shape, 'biscuit')),
      verdictMicros: median(taken[verdict] as readonly number[]),
    }
  }
  return { bareMicros: median(taken.bare as readonly number[]), shapes: SHAPES.map(resultOf) }
}

async function measureRevocations(
  kind: StoreKind,
  folder: string,
  turns: Turns,
): Promise<RevocationResult> {
  const none = await openStore(kind, folder, 0)
  const live = await openStore(kind, folder, LIVE)
  const sides = {
    bare: bareVerification(),
    live: revocationCheck(live),
    none: revocationCheck(none),
  }
  const taken = await inTurns(sides, turns)
  await live.close()
  await none.close()
  return {
    store: kind,
    live: LIVE,
    noneMicros: median(taken.none),
    liveMicros: median(taken.live),
    ratio: { live: ratioOf(taken, 'live', 'bare'), none: ratioOf(taken, 'none', 'bare') },
  }
}

const [options] = process.argv.slice(2)
if (import.meta.main && options !== undefined) {
  const chosen = JSON.parse(options) as CapabilityOptions
  const result =
    chosen.part === 'tokens'
      ? await measureTokens(chosen)
      : await measureRevocations(chosen.store, chosen.folder, chosen)
  console.log(JSON.stringify(result))
  process.exit()
}
