/** The tables of the engines, as Markdown, and which goals were met. */

export interface Measured {
  readonly name: string
  readonly workload: string
  readonly shape: 'mixed' | 'uniform'
  /** Of one decision, the process's threads together; the median of all rounds. */
  readonly cpuMicros: number
  readonly wallMicros: number
}

const OURS = 'jit'

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Ratios first: how many times the CPU time of the jit engine on the same questions. */
export function peerTable(measured: readonly Measured[]): string {
  const columns = distinct(measured.map(({ shape, workload }) => `${workload}, ${shape}`))
  const cell = (name: string, column: string): string => {
    const one = find(measured, name, column)
    const ours = find(measured, OURS, column)
    if (one === undefined || ours === undefined) return '–'
    const ratio = one.cpuMicros / ours.cpuMicros
    return `${ratio.toFixed(ratio < 10 ? 2 : 0)}× (${micros(one.cpuMicros)})`
  }
  const names = distinct(measured.map(({ name }) => name))
  return table(
    ['CPU of a decision, in times of jit (µs)', ...columns],
    names.map((name) => [name, ...columns.map((column) => cell(name, column))]),
  )
}

/** What jit has to be ahead of by how much, with uniform questions; on all of them it has to be ahead of everybody. */
const AHEAD: Readonly<Record<string, number>> = {
  rbac: 15,
  'rbac-indexed': 2.5,
  abac: 15,
  capability: 15,
}
/** These are not engines that somebody else wrote, or not given the same thing. */
const NO_PEERS = new Set(['by-hand', 'jit', 'jit-checked', 'jit-text', 'wasm'])

export function goals(measured: readonly Measured[]): string {
  const lines: string[] = []
  for (const [workload, times] of Object.entries(AHEAD)) {
    const column = `${workload}, uniform`
    const ratio =
      (find(measured, 'opa-wasm', column)?.cpuMicros ?? 0) /
      (find(measured, OURS, column)?.cpuMicros ?? 1)
    lines.push(
      `- ${ratio >= times ? 'reached' : 'MISSED'}: ${ratio.toFixed(1)} times as fast as opa-wasm on ${workload}, goal ${times}`,
    )
  }
  for (const column of distinct(measured.map(({ shape, workload }) => `${workload}, ${shape}`))) {
    const ours = find(measured, OURS, column)
    const peers = measured.filter(
      (one) => `${one.workload}, ${one.shape}` === column && !NO_PEERS.has(one.name),
    )
    const [next] = [...peers].sort((a, b) => a.cpuMicros - b.cpuMicros)
    if (ours === undefined || next === undefined) continue
    const ahead = next.cpuMicros > ours.cpuMicros
    lines.push(
      `- ${ahead ? 'reached' : 'MISSED'}: ahead of every peer on ${column}; next is ${next.name} with ${(next.cpuMicros / ours.cpuMicros).toFixed(1)} times the CPU`,
    )
  }
  return lines.join('\n')
}

export function micros(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}

function find(measured: readonly Measured[], name: string, column: string): Measured | undefined {
  return measured.find((one) => one.name === name && `${one.workload}, ${one.shape}` === column)
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)]
}
