/** `assay policy bench`: how fast a policy answers, on both engines, for inputs of one's own, recorded ones or those of tables. */
import { compilePolicies, policyOptions } from '../../adapters/compose.ts'
import { recordedDecisions, reopened } from '../../adapters/shadow/recorded.ts'
import type { Json } from '../../core/json.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { PolicyInput } from '../../core/ports/engine.ts'
import { createRegistry } from '../../core/registry.ts'
import { bytesOf } from '../input.ts'
import { type ExitCode, type Out, UsageError } from '../out.ts'
import { type Asked, asked } from './asked.ts'
import { readCases } from './cases.ts'
import { enginesFor } from './engines.ts'
import { type Measured, measure, type Runner } from './measure.ts'
import { type Capable, type Workbench, withSources } from './workbench.ts'

export interface BenchOptions extends Capable {
  /** JSON: one input, or an array of them. */
  readonly input?: string
  readonly entrypoint?: string
  /** A data folder. */
  readonly replay?: string
  readonly seconds: number
}

export interface Benchmark {
  readonly entrypoint: string
  readonly inputs: number
  readonly engines: readonly Measured[]
  /** How many times as fast as the last engine the first one is, by their medians. */
  readonly ratio: number
}

/** Inputs by entry point. */
type Workload = ReadonlyMap<string, readonly PolicyInput[]>

/** Always 0: a number is no finding. */
export function bench(options: BenchOptions, out: Out, folder?: string): Promise<ExitCode> {
  const { capabilities, config, replay } = options
  const configurable = { capabilities, ...(config && { config }), ...(replay && { data: replay }) }
  return withSources(configurable, folder, out, async (tools) => {
    const work = await workload(tools, options)
    const { bundle, entrypointOf } = await compiled(tools, options, [...work.keys()])
    const runners: Runner[] = []
    for (const engine of await enginesFor('both', tools))
      runners.push({ engine: engine.name, policy: await engine.load(bundle) })
    const results: Benchmark[] = []
    for (const [entrypoint, inputs] of work) {
      out.progress(entrypoint)
      const engines = await measure(runners, entrypointOf(entrypoint), inputs, options.seconds)
      const [first, last] = engines
      const ratio = Number((last!.p50 / first!.p50).toPrecision(3))
      results.push({ entrypoint, inputs: inputs.length, engines, ratio })
    }
    for (const { policy } of runners) await policy.close()
    out.answer({ results }, results.flatMap(told).join('\n'))
    return 0
  })
}

function told({ engines, entrypoint, inputs, ratio }: Benchmark): string[] {
  const rows = engines.map(
    ({ engine, p50, p99, perSecond }) =>
      `  ${engine.padEnd(12)} ${String(perSecond).padStart(9)} a second   p50 ${p50} us   p99 ${p99} us`,
  )
  return [`${entrypoint} (${inputs} inputs)`, ...rows, `  ${ratio} times as fast`]
}

async function workload(tools: Workbench, options: BenchOptions): Promise<Workload> {
  if (options.input !== undefined) return given(options.input, options.entrypoint)
  const work = options.replay === undefined ? await ofTables(tools) : await recorded(tools)
  if (work.size > 0) return work
  throw new UsageError(
    'usage',
    'there is nothing to ask: name inputs with --input FILE --entrypoint RULE, a data folder with --replay, or write tables of cases',
  )
}

async function given(file: string, entrypoint: string | undefined): Promise<Workload> {
  if (entrypoint === undefined) throw new UsageError('usage', '--input needs --entrypoint')
  const text = Buffer.from(await bytesOf(file, 'the input')).toString('utf8')
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    throw new UsageError('usage', `${file} is not JSON: one input, or an array of them`)
  }
  const inputs = Array.isArray(value) ? (value as readonly Json[]) : [value]
  if (inputs.length === 0) throw new UsageError('usage', `${file} has no input`)
  return new Map([[entrypoint, inputs.map(inputOf)]])
}

async function ofTables({ path }: Workbench): Promise<Workload> {
  const work = new Map<string, PolicyInput[]>()
  for (const { input, query } of (await readCases(path)).cases) add(work, query, inputOf(input))
  return work
}

async function recorded({ adapters, plugins }: Workbench): Promise<Workload> {
  const { log, store } = await adapters.get('store')
  const registry = createRegistry(plugins)
  const work = new Map<string, PolicyInput[]>()
  for (const leaf of await recordedDecisions(log)) {
    const again = await reopened(leaf, { registry, store })
    if (typeof again !== 'string') add(work, again.registered.entrypoint, again.input)
  }
  return work
}

function add(work: Map<string, PolicyInput[]>, entrypoint: string, input: PolicyInput): void {
  const inputs = work.get(entrypoint) ?? []
  work.set(entrypoint, inputs)
  inputs.push(input)
}

function inputOf(value: Json): PolicyInput {
  return { value, text: JSON.stringify(value) }
}

/** What is asked of recorded decisions is a plugin's: its own Rego may be part of it. */
async function compiled(
  { adapters, compiler, path, sources }: Workbench,
  { capabilities, replay }: BenchOptions,
  queries: readonly string[],
): Promise<Pick<Asked, 'entrypointOf'> & { readonly bundle: Bundle }> {
  if (replay === undefined) {
    const { entrypointOf, entrypoints, sources: all } = asked(sources, queries)
    return { entrypointOf, bundle: await compiler.build(all, { capabilities, entrypoints }) }
  }
  const { plugins } = await policyOptions(adapters)
  const bundle = await compilePolicies(sources, { capabilities, dir: path, plugins }, compiler)
  return { entrypointOf: (query) => query, bundle }
}
