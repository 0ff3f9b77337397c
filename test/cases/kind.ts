/** What a kind of cases is: a file format, and how each case in it is decided for real. */
import { readFile } from 'node:fs/promises'
import { JsonError } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'

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
}

/** The file cannot be read, or says something that the kind does not know: nothing was judged. */
export class CaseFileError extends Error {}

export function agrees({ expected, got }: Case): boolean {
  return (
    expected.verdict === got.verdict &&
    (expected.reason === undefined || expected.reason === got.reason)
  )
}

const MAX_BYTES = 64 * 1024 * 1024

/** The file's JSON, read strictly. @throws CaseFileError */
export async function readCaseFile(file: string): Promise<Json> {
  try {
    return parseJson(await readFile(file), { maxBytes: MAX_BYTES })
  } catch (error) {
    const why = error instanceof JsonError ? error.code : (error as NodeJS.ErrnoException).code
    throw new CaseFileError(`${file} cannot be read: ${why ?? 'unknown error'}`)
  }
}
