/** `assay shadow`: what another policy would decide otherwise, of live traffic or of the decisions in the log. */
import { Adapters, compilePolicies, loadFolder, policyOptions } from '../adapters/compose.ts'
import { replay as decideAgain, type Replay } from '../adapters/shadow/replay.ts'
import { type Comparison, isFlip, shadowReport } from '../adapters/shadow/report.ts'
import { createRegistry } from '../core/registry.ts'
import { configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, policyName, printable } from './out.ts'

export interface ReplayVerbOptions extends PlaceOptions {
  readonly policies: string
  readonly last?: number
}

export async function report(options: PlaceOptions, out: Out): Promise<ExitCode> {
  const adapters = new Adapters(await configured(options), { readOnly: true })
  try {
    const { log } = await adapters.get('store')
    const comparisons = await shadowReport(log)
    const lines = comparisons.flatMap(told)
    out.answer({ comparisons }, lines.length > 0 ? lines.join('\n') : 'no shadow was compared yet')
    return 0
  } finally {
    await adapters.close()
  }
}

export async function replay(options: ReplayVerbOptions, out: Out): Promise<ExitCode> {
  const config = await configured(options)
  const policies = { ...config.policies, dir: options.policies }
  const adapters = new Adapters({ ...config, policies }, { readOnly: true })
  try {
    tellReplay(await replayed(adapters, options.last), out)
    return 0
  } finally {
    await adapters.close()
  }
}

async function replayed(adapters: Adapters, last: number | undefined): Promise<Replay> {
  const options = await policyOptions(adapters)
  const compiler = await adapters.get('compiler')
  const bundle = await compilePolicies(await loadFolder(options.dir), options, compiler)
  const policy = await (await adapters.get('engine')).load(bundle)
  try {
    const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
    const registry = createRegistry(plugins)
    const pair = await adapters.get('store')
    return await decideAgain({ ...pair, registry, policy, ...(last === undefined ? {} : { last }) })
  } finally {
    await policy.close()
  }
}

function tellReplay(done: Replay, out: Out): void {
  const { comparisons, notAsked, notReplayable, replayed } = done
  const counts = `${replayed} decided again, ${notReplayable} not replayable, ${notAsked} that no policy was asked about`
  out.answer(done, [...comparisons.flatMap(told), counts].join('\n'))
}

function told(comparison: Comparison): readonly string[] {
  const { compared, differences, dropped } = comparison
  const live = policyName(comparison.policy, comparison.revision)
  const shadow = policyName(comparison.shadow, comparison.shadowRevision)
  const flips = differences.filter(isFlip).reduce((sum, { count }) => sum + count, 0)
  const head = `${live} -> ${shadow}: ${compared} compared, ${flips} flips, ${dropped} dropped`
  const rows = differences.map(({ action, change, count, examples, live, shadow, share }) => {
    const percent = (share * 100).toFixed(1)
    return `  ${count} (${percent}%) ${action} ${change}: ${rules(live)} -> ${rules(shadow)}; for example ${examples[0]}`
  })
  return [head, ...rows].map(printable)
}

function rules(reasons: Comparison['differences'][number]['live']): string {
  const names = reasons.map(({ code, rule }) => (code === rule ? code : `${code} (${rule})`))
  return names.length > 0 ? names.join(', ') : 'no reason'
}
