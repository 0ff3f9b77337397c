/** The two that judge tasks and verifier sets, side by side from the same state: the policies in a kernel, and a node's agent. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { KnownSets } from '../../formats/task/index.ts'
import { installPackage, type NodeAgent, openNodeAgent } from '../../node-agent/index.ts'
import { UsedTasks } from '../../node-agent/used.ts'
import { task } from '../../plugins/task/facts.ts'
import { EnforcementPoint } from '../enforcement.ts'
import { policiesOf } from '../kernel/real.ts'
import { bundle } from '../rego.ts'
import { readText } from '../source.ts'

/** What there is before anything is judged. */
export interface State {
  readonly known?: KnownSets | undefined
  readonly nodeId: string
  readonly now: number
  /** A public key, base64url. */
  readonly root: string
  /** Ids of tasks that the node has taken. */
  readonly used?: readonly string[]
}
/** `accept`, or the reason against it. */
export interface Judged {
  readonly rego: string
  readonly agent: string
}
/** What replaces members of `policies/task/data.json`, and the agent's options of the same meaning. */
export interface Bounds {
  readonly max_clock_ahead?: number
  readonly max_ttl?: number
  readonly require_keyid?: boolean
}

export async function judgeTask(
  envelope: Json,
  state: State,
  bounds: Bounds = {},
): Promise<Judged> {
  const payload = { envelope, node_id: state.nodeId }
  const rego = await byRego('task.accept', payload, state, bounds)
  return {
    rego,
    agent: byAgent(state, bounds, (agent) => agent.accept(JSON.stringify(envelope), state.now)),
  }
}

export async function judgeSet(envelope: Json, state: State): Promise<Judged> {
  const rego = await byRego('task.ingest', { envelope }, state, {})
  return { rego, agent: byAgent(state, {}, (agent) => agent.ingestSet(JSON.stringify(envelope))) }
}

const LATER = 86_400

async function byRego(
  action: string,
  payload: Json,
  state: State,
  bounds: Bounds,
): Promise<string> {
  const { known, nodeId, now, root, used = [] } = state
  const records = {
    roots: [root],
    ...(known && { set: known as unknown as Json }),
    [`used/${nodeId}`]: used.map((id) => [id, now + LATER]),
  }
  const point = await EnforcementPoint.open({
    bundle: await policies(bounds),
    now,
    plugins: [task as Plugin],
    records: { task: records },
  })
  try {
    const operator = { id: 'test', kind: 'operator' }
    const { allow, reasons } = await point.ask(action, payload, operator)
    return allow ? 'accept' : reasons.map(({ code }) => code).join(' ')
  } finally {
    await point.close()
  }
}

async function policies(bounds: Bounds): Promise<Bundle> {
  const shipped = JSON.parse(readText('policies/task/data.json')) as { [name: string]: Json }
  const sources = await policiesOf(['task'], { task: { ...shipped, ...bounds } })
  return bundle(sources, ['assay/task/decision'])
}

function byAgent(
  { known, nodeId, now, root, used = [] }: State,
  { max_clock_ahead, max_ttl, require_keyid }: Bounds,
  ask: (agent: NodeAgent) => { readonly accepted: boolean; readonly reason?: string },
): string {
  const dir = mkdtempSync(join(tmpdir(), 'assay-gate-'))
  try {
    if (known) {
      mkdirSync(join(dir, 'verifiers'), { mode: 0o700 })
      writeFileSync(join(dir, 'verifiers', `set-${known.set.version}.json`), JSON.stringify(known))
    }
    const before = new UsedTasks(join(dir, 'used'))
    for (const id of used) before.take(id, now + LATER, now)
    const agent = openNodeAgent({
      ...{ dir, nodeId, root: [root], types: [installPackage] },
      ...(max_clock_ahead !== undefined && { maxClockAhead: max_clock_ahead }),
      ...(max_ttl !== undefined && { maxTtl: max_ttl }),
      ...(require_keyid !== undefined && { requireKeyId: require_keyid }),
    })
    const { accepted, reason } = ask(agent)
    return accepted ? 'accept' : (reason ?? 'none')
  } finally {
    rmSync(dir, { recursive: true })
  }
}
