/** What a recorded decision was asked, as its openings have it. */
import { type Json, parseJson } from '../../core/json.ts'
import { type DecisionLeaf, isReplayable, isSearchAction } from '../../core/log/leaves.ts'
import { policyInput, type Receipt } from '../../core/log/receipt.ts'
import { ExplainError } from './problem.ts'

export interface Question {
  readonly leaf: DecisionLeaf
  readonly entrypoint: string
  /** JSON, to the byte what the policy was asked. */
  readonly input: string
  /** What the policy answered then. The kernel may have refused it all the same. */
  readonly verdict: Json
}

/** The openings are taken as they are. @param missing what it means where one is not there @throws ExplainError */
export function questionOf(
  receipt: Pick<Receipt, 'leaf' | 'openings'>,
  missing: 'erased' | 'withheld',
): Question {
  const leaf = JSON.parse(receipt.leaf) as DecisionLeaf
  const { action, commitments, id } = leaf
  if (isSearchAction(action))
    throw new ExplainError('search', `decision ${id} was a search; explain one of its questions`)
  if (!isReplayable(leaf))
    throw new ExplainError('not_replayable', `decision ${id} came of a budget or of two engines`)
  if (!Object.hasOwn(commitments, 'verdict'))
    throw new ExplainError('kernel_decision', `no policy was asked for decision ${id}`)
  const { openings = {} } = receipt
  const input = policyInput({ type: 'assay.receipt/v1', ...receipt, proof: '' })
  const verdict = openings.verdict
  if (input === undefined || verdict === undefined) throw notThere(id, missing)
  const entrypoint = `assay/${action.split('.', 1)[0]}/decision`
  return { leaf, entrypoint, input: input.text, verdict: parseJson(verdict.json, LIMITS) }
}
/** The kernel's own limits for facts are narrower. */
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64 }

function notThere(id: string, why: 'erased' | 'withheld'): ExplainError {
  return why === 'erased'
    ? new ExplainError('erased', `what decision ${id} was asked has been erased`)
    : new ExplainError(
        'withheld',
        `not all of decision ${id} may be opened for whoever asks; see the rules in policies/audit`,
      )
}
