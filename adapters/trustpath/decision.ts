/** From the trust anchor to one decision: the log's key, the signed head, the leaf's place under it, the policy, and the lines of its rules. */
import type { TrustAnchor } from '../../core/log/anchor.ts'
import { type DecisionLeaf, isKernelReason, isSearchAction } from '../../core/log/leaves.ts'
import { parseNote } from '../../core/log/note.ts'
import { type Receipt, verifyReceipt } from '../../core/log/receipt.ts'
import { parseTlogProof } from '../../core/log/tlogproof.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Compiler, FileCoverage, Sources } from '../../core/ports/compiler.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { type Again, decideAgain } from './again.ts'
import { type KeptPolicy, keptPolicy, keptProblem } from './kept.ts'
import { placesOf } from './rules.ts'
import { decisionsIn, rotationsIn } from './scan.ts'
import type { AcceptedBy, Step } from './step.ts'

export interface TrustPathPorts {
  readonly store: Store
  readonly log: LogStore
  readonly compiler: Compiler
  readonly anchor: TrustAnchor
  /** How a reader calls the anchor, such as its file's name. */
  readonly anchorName: string
  readonly now: UnixSeconds
  /** The receipt of a decision that is in the log; undefined where there is none of this id. */
  receipt(id: string): Promise<Receipt | undefined>
}

/** A policy that served, once it was held against its digests. */
interface Served {
  readonly kept: KeptPolicy | undefined
  readonly problem: string | undefined
}

/** Walks from one anchor over one log. What was found about a policy is kept for the next decision. */
export class DecisionWalk {
  readonly #ports: TrustPathPorts
  readonly #served = new Map<string, Promise<Served>>()

  constructor(ports: TrustPathPorts) {
    this.#ports = ports
  }

  /** `anchor`, and a step for each change of the log's key that the anchor knows. */
  async root(): Promise<readonly Step[]> {
    const { anchor, anchorName, log } = this.#ports
    const keys = anchor.keys.length === 1 ? 'one key' : `${anchor.keys.length} keys`
    const marked = anchor.development === true ? '; written by the server itself' : ''
    const detail = `${anchorName} names the log ${anchor.origin} and ${keys}${marked}`
    const steps: Step[] = [{ name: 'anchor', ok: true, detail }]
    if (anchor.keys.length === 1) return steps
    const rotations = await rotationsIn(log)
    for (let i = 1; i < anchor.keys.length; i++) {
      const [retired, next] = [anchor.keys[i - 1]?.vkey, anchor.keys[i]?.vkey]
      const ok = rotations.some((leaf) => leaf.retired === retired && leaf.next === next)
      const where = ok ? `after size ${anchor.keys[i - 1]?.to}` : 'and the log does not say so'
      steps.push({
        name: `key/${i + 1}`,
        ok,
        detail: `${next} took the place of ${retired} ${where}`,
      })
    }
    return steps
  }

  /**
   * Steps of one decision; `prefix` tells its steps from those of others on the same path. Never throws for what does not hold: it reports.
   *
   * @throws StoreError, CompilerError
   */
  async decision(receipt: Receipt, prefix = ''): Promise<readonly Step[]> {
    const { anchor } = this.#ports
    const verified = verifyReceipt(receipt, anchor)
    const { index, leaf, size } = verified
    const named = (name: string): string => prefix + name
    const steps: Step[] = []
    const failed = verified.checks.filter(({ ok }) => !ok)
    for (const { detail, name } of failed) steps.push({ name: named(name), ok: false, detail })
    if (failed.length > 0 || leaf === undefined) return steps
    const at = { decision: leaf.id, index: `${index}` }
    const signer = this.#signerOf(receipt)
    steps.push(
      {
        name: named('checkpoint'),
        ok: true,
        detail: `${signer} signed the head of ${size} leaves`,
      },
      { name: named('inclusion'), ok: true, detail: `leaf ${index} is under it`, ...at },
      { name: named('leaf'), ok: true, detail: whatLeafSays(leaf), ...at },
      { name: named('openings'), ok: true, detail: whatIsOpen(receipt, leaf) },
    )
    return [...steps, ...(await this.#policySteps(receipt, leaf, BigInt(index ?? 0), prefix))]
  }

  /** {@link decision} of one that is in the log. */
  async named(id: string, prefix: string): Promise<readonly Step[]> {
    const receipt = await this.#ports.receipt(id)
    if (receipt !== undefined) return this.decision(receipt, prefix)
    return [{ name: `${prefix}leaf`, ok: false, detail: `no decision ${id} is in the log` }]
  }

  #signerOf(receipt: Receipt): string {
    const { lines } = parseNote(parseTlogProof(receipt.proof).checkpoint)
    const trusted = this.#ports.anchor.keys.map(({ vkey }) => vkey)
    const signers = trusted.filter((vkey) =>
      lines.some(({ id, name }) => vkey.startsWith(`${name}+${id}+`)),
    )
    return signers.join(' and ')
  }

  async #policySteps(
    receipt: Receipt,
    leaf: DecisionLeaf,
    index: bigint,
    prefix: string,
  ): Promise<readonly Step[]> {
    const { policy, reasons, revision } = leaf
    const own = reasons.filter(({ code }) => isKernelReason(code))
    const byKernel = (): Step => ({
      name: `${prefix}rule`,
      ok: true,
      detail: 'the kernel itself, for reasons in docs/reasons.md',
      accepted: own.map((reason) => ({ ...reason, places: [], exact: true })),
    })
    const asked = 'verdict' in leaf.commitments || isSearchAction(leaf.action)
    if (policy === 'none' || !asked) return [byKernel()]
    const served = await this.#servedPolicy(policy, revision)
    const activation = await this.#activation(leaf, index)
    const problem = served.problem ?? activation.problem
    const step: Step = {
      name: `${prefix}policy`,
      ok: problem === undefined,
      detail:
        problem ??
        `${policy} with data ${revision}, active since leaf ${activation.at?.index}; its kept sources give this digest`,
      ...activation.at,
    }
    if (served.kept === undefined) return [step]
    const again = await decideAgain(
      { leaf, text: receipt.leaf },
      receipt.openings ?? {},
      served.kept,
      this.#ports.compiler,
    )
    return [
      step,
      ruleStep(leaf, served.kept, again, prefix),
      ...(own.length > 0 ? [byKernel()] : []),
    ]
  }

