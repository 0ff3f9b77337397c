/** `assay policy explain`: why a policy says what it says, of an input or of a decision that is in the log. */
import { Adapters } from '../../adapters/compose.ts'
import {
  createExplaining,
  type ExplainedDecision,
  type Explanation,
} from '../../adapters/compose-explain.ts'
import { explanationText } from '../../adapters/engine/jit/explain/index.ts'
import { JsonError } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { bytesOf, configured, type PlaceOptions } from '../input.ts'
import { type ExitCode, type Out, printable, UsageError } from '../out.ts'
import { type Capable, withSources } from './workbench.ts'

export interface ExplainOptions extends PlaceOptions, Capable {
  /** A file, or `-` for standard input. */
  readonly input?: string
  readonly entrypoint?: string
}

/** 0: allowed, 1: not. `subject` is a folder with `--input`, else a decision. */
export function explain(options: ExplainOptions, out: Out, subject?: string): Promise<ExitCode> {
  return options.input === undefined
    ? explainDecision(options, out, subject)
    : explainInput(options, out, options.input, subject)
}

async function explainDecision(options: ExplainOptions, out: Out, id = ''): Promise<ExitCode> {
  if (!/^[0-9a-f]{32}$/.test(id))
    throw new UsageError(
      'usage',
      'name a decision by its 32 hexadecimal digits, or give an input with --input FILE and --entrypoint PATH',
    )
  const adapters = new Adapters(await configured(options), { readOnly: true })
  try {
    const explained = await createExplaining(adapters).decision(id)
    const { explanation } = explained
    out.answer(
      explained,
      printable([decisionLine(explained), explanationText(explanation)].join('\n')),
    )
    return explained.decision.allow ? 0 : 1
  } finally {
    await adapters.close()
  }
}

function decisionLine({ decision, overruled }: ExplainedDecision): string {
  const { action, allow, id, reasons, time } = decision
  const codes = reasons.map(({ code, rule }) => (code === rule ? code : `${code} (${rule})`))
  const at = new Date(time * 1000).toISOString()
  const note = overruled ? '; the policy allowed it, and the kernel did not' : ''
  return `${id} ${at} ${action} ${allow ? 'allowed' : 'denied'}: ${codes.join(', ')}${note}`
}

async function explainInput(
  options: ExplainOptions,
  out: Out,
  file: string,
  folder: string | undefined,
): Promise<ExitCode> {
  let explained = false
  const code = await withSources(options, folder, out, async ({ adapters, compiler, sources }) => {
    const { capabilities } = options
    const text = new TextDecoder().decode(await bytesOf(file, 'the input'))
    const value = parsed(text, file)
    const entrypoint = options.entrypoint ?? entrypointOf(value)
    const bundle = await compiler.build(sources, { capabilities, entrypoints: [entrypoint] })
    const explanation = await createExplaining(adapters).input(bundle, entrypoint, text)
    explained = true
    out.answer(explanation, printable(explanationText(explanation)))
    return isYes(explanation) ? 0 : 1
  })
  // Policies that do not compile say neither yes nor no.
  return explained ? code : 2
}

function parsed(text: string, file: string): Json {
  try {
    return parseJson(text, LIMITS)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new UsageError('usage', `the input ${printable(file)}: ${error.message}`)
  }
}

const LIMITS = { maxBytes: 64 * 1024 * 1024, maxDepth: 1000 }

function isYes({ outcome }: Explanation): boolean {
  return outcome === 'allowed' || outcome === 'value'
}

/** Of an input as the kernel makes it: the plugin's decision. */
function entrypointOf(value: Json): string {
  const input = value as { readonly request?: { readonly action?: unknown } } | null
  const action = input?.request?.action
  if (typeof action === 'string') return `assay/${action.split('.', 1)[0]}/decision`
  throw new UsageError(
    'usage',
    'name what is asked: --entrypoint PACKAGE/RULE, such as app/authz/allow',
  )
}
