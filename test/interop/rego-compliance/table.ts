/** Scores as text. */
import type { Evaluator, Mode, Result } from './score.ts'

export function summary({ name }: Evaluator, mode: Mode, results: readonly Result[]): string {
  const passed = results.filter((result) => result.passed).length
  const percent = ((100 * passed) / results.length).toFixed(2)
  return `${name} ${mode}: ${passed} of ${results.length} cases pass (${percent}%)`
}

/** A line a family that does not pass whole: its cases, those that pass, percent. */
export function tableOf(results: readonly Result[]): string {
  const families = [...Map.groupBy(results, ({ test }) => test.family)].sort()
  const rows = families.map(([family, of]) => {
    const passed = of.filter((result) => result.passed).length
    return { family, cases: of.length, passed }
  })
  const whole = rows.filter(({ cases, passed }) => cases === passed).length
  const lines = rows
    .filter(({ cases, passed }) => passed < cases)
    .map(({ family, cases, passed }) => {
      const percent = ((100 * passed) / cases).toFixed(1)
      return `${family.padEnd(40)}${String(cases).padStart(5)}${String(passed).padStart(7)}${percent.padStart(7)}%`
    })
  const head = `${'family'.padEnd(40)}cases passed percent`
  return [head, ...lines, `all cases pass in ${whole} of ${rows.length} families`].join('\n')
}
