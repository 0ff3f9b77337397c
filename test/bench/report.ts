/** Measurements as Markdown, ratios first. */
import type { EmbeddedResult } from './embedded.ts'
import type { HttpResult } from './http.ts'

/** What issue 3 asks for. */
const GOAL = { inFlight: 256, perSecond: 10_000, ofFloor: 0.6 } as const

type Cell = string | undefined

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly Cell[]): string =>
    `| ${cells.map((cell) => cell ?? '–').join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
const percent = (value: number): string => `${Math.round(100 * value)}%`
const micros = (value: number): string => value.toFixed(1)
const millis = (value: number | undefined): Cell => value?.toFixed(2)

/** What share of the floor's speed a side has, by CPU time: by the clock, two processes on one disk disturb each other. */
export function ofFloor({ floor, sealed }: EmbeddedResult): number {
  return floor.cpuMicros / sealed.cpuMicros
}

const EMBEDDED_HEAD = [
  'store',
  'in flight',
  'seal',
  'of the floor, CPU',
  'of the floor, clock',
  'decisions/s',
  'CPU µs a decision',
  'p50 ms',
  'p99 ms',
]

export function embeddedTable(results: readonly EmbeddedResult[]): string {
  return table(
    EMBEDDED_HEAD,
    results.flatMap((result) =>
      (['sealed', 'durable', 'floor'] as const).map((side) => {
        const { cpuMicros, p50Ms, p99Ms, perSecond } = result[side]
        const { floor } = result
        return [
          result.store,
          String(result.inFlight),
          side,
          percent(floor.cpuMicros / cpuMicros),
          percent(perSecond / floor.perSecond),
          whole(perSecond),
          micros(cpuMicros),
          millis(p50Ms),
          millis(p99Ms),
        ]
      }),
    ),
  )
}

const HTTP_HEAD = [
  'server',
  'connections',
  "of OPA's CPU",
  'CPU µs a decision',
  'decisions/s',
  'p50 ms',
  'p99 ms',
]

export function httpTable(results: readonly HttpResult[]): string {
  return table(
    HTTP_HEAD,
    results.map((result) => {
      const { side, connections, cpuMicros, perSecond, p50Ms, p99Ms } = result
      const ratio = ofOpa(results, result)
      return [
        side,
        String(connections),
        ratio === undefined ? undefined : percent(ratio),
        micros(cpuMicros),
        whole(perSecond),
        millis(p50Ms),
        millis(p99Ms),
      ]
    }),
  )
}

function ofOpa(results: readonly HttpResult[], one: HttpResult): number | undefined {
  const opa = results.find(
    ({ side, connections }) => side === 'opa' && connections === one.connections,
  )
  return opa && one.cpuMicros / opa.cpuMicros
}

/** Each goal that was measured: reached or not. */
export function goals(embedded: readonly EmbeddedResult[], http: readonly HttpResult[]): string {
  const lines: string[] = []
  const line = (reached: boolean, text: string): number =>
    lines.push(`- ${reached ? 'reached' : 'MISSED'}: ${text}`)
  for (const result of embedded) {
    if (result.store !== 'sqlite' || result.inFlight !== GOAL.inFlight) continue
    const { perSecond } = result.sealed
    const share = ofFloor(result)
    line(
      perSecond >= GOAL.perSecond,
      `${whole(perSecond)} durable, sealed decisions/s, goal ${whole(GOAL.perSecond)}`,
    )
    line(share >= GOAL.ofFloor, `${percent(share)} of the floor, goal ${percent(GOAL.ofFloor)}`)
  }
  for (const result of http) {
    const ratio = ofOpa(http, result)
    if (result.side !== 'assay' || ratio === undefined) continue
    line(ratio <= 1, `${percent(ratio)} of OPA's CPU at ${result.connections} connections`)
  }
  const verified = [...embedded, ...http].reduce((sum, one) => sum + one.verified, 0)
  lines.push(`- receipts verified in this run: ${whole(verified)}`)
  return lines.join('\n')
}
