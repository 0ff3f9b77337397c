/** Where in a JSON file a mistake is: the reader of policies says what is wrong, and an editor needs the place. */
import { parseDocumentText } from '../../adapters/config/document.ts'
import type { Problem, Sources } from '../../core/ports/compiler.ts'

/** Problems of JSON data with the first place that a second reader finds fault with; the same problem where it finds none. */
export function placed(problems: readonly Problem[], sources: Sources): readonly Problem[] {
  return problems.map((problem) => {
    const text = problem.code === 'invalid_data' ? sources[problem.file ?? ''] : undefined
    if (text === undefined || problem.row !== undefined) return problem
    const read = parseDocumentText(text)
    const at = 'problems' in read ? read.problems[0]?.at : undefined
    return at === undefined ? problem : { ...problem, row: at.line, col: at.col }
  })
}