  #servedPolicy(policy: string, revision: string): Promise<Served> {
    const name = `${policy}/${revision}`
    const known = this.#served.get(name)
    if (known !== undefined) return known
    const found = this.#findPolicy(policy, revision)
    this.#served.set(name, found)
    return found
  }

  async #findPolicy(policy: string, revision: string): Promise<Served> {
    const { compiler, store } = this.#ports
    const kept = await keptPolicy(store, policy, revision)
    if (kept === undefined)
      return { kept, problem: `the sources of ${policy} with data ${revision} are not kept here` }
    return { kept, problem: await keptProblem(kept, { policy, revision }, compiler) }
  }

  /** The last decision before this leaf that made its policy the active one, if no other one took its place since. */
  async #activation(
    { policy, revision, time }: DecisionLeaf,
    index: bigint,
  ): Promise<{ readonly problem?: string; readonly at?: { decision: string; index: string } }> {
    let at: { decision: string; index: string } | undefined
    let other: string | undefined
    const activates = (action: string): boolean => ACTIVATES.has(action)
    for await (const { index: i, leaf } of decisionsIn(this.#ports.log, activates, { to: index })) {
      if (leaf.policy === policy && leaf.revision === revision) {
        at = { decision: leaf.id, index: `${i}` }
        other = undefined
      } else if (leaf.time + UNDER_WAY_SECONDS < time) other = `${i}`
    }
    if (at === undefined)
      return { problem: 'no leaf before it says that this policy was activated' }
    return other === undefined ? { at } : { problem: `leaf ${other} made another policy active` }
  }
}
/** A decision under way keeps the policy that it began with. */
const UNDER_WAY_SECONDS = 5
const ACTIVATES: ReadonlySet<string> = new Set(['kernel.activate-policy', 'kernel.update-data'])

function whatLeafSays({ action, allow, id, mode, time }: DecisionLeaf): string {
  const at = new Date(time * 1000).toISOString()
  const how = mode === undefined ? '' : `, in ${mode} mode`
  return `${action} was ${allow ? 'allowed' : 'denied'} at ${at}, decision ${id}${how}`
}

function whatIsOpen({ openings = {} }: Receipt, { commitments }: DecisionLeaf): string {
  const [open, all] = [Object.keys(openings).length, Object.keys(commitments).length]
  const rest = open < all ? `; ${all - open} erased or withheld` : ''
  return `${open} of ${all} fields are here, and what the leaf committed to${rest}`
}

function ruleStep(leaf: DecisionLeaf, kept: KeptPolicy, again: Again, prefix: string): Step {
  const coverage = again.outcome === 'same' ? again.coverage : undefined
  const accepted = leaf.reasons
    .filter(({ code }) => !isKernelReason(code))
    .map((reason) => acceptedBy(reason, kept.sources, coverage))
  const lost = accepted.find(({ places }) => places.length === 0)
  const name = `${prefix}rule`
  if (again.outcome === 'other')
    return {
      name,
      ok: false,
      detail: 'the policy decides otherwise when it is run again',
      accepted,
    }
  if (lost !== undefined)
    return { name, ok: false, detail: `no such rule in the policy: ${lost.rule}`, accepted }
  const how =
    again.outcome === 'same'
      ? 'the policy decides the same again, by these lines'
      : `not run again: ${again.why}; lines that can give these reasons`
  return { name, ok: true, detail: how, accepted }
}

/** The lines that held; where the rule is named for others than those that did, all that it has. */
function acceptedBy(
  reason: DecisionLeaf['reasons'][number],
  sources: Sources,
  coverage: readonly FileCoverage[] | undefined,
): AcceptedBy {
  const held = coverage === undefined ? [] : placesOf(sources, reason, coverage)
  const exact = held.length > 0
  return { ...reason, places: exact ? held : placesOf(sources, reason), exact }
}
