/** What a bundle does, before it may decide: every entry point answers with a verdict, and recorded requests are answered as before. */
import { EngineError, KernelError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import type { DataOperation, Engine, Policy } from '../../../core/ports/engine.ts'
import { revisionAfter } from '../../../core/revision.ts'
import { readVerdict, type Verdict } from '../../../core/verdict.ts'
import { BundleRefusal, type Recorded } from '../../../formats/bundle/index.ts'

export interface Trial {
  readonly engine: Engine
  /** What the server's plugins ask. */
  readonly entrypoints: readonly string[]
  readonly recorded: readonly Recorded[]
  /** Decisions of this server's own log that the policy would decide otherwise, told in words. */
  readonly replay?: (policy: Policy) => Promise<readonly string[]>
}

/** Nothing is known yet, as the kernel asks before it serves a policy. */
const NOTHING: Json = {
  facts: {},
  now: 0,
  request: { action: '', obligations: [], peer: { id: '', kind: '' } },
}

/** @throws BundleRefusal `missing_entrypoint`, `not_a_verdict`, `self_test_failed`; EngineError `invalid_bundle` */
export async function tryOut(bundle: Bundle, trial: Trial): Promise<void> {
  const missing = trial.entrypoints.find((name) => !bundle.entrypoints.includes(name))
  if (missing !== undefined)
    throw new BundleRefusal('missing_entrypoint', `it has no entry point ${missing}`)
  await judged(await trial.engine.load(bundle), trial)
}

/**
 * {@link tryOut} of a policy that serves, over changed data: beside it, while it goes on.
 *
 * @throws BundleRefusal `delta_not_applicable`, `not_a_verdict`, `self_test_failed`
 */
export async function tryChange(
  policy: Policy,
  operations: readonly DataOperation[],
  trial: Omit<Trial, 'engine'>,
): Promise<void> {
  await judged(await changed(policy, operations), trial)
}

async function changed(policy: Policy, operations: readonly DataOperation[]): Promise<Policy> {
  try {
    return await policy.patch(operations, revisionAfter(policy.revision, operations))
  } catch (cause) {
    if (!(cause instanceof EngineError) || cause.code !== 'invalid_patch') throw cause
    throw new BundleRefusal('delta_not_applicable', 'it does not fit the documents that serve', {
      cause,
    })
  }
}

/** Closes it. */
async function judged(policy: Policy, trial: Omit<Trial, 'engine'>): Promise<void> {
  try {
    for (const entrypoint of trial.entrypoints) await probe(policy, entrypoint)
    for (const each of trial.recorded) await again(policy, each)
    const [flip, ...more] = (await trial.replay?.(policy)) ?? []
    if (flip !== undefined) throw failed(`${flip} (and ${more.length} more)`)
  } finally {
    await policy.close()
  }
}

/** No answer to no question is a denial; any other answer has to be a verdict. */
async function probe(policy: Policy, entrypoint: string): Promise<void> {
  const answer = await evaluated(policy, entrypoint, NOTHING)
  if (answer !== undefined) checked(answer, entrypoint)
}

function checked(answer: Json | undefined, entrypoint: string): Verdict {
  const verdict = readVerdict(answer)
  if (!('problem' in verdict)) return verdict
  throw new BundleRefusal('not_a_verdict', `${entrypoint} does not answer one: ${verdict.problem}`)
}

async function evaluated(
  policy: Policy,
  entrypoint: string,
  value: Json,
): Promise<Json | undefined> {
  try {
    return await policy.evaluate(entrypoint, { value, text: JSON.stringify(value) })
  } catch (cause) {
    const code = cause instanceof KernelError ? cause.code : 'internal'
    throw new BundleRefusal('self_test_failed', `${entrypoint} cannot be evaluated (${code})`, {
      cause,
    })
  }
}

async function again(policy: Policy, { entrypoint, expect, file, input }: Recorded): Promise<void> {
  if (!policy.entrypoints.includes(entrypoint))
    throw new BundleRefusal('missing_entrypoint', `${file} asks ${entrypoint}, which is not there`)
  const { allow, reasons } = checked(await evaluated(policy, entrypoint, input), entrypoint)
  if (allow !== expect.allow)
    throw failed(`${file}: it ${allow ? 'allows' : 'denies'} what was ${word(expect.allow)}`)
  const codes = reasons.map(({ code }) => code)
  if (expect.reasons !== undefined && !sameMembers(codes, expect.reasons))
    throw failed(`${file}: its reasons are ${codes.join(', ') || 'none'}`)
}

const word = (allow: boolean): string => (allow ? 'allowed' : 'denied')

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  const [x, y] = [new Set(a), new Set(b)]
  return x.size === y.size && [...x].every((each) => y.has(each))
}

function failed(what: string): BundleRefusal {
  return new BundleRefusal('self_test_failed', `a recorded request: ${what}`)
}
