/** What a kind of cases is: a file format, and how each case in it is decided for real. */
import { readFile } from 'node:fs/promises'
import type { Json } from '../../core/json.ts'

export interface Outcome {
  /** In the words of the file's format, such as `accept` and `refuse`. */
  readonly verdict: string
  readonly reason?: string
}

/** One case, decided. */
export interface Case {
  readonly name: string
  /** As the file has it; without a reason any is right. */
  readonly expected: Outcome
  readonly got: Outcome
}

export interface Kind {
  /** Each case of the file, in its order. @throws CaseFileError when the file is not of this kind */
  run(file: string): AsyncIterable<Case>
  /** Ends what it keeps for further files; it runs none after that. */
  close?(): Promise<void>
}

/** The file cannot be read, or says something that the kind does not know: nothing was judged. */
export class CaseFileError extends Error {}

export function agrees({ expected, got }: Case): boolean {
  return (
    expected.verdict === got.verdict &&
    (expected.reason === undefined || expected.reason === got.reason)
  )
}

/** The file's JSON. Not read strictly: a case may be about a number that a strict reader refuses. @throws CaseFileError */
export async function readCaseFile(file: string): Promise<Json> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Json
  } catch (error) {
    const why = error instanceof SyntaxError ? 'not JSON' : (error as NodeJS.ErrnoException).code
    throw new CaseFileError(`${file} cannot be read: ${why ?? 'unknown error'}`)
  }
}
