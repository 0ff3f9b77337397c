/**
 * Explanations of recorded decisions: the input as the openings have it, under the policy that the leaf names, evaluated again with a trace. What
 * the masks of the exports take out of a decision is hidden here too.
 */
import type { Json } from '../core/json.ts'
import type { DecisionLeaf } from '../core/log/leaves.ts'
import type { Receipt } from '../core/log/receipt.ts'
import type { Bundle, Compiler } from '../core/ports/compiler.ts'
import { findDecision } from '../core/receipts.ts'
import type { Adapters } from './compose.ts'
import type { Explained, Explainer, Explanation } from './engine/jit/explain/index.ts'
import { toJson } from './engine/value/json.ts'
import { EVERYTHING, joined, type Masked, maskedBy } from './explain/masked.ts'
import { ExplainError } from './explain/problem.ts'
import { type Question, questionOf } from './explain/question.ts'
import { isSame } from './explain/same.ts'
import { eventOf, type LogEvent } from './export/event.ts'
import type { Mask } from './export/mask.ts'
import { loadFolder } from './policies/folder.ts'
import { askedFor, keptPolicy } from './trustpath/kept.ts'

export type { Explanation } from './engine/jit/explain/index.ts'
export { ExplainError, type ExplainErrorCode } from './explain/problem.ts'

/** A recorded decision, and why the policy came to its verdict. */
export interface ExplainedDecision {
  readonly decision: Pick<DecisionLeaf, 'action' | 'allow' | 'id' | 'reasons' | 'time'>
  /** The policy allowed it, and the kernel refused it all the same: see the decision's reasons. */
  readonly overruled?: true
  readonly explanation: Explanation
}

export interface Explaining {
  /** Of this store, whoever asked for it. @throws ExplainError, EngineError, CompilerError, StoreError */
  decision(id: string): Promise<ExplainedDecision>
  /**
   * Of a receipt, as far as its openings were cut for whoever asks: with one missing there is no explanation.
   * @throws as {@link decision}
   */
  opened(receipt: Pick<Receipt, 'leaf' | 'openings'>): Promise<ExplainedDecision>
  /** What a policy says to an input, and whether the engine that serves says the same. @throws as {@link decision} */
  input(bundle: Bundle, entrypoint: string, input: string): Promise<Explanation>
}

/** Nothing is opened before the first explanation is asked for. */
export function createExplaining(adapters: Adapters): Explaining {
  return new Explanations(adapters)
}

/** Policies whose explainers are kept: the active one, and the one before it. */
const MAX_KEPT = 2

class Explanations implements Explaining {
  readonly #adapters: Adapters
  readonly #explainers = new Map<string, Promise<Explainer>>()
  #masks: Promise<readonly Mask[]> | undefined

  constructor(adapters: Adapters) {
    this.#adapters = adapters
  }

  async decision(id: string): Promise<ExplainedDecision> {
    const { log, store } = await this.#adapters.get('store')
    const found = await findDecision(store, log, id)
    if (found === undefined)
      throw new ExplainError('unknown_decision', `there is no decision ${id}`)
    const { leaf, stored } = found
    const { openings } = stored
    return this.#explained(questionOf({ leaf, ...(openings && { openings }) }, 'erased'))
  }

  async opened(receipt: Pick<Receipt, 'leaf' | 'openings'>): Promise<ExplainedDecision> {
    return this.#explained(questionOf(receipt, 'withheld'))
  }

