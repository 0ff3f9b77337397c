/**
 * Node tasks and verifier sets, in the format of the shared fixture `task/tasks.json`: `tasks` that a node gets, sets that it is told to
 * `ingest`, and the table of a key's `transitions`. Each is decided by the policies as they ship, and by a node's agent from the same state:
 * where the two differ, neither is right.
 */
import { sha256Hex } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import { openEnvelope } from '../../../formats/dsse/index.ts'
import {
  type KnownSets,
  readVerifierSet,
  remember,
  type VerifierSet,
  verifierSetPayload,
} from '../../../formats/task/index.ts'
import { compiler } from '../../rego.ts'
import { type Bounds, type Judged, judgeSet, judgeTask, type State } from '../../task/gate.ts'
import { allowedMoves } from '../../task/moves.ts'
import { type Case, CaseFileError, type Outcome, readCaseFile } from '../kind.ts'

interface CaseFile {
  readonly verifier_root: { readonly x: string }
  readonly verifier_sets?: readonly VerifierSet[]
  readonly verifier_set_envelopes?: readonly Json[]
  readonly max_clock_ahead?: number
  readonly max_task_ttl?: number
  readonly tasks?: readonly TaskCase[]
  readonly ingest?: readonly SetCase[]
  readonly transitions?: {
    readonly states: readonly string[]
    readonly allowed: Readonly<Record<string, readonly string[]>>
  }
}
interface Expectation {
  readonly name: string
  readonly envelope: Json
  readonly expect: string
  readonly reason?: string
}
interface SetCase extends Expectation {
  readonly have_version: number
  readonly now?: number
}
interface TaskCase extends Expectation {
  readonly verifier_set_version: number
  readonly now: number
  readonly node_id: string
  readonly seen_task_ids?: readonly string[]
  /** Where signatures have to say which key made them. */
  readonly strict_expect?: string
  readonly strict_reason?: string
}

export async function* run(path: string): AsyncIterable<Case> {
  const file = await readFile(path)
  const known = historyOf(file)
  for (const each of file.tasks ?? []) yield await judged(each, () => task(each, file, known))
  for (const each of file.ingest ?? []) yield await judged(each, () => set(each, file, known))
  if (file.transitions) yield* moves(file.transitions)
}

export const close = (): Promise<void> => compiler.close()

async function readFile(path: string): Promise<CaseFile> {
  const file = (await readCaseFile(path)) as unknown as Partial<CaseFile> | null
  if (typeof file?.verifier_root?.x !== 'string' || !(file.tasks ?? file.ingest))
    throw new CaseFileError(`${path} has no verifier_root, or neither tasks nor ingest`)
  return file as CaseFile
}

/** What a reader of all sets up to each version knows. As the file has them: whether one may be taken is another question. */
function historyOf({ verifier_set_envelopes = [], verifier_sets = [] }: CaseFile): History {
  const history = new Map<number, KnownSets>()
  const bytes = [
    ...verifier_sets.map((one) => verifierSetPayload(one)),
    ...verifier_set_envelopes.flatMap((one) => openEnvelope(one)?.payload ?? []),
  ]
  const sets = new Map(
    bytes.flatMap((payload) => {
      const read = readVerifierSet(payload)
      return read === undefined ? [] : [[read.version, { payload, read }] as const]
    }),
  )
  let known: KnownSets | undefined
  for (const [version, { payload, read }] of [...sets].sort(([a], [b]) => a - b)) {
    known = remember(read, sha256Hex(payload), known)
    history.set(version, known)
  }
  return history
}
type History = ReadonlyMap<number, KnownSets>

/** One that cannot be judged has come out as nobody expects, and does not keep the others from being judged. */
async function judged(each: Expectation, judge: () => Promise<Outcome>): Promise<Case> {
  const { expect, name, reason } = each
  const expected = { verdict: expect, ...(reason !== undefined && { reason }) }
  try {
    return { name, expected, got: await judge() }
  } catch (error) {
    return { name, expected, got: { verdict: 'none', reason: String(error) } }
  }
}

async function task(each: TaskCase, file: CaseFile, history: History): Promise<Outcome> {
  const state: State = {
    known: knownAt(each.verifier_set_version, history),
    nodeId: each.node_id,
    now: each.now,
    root: file.verifier_root.x,
    used: each.seen_task_ids ?? [],
  }
  const { max_clock_ahead, max_task_ttl: max_ttl } = file
  const bounds: Bounds = {
    ...(max_clock_ahead !== undefined && { max_clock_ahead }),
    ...(max_ttl !== undefined && { max_ttl }),
  }
  const got = outcome(await judgeTask(each.envelope, state, bounds))
  if (each.strict_expect === undefined) return got
  const strict = outcome(await judgeTask(each.envelope, state, { ...bounds, require_keyid: true }))
  const right =
    strict.verdict === each.strict_expect &&
    (each.strict_reason === undefined || strict.reason === each.strict_reason)
  return right ? got : { verdict: `strictly ${strict.verdict}`, ...reasonOf(strict.reason) }
}

async function set(each: SetCase, file: CaseFile, history: History): Promise<Outcome> {
  const known = knownAt(each.have_version, history)
  const now = each.now ?? known?.set.issued_at ?? 0
  const state = { known, nodeId: 'node', now, root: file.verifier_root.x }
  return outcome(await judgeSet(each.envelope, state))
}

function knownAt(version: number, history: History): KnownSets | undefined {
  if (version === 0) return undefined
  const known = history.get(version)
  if (known === undefined) throw new CaseFileError(`there is no verifier set ${version}`)
  return known
}

function outcome({ agent, rego }: Judged): Outcome {
  if (agent !== rego) return { verdict: 'split', reason: `policies: ${rego}, agent: ${agent}` }
  return rego === 'accept' ? { verdict: rego } : { verdict: 'refuse', reason: rego }
}

const reasonOf = (reason: string | undefined): { readonly reason?: string } =>
  reason === undefined ? {} : { reason }

/** `to!`: only where somebody says that it is an emergency. */
async function* moves({ allowed, states }: CaseFile['transitions'] & object): AsyncIterable<Case> {
  const rules = await allowedMoves(states)
  for (const from of states)
    for (const to of states) {
      const listed = allowed[from] ?? []
      const verdict = listed.includes(to)
        ? 'allow'
        : listed.includes(`${to}!`)
          ? 'emergency'
          : 'refuse'
      const got = rules.get(`${from} ${to}`) ?? 'none'
      yield { name: `${from} to ${to}`, expected: { verdict }, got: { verdict: got } }
    }
}
