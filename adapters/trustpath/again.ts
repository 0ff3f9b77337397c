/** A decision made again by OPA's own evaluator under the policy that made it, which says which rows of the policy held. */
import type { Json } from '../../core/json.ts'
import { isReplayable, isSearchAction } from '../../core/log/leaves.ts'
import { type Openings, policyInput } from '../../core/log/receipt.ts'
import type { Compiler, FileCoverage } from '../../core/ports/compiler.ts'
import type { KeptPolicy } from './kept.ts'
import type { Logged } from './scan.ts'

/** `same`: the verdict that is in the log came out, and `coverage` says by which rows. Engines list a set's elements in orders of their own. */
export type Again =
  | { readonly outcome: 'other'; readonly coverage: readonly FileCoverage[] }
  | { readonly outcome: 'same'; readonly coverage: readonly FileCoverage[] }
  | { readonly outcome: 'unknown'; readonly why: string }

/** A name that no plugin has: plugins' names have no underscore. */
const HERE = 'assay_trust_path'

/** The openings are taken as they are: check them against the leaf first. @throws CompilerError */
export async function decideAgain(
  { leaf, text }: Pick<Logged, 'leaf' | 'text'>,
  openings: Openings,
  { capabilities, data, sources }: KeptPolicy,
  compiler: Compiler,
): Promise<Again> {
  if (isSearchAction(leaf.action))
    return {
      outcome: 'unknown',
      why: 'a search asks about many candidates, whose facts the log does not keep',
    }
  if (!isReplayable(leaf))
    return { outcome: 'unknown', why: 'an engine ended it, which no replay can repeat' }
  const input = policyInput({ type: 'assay.receipt/v1', leaf: text, openings, proof: '' })
  const verdict = openings.verdict
  if (input === undefined || verdict === undefined)
    return { outcome: 'unknown', why: 'what it was asked, or what it answered, was erased' }
  if (capabilities !== 'trust')
    return { outcome: 'unknown', why: "rules of OPA may ask for more than the log's facts" }
  const entrypoint = `data.assay["${leaf.action.split('.', 1)[0]}"].decision`
  const given: Json = { input: input.value, verdict: JSON.parse(verdict.json) as Json }
  const files = {
    ...sources,
    'data.json': JSON.stringify({ ...(data as object), [HERE]: given }),
    [`${HERE}_test.rego`]: `package ${HERE}_test

test_same if {
	again := ${entrypoint} with input as data.${HERE}.input
	ordered(data.${HERE}.verdict) == ordered(again)
}

ordered(verdict) := object.union(verdict, {name: sort(list) | some name in ["effects", "obligations"]; list := verdict[name]})
`,
  }
  const report = await compiler.test(files, {
    capabilities,
    coverage: true,
    run: `^data\\.${HERE}_test\\.test_same$`,
  })
  const outcome = report.tests[0]?.outcome === 'pass' ? 'same' : 'other'
  return { outcome, coverage: report.coverage?.files ?? [] }
}
