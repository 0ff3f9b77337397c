/** Tokens as Markdown, ratios first. */
import { table } from '../report.ts'
import { BISCUIT } from './biscuit.ts'
import type { RevocationResult, TokenResult, TokenResults } from './main.ts'

/** What issue 5 asks for: times as many bare verifications, and of biscuit-wasm's CPU. */
const GOAL = { verdict: 1.25, ofBiscuit: 1 } as const

const times = (value: number): string => `${value.toFixed(2)}×`
const percent = (value: number): string => `${Math.round(100 * value)}%`
const micros = (value: number): string => value.toFixed(1)
const nameOf = ({ added, last }: TokenResult): string =>
  `${added} added, ${last === 'seal' ? 'sealed' : 'not sealed'}`

const TOKEN_HEAD = [
  'token',
  'signatures',
  'verified, cold keys',
  'verified, first use',
  'verified, known keys',
  'with facts and verdict',
  'CPU µs',
  'of biscuit-wasm',
]

export function tokenTable({ bareMicros, shapes }: TokenResults): string {
  const rows = shapes.map((shape) => {
    const { cold, first, kept, verdict } = shape.ratio
    const ratios = [cold, first, kept, verdict].map(times)
    const { ofBiscuit, signatures, verdictMicros } = shape
    return [nameOf(shape), String(signatures), ...ratios, micros(verdictMicros), percent(ofBiscuit)]
  })
  const unit = `1× is ${micros(bareMicros)} µs a signature: \`crypto.verify\` with an imported key. Beside it: \`${BISCUIT}\`.`
  return `${table(TOKEN_HEAD, rows)}\n\n${unit}`
}

const REVOCATION_HEAD = [
  'store',
  'live entries',
  'a check, of a verification',
  'with none',
  'CPU µs a check',
  'with none',
]

export function revocationTable(results: readonly RevocationResult[]): string {
  return table(
    REVOCATION_HEAD,
    results.map(({ live, liveMicros, noneMicros, ratio, store }) => [
      store,
      live.toLocaleString('en-US'),
      percent(ratio.live),
      percent(ratio.none),
      micros(liveMicros),
      micros(noneMicros),
    ]),
  )
}

/** Each goal for each token: reached or not. */
export function tokenGoals({ shapes }: TokenResults): string {
  const line = (reached: boolean, text: string): string =>
    `- ${reached ? 'reached' : 'MISSED'}: ${text}`
  return shapes
    .flatMap((shape) => {
      const { ofBiscuit, ratio } = shape
      const verdict = `${times(ratio.verdict)} with the verdict, goal ${times(GOAL.verdict)}`
      return [
        line(ratio.verdict <= GOAL.verdict, `${nameOf(shape)}: ${verdict}`),
        line(ofBiscuit < GOAL.ofBiscuit, `${nameOf(shape)}: ${percent(ofBiscuit)} of biscuit-wasm`),
      ]
    })
    .join('\n')
}
