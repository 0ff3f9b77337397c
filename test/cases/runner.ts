/** Runs the cases of a file and says which of them came out otherwise than the file expects. */
import { agrees, type Case, CaseFileError, type Kind, type Outcome } from './kind.ts'

/** Each kind is loaded when it is first asked for. */
const KINDS: Readonly<Record<string, () => Promise<Kind>>> = {
  capability: () => import('./kinds/capability.ts'),
  minisign: () => import('./kinds/minisign.ts'),
  task: () => import('./kinds/task.ts'),
}

export interface Tally {
  readonly passed: number
  readonly failed: number
}

/** @throws CaseFileError for an unknown kind */
export function loadKind(kind: string): Promise<Kind> {
  const load = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (load === undefined)
    throw new CaseFileError(`no kind "${kind}"; there are: ${Object.keys(KINDS).join(', ')}`)
  return load()
}

/**
 * Prints a line for each case that differs from its expectation.
 *
 * @throws CaseFileError for an unknown kind and for a file that is not of its kind
 */
export async function runCases(
  kind: string,
  file: string,
  print: (line: string) => void,
): Promise<Tally> {
  let passed = 0
  let failed = 0
  for await (const one of (await loadKind(kind)).run(file)) {
    if (agrees(one)) passed++
    else {
      failed++
      print(difference(one))
    }
  }
  return { passed, failed }
}

const difference = ({ name, expected, got }: Case): string =>
  `${name}: expected ${say(expected)}, got ${say(got)}`

const say = ({ verdict, reason }: Outcome): string =>
  reason === undefined ? verdict : `${verdict} (${reason})`
