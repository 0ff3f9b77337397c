/** `assay verify`: a receipt against a trust anchor, offline; with `--policies` the decision is made again. */
import {
  Adapters,
  type Config,
  compilePolicies,
  loadFolder,
  policyOptions,
  withDocuments,
} from '../adapters/compose.ts'
import { canonicalJson } from '../core/canonical.ts'
import { JsonError, LogError } from '../core/error.ts'
import { type Json, parseJson } from '../core/json.ts'
import { parseAnchor, type TrustAnchor } from '../core/log/anchor.ts'
import { type DecisionLeaf, isReplayable, isSearchAction } from '../core/log/leaves.ts'
import {
  type Check,
  parseReceipt,
  policyInput,
  type Receipt,
  type VerifiedReceipt,
  verifyReceipt,
} from '../core/log/receipt.ts'
import { bytesOf, configured } from './input.ts'
import { type ExitCode, type Out, printable } from './out.ts'

export interface VerifyOptions {
  readonly trust: string
  readonly policies?: string
  /** JSON: the documents of OPA policies, where some were pushed since. */
  readonly documents?: string
  readonly config?: string
}

/** 0: valid, 1: not. */
export async function verify(options: VerifyOptions, out: Out, file: string): Promise<ExitCode> {
  const anchor = parseAnchor(await bytesOf(options.trust, 'the trust anchor'))
  const bytes = await bytesOf(file, 'the receipt')
  const receipt = read(bytes)
  const verified = 'problem' in receipt ? receipt.problem : verifyReceipt(receipt, anchor)
  const checks = [...verified.checks]
  const { leaf } = verified
  if (options.policies !== undefined && leaf !== undefined && !('problem' in receipt))
    checks.push(...(await decideAgain(receipt, leaf, await policyConfig(options), options)))
  const ok = verified.ok && checks.every((check) => check.ok)
  report({ ...verified, checks, ok }, anchor, out)
  return ok ? 0 : 1
}

/** What is no receipt is an invalid one; only what we need ourselves and do not get is an error. */
function read(bytes: Uint8Array): Receipt | { readonly problem: VerifiedReceipt } {
  try {
    return parseReceipt(bytes)
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return { problem: { ok: false, checks: [{ name: 'form', ok: false, detail: error.message }] } }
  }
}

function report(verified: VerifiedReceipt, anchor: TrustAnchor, out: Out): void {
  const { checks, index, leaf, ok, origin, size } = verified
  const value = { ok, leaf, index: index?.toString(), size: size?.toString(), origin, checks }
  const lines = checks.map(({ detail, name, ok }) =>
    printable(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail}`),
  )
  const verdict = ok ? out.colour('green', 'valid') : out.colour('red', 'INVALID')
  const what =
    ok && leaf !== undefined
      ? `: ${leaf.action} was ${leaf.allow ? 'allowed' : 'denied'} at ${new Date(leaf.time * 1000).toISOString()}, leaf ${index} of ${origin}`
      : ''
  const marks = [
    ...(leaf?.mode === 'development' ? ['the decision was made in development mode'] : []),
    ...(anchor.development === true ? ['the trust anchor is one for development'] : []),
  ].map((mark) => out.colour('yellow', `note ${mark}`))
  out.answer(value, [...lines, ...marks, `${verdict}${what}`].join('\n'))
}

async function policyConfig({ config, policies }: VerifyOptions): Promise<Config> {
  const configuration = await configured(config === undefined ? {} : { config })
  return policies === undefined
    ? configuration
    : { ...configuration, policies: { ...configuration.policies, dir: policies } }
}

/** Compiles the policy, compares it with the one that the leaf names, and puts the same question to it. */
async function decideAgain(
  receipt: Receipt,
  leaf: DecisionLeaf,
  config: Config,
  { documents }: VerifyOptions,
): Promise<readonly Check[]> {
  if (leaf.action.startsWith('kernel.'))
    return [{ name: 'again', ok: true, detail: 'the kernel decides this itself, without a policy' }]
  if (isSearchAction(leaf.action)) return [{ name: 'again', ok: true, detail: NOT_ONE_QUESTION }]
  const adapters = new Adapters(config)
  try {
    const options = await policyOptions(adapters)
    const compiler = await adapters.get('compiler')
    const compiled = await compilePolicies(await loadFolder(options.dir), options, compiler)
    const bundle =
      documents === undefined ? compiled : withDocuments(compiled, await documentsIn(documents))
    const { digest, revision } = bundle
    const checks = [
      same('policy', leaf.policy, digest, 'the rules'),
      same('revision', leaf.revision, revision, 'their data'),
    ]
    if (!isReplayable(leaf)) return [...checks, { name: 'again', ok: true, detail: NOT_REPLAYABLE }]
    const input = policyInput(receipt)
    if (input === undefined)
      return [...checks, { name: 'again', ok: false, detail: 'what it was asked was erased' }]
    const policy = await (await adapters.get('engine')).load(bundle)
    const entrypoint = `assay/${leaf.action.split('.')[0]}/decision`
    const verdict = await policy.evaluate(entrypoint, input)
    await policy.close()
    const before = receipt.openings?.verdict?.json
    const after = verdict === undefined ? undefined : canonicalJson(verdict)
    return [...checks, again(before, after)]
  } finally {
    await adapters.close()
  }
}

/** As OPA's data API answers them, or by themselves. */
async function documentsIn(file: string): Promise<{ readonly [name: string]: Json }> {
  const value = parseJson(await bytesOf(file, 'the documents'), { maxBytes: 64 * 1024 * 1024 })
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { decision_id: id, result } = value as { readonly [name: string]: Json }
    const inner = typeof id === 'string' && result !== undefined ? result : value
    return inner as { readonly [name: string]: Json }
  }
  throw new JsonError('documents', 'malformed', 'the documents are not a JSON object')
}

const NOT_ONE_QUESTION =
  'not run again: a search asks about many candidates, whose facts the log does not keep'

const NOT_REPLAYABLE =
  'not replayable: it was denied because an engine ran out of steps, or engines disagreed'

function same(name: string, then: string, now: string, what: string): Check {
  const ok = then === now
  return {
    name,
    ok,
    detail: ok ? `${what} are those of the decision` : `${what} were ${then}, and are ${now}`,
  }
}

function again(before: string | undefined, after: string | undefined): Check {
  const name = 'again'
  if (before === undefined) return { name, ok: false, detail: 'the verdict was erased' }
  const ok = after !== undefined && canonicalJson(JSON.parse(before)) === after
  return {
    name,
    ok,
    detail: ok ? 'the policy decides the same again' : 'the policy decides otherwise',
  }
}