  async input(bundle: Bundle, entrypoint: string, input: string): Promise<Explanation> {
    const explainer = await explainerOf(bundle, await this.#adapters.get('compiler'))
    const value = JSON.parse(input) as Json
    const policy = await (await this.#adapters.get('engine')).load(bundle)
    const answer = await policy.evaluate(entrypoint, { value, text: input })
    await policy.close()
    const masks = await this.#masked(eventOfInput(value, answer))
    return explained(explainer, { entrypoint, input, verdict: answer }, masks)
  }

  async #explained(question: Question): Promise<ExplainedDecision> {
    const { leaf } = question
    const explainer = await this.#explainer(leaf)
    const { store } = await this.#adapters.get('store')
    const openings = Object.keys(leaf.commitments)
    const event = await eventOf(leaf, 0n, store, { labels: {}, openings })
    const explanation = explained(explainer, question, await this.#masked(event))
    const { action, allow, id, reasons, time } = leaf
    return {
      decision: { id, action, allow, reasons, time },
      ...(!allow && explanation.outcome === 'allowed' ? { overruled: true } : {}),
      explanation,
    }
  }

  async #explainer({ policy, revision }: DecisionLeaf): Promise<Explainer> {
    const key = `${policy} ${revision}`
    const made = this.#explainers.get(key) ?? this.#compile(policy, revision)
    this.#explainers.delete(key)
    this.#explainers.set(key, made)
    const [oldest] = this.#explainers.keys()
    if (this.#explainers.size > MAX_KEPT && oldest !== undefined) this.#explainers.delete(oldest)
    made.catch(() => this.#explainers.delete(key))
    return made
  }

  async #compile(digest: string, revision: string): Promise<Explainer> {
    const { store } = await this.#adapters.get('store')
    const kept = await keptPolicy(store, digest, revision)
    if (kept === undefined)
      throw new ExplainError('unknown_policy', `the policy ${digest} is not kept in this store`)
    const { capabilities, entrypoints, sources } = kept
    const compiler = await this.#adapters.get('compiler')
    const options = { capabilities, entrypoints: askedFor(entrypoints) }
    const bundle = await compiler.build(sources, options)
    if (bundle.digest !== digest)
      throw new ExplainError(
        'differs',
        `the sources that are kept give the policy ${bundle.digest}`,
      )
    return explainerOf({ ...bundle, data: kept.data, revision }, compiler)
  }

  async #masked(event: LogEvent): Promise<Masked> {
    this.#masks ??= this.#openMasks()
    const all = await Promise.all((await this.#masks).map((mask) => maskedIn(event, mask)))
    return joined(all)
  }

  async #openMasks(): Promise<readonly Mask[]> {
    const { exports } = this.#adapters.config.operations
    const folders = new Set(exports.flatMap(({ mask }) => mask ?? []))
    const { openMask } = await import('./export/mask.ts')
    const compiler = await this.#adapters.get('compiler')
    const engine = await this.#adapters.get('engine')
    const opened = [...folders].map(async (folder) => {
      const { close, mask } = await openMask(await loadFolder(folder), compiler, engine)
      this.#adapters.onClose(close)
      return mask
    })
    return Promise.all(opened)
  }
}

async function explainerOf(bundle: Bundle, compiler: Compiler): Promise<Explainer> {
  const { createExplainer } = await import('./engine/jit/explain/index.ts')
  return createExplainer(bundle, { syntax: await compiler.syntax(bundle.sources) })
}

/** An event that a mask drops, or cannot be asked about, shows nothing. */
async function maskedIn(event: LogEvent, mask: Mask): Promise<Masked> {
  const masked = await mask(event)
  if (masked.failed || masked.event === undefined) return EVERYTHING
  const { erased = [], masked: written = [] } = masked.event
  const { input, result } = event
  return maskedBy({ input, result, pointers: [...erased, ...written] })
}

interface Asked extends Pick<Question, 'entrypoint' | 'input'> {
  readonly verdict: Json | undefined
}

/** @throws ExplainError `differs`: an explanation of another answer would mislead */
function explained(
  explainer: Explainer,
  { entrypoint, input, verdict }: Asked,
  masks: Masked,
): Explanation {
  const { explanation, value } = explainer.explain(entrypoint, input, masks)
  if (isSame(jsonOf(value), verdict)) return explanation
  throw new ExplainError('differs', 'the traced evaluation and the engine that decided disagree')
}

/** What JSON cannot say exactly is no verdict of any decision. */
function jsonOf(value: Explained['value']): Json | undefined {
  try {
    return value === undefined ? undefined : (toJson(value) as Json)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ExplainError('differs', 'the traced answer has a number that JSON cannot say exactly')
  }
}

/** An input as an event has it: facts under their names, and whatever else there is. */
function eventOfInput(input: Json, result: Json | undefined): LogEvent {
  const members = isObject(input) ? input : {}
  const facts = isObject(members.facts) ? Object.entries(members.facts) : []
  const named = Object.fromEntries(facts.map(([name, fact]) => [`facts.${name}`, fact]))
  return {
    labels: {},
    decision_id: '',
    bundles: { assay: { revision: '' } },
    path: actionOf(members).replaceAll('.', '/'),
    input: { ...members, ...named },
    ...(result === undefined ? {} : { result }),
    timestamp: '',
    custom: { action: '', allow: false, log_index: '0', policy: '', reasons: [] },
  }
}

function actionOf({ request }: { readonly [name: string]: Json }): string {
  return isObject(request) && typeof request.action === 'string' ? request.action : ''
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
