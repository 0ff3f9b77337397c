/** A researcher reads a checkpoint of a workload of their own or their group's, from a node of its partition, in an open window: attributes only. */
import { seeded } from '../../../crash/random.ts'
import {
  below,
  type Cedar,
  type CedarEntity,
  chance,
  named,
  pick,
  sample,
  type Workload,
} from './workload.ts'

interface Window {
  readonly from: number
  readonly to: number
}
interface WorkloadRecord {
  readonly owner: string
  readonly group: string
  readonly shared: boolean
  readonly state: string
  readonly partition: string
  readonly sensitivity: number
  readonly checkpoints: readonly string[]
}
interface Partition {
  readonly nodes: readonly string[]
  readonly windows: readonly Window[]
}
interface Data {
  readonly workloads: Readonly<Record<string, WorkloadRecord>>
  readonly partitions: Readonly<Record<string, Partition>>
  readonly suspended: Readonly<Record<string, boolean>>
}
interface Question {
  readonly action: string
  readonly subject: {
    readonly id: string
    readonly roles: readonly string[]
    readonly groups: readonly string[]
    readonly clearance: number
  }
  readonly resource: { readonly type: string; readonly workload: string; readonly name: string }
  readonly node: string
  readonly now: number
}

const DAY = 86_400
const WEEK = 7 * DAY
const STATES = ['running', 'running', 'suspended', 'completed', 'completed', 'failed']
const READABLE = new Set(['running', 'suspended', 'completed'])
const GROUPS = named('group-', 40)
const PARTITIONS = 50
const MONDAY = 1_750_000_000 - (1_750_000_000 % WEEK)

function generate(
  scale: number,
  questions: number,
): { readonly data: Data; readonly inputs: readonly Question[] } {
  const random = seeded(12)
  const windows = (): Window[] =>
    Array.from({ length: 7 }, (_, day) => ({
      from: day * DAY + below(random, 4) * 3600,
      to: day * DAY + (18 + below(random, 6)) * 3600,
    }))
  const partitions = Object.fromEntries(
    named('part-', PARTITIONS).map((name, i) => [
      name,
      { nodes: named(`node-${i}-`, 64), windows: windows() },
    ]),
  )
  const people = named('res-', Math.round(1000 * scale))
  const workloads: Record<string, WorkloadRecord> = {}
  for (const [i, name] of named('wl-', Math.round(10_000 * scale)).entries())
    workloads[name] = {
      owner: pick(random, people),
      group: pick(random, GROUPS),
      shared: chance(random, 0.3),
      state: pick(random, STATES),
      partition: `part-${below(random, PARTITIONS)}`,
      sensitivity: below(random, 4),
      checkpoints: named(`ckpt-${i}-`, 3),
    }
  const suspended = Object.fromEntries(
    sample(random, people.slice(0, 2000), 20).map((person) => [person, true]),
  )
  const names = Object.keys(workloads)
  const question = (): Question => {
    const name = pick(random, names)
    const workload = workloads[name] as WorkloadRecord
    const fits = chance(random, 0.75)
    const partition =
      fits || chance(random, 0.7) ? workload.partition : `part-${below(random, PARTITIONS)}`
    const second = fits ? 6 * 3600 + below(random, 11 * 3600) : below(random, DAY)
    return {
      action: fits || chance(random, 0.9) ? 'checkpoint.read' : 'checkpoint.write',
      subject: {
        id: fits || chance(random, 0.6) ? workload.owner : pick(random, people),
        roles: chance(random, 0.97) ? ['staff', 'researcher'] : ['staff'],
        groups: sample(random, GROUPS, 3),
        clearance: fits ? 3 : below(random, 4),
      },
      resource: { type: 'checkpoint', workload: name, name: pick(random, workload.checkpoints) },
      node: pick(random, (partitions[partition] as Partition).nodes),
      now: MONDAY + below(random, 7) * DAY + second,
    }
  }
  return {
    data: { workloads, partitions, suspended },
    inputs: Array.from({ length: questions }, question),
  }
}

function byHand(data: Data): (question: Question) => boolean {
  return ({ action, node, now, resource, subject }) => {
    if (action !== 'checkpoint.read' || resource.type !== 'checkpoint') return false
    if (!subject.roles.includes('researcher') || data.suspended[subject.id]) return false
    const workload = data.workloads[resource.workload]
    if (workload === undefined) return false
    const owned =
      workload.owner === subject.id || (workload.shared && subject.groups.includes(workload.group))
    if (!owned || !READABLE.has(workload.state)) return false
    const partition = data.partitions[workload.partition]
    if (partition === undefined || !partition.nodes.includes(node)) return false
    const second = now % WEEK
    if (!partition.windows.some(({ from, to }) => second >= from && second < to)) return false
    return subject.clearance >= workload.sensitivity && workload.checkpoints.includes(resource.name)
  }
}

/** Cedar has neither loops nor a remainder: the windows are written out, and the host says which second of the week it is. */
const cedar: Cedar = {
  policy: `permit(principal, action == Action::"checkpoint.read", resource is Workload) when {
  context.type == "checkpoint" && context.roles.contains("researcher") && !principal.suspended &&
  (resource.owner == principal || (resource.shared && context.groups.contains(resource.group))) &&
  ["running", "suspended", "completed"].contains(resource.state) && resource.partition.nodes.contains(context.node) &&
  (${named('day', 7)
    .map(
      (day) =>
        `(context.second >= resource.partition.windows.${day}.from && context.second < resource.partition.windows.${day}.to)`,
    )
    .join(' || ')}) &&
  context.clearance >= resource.sensitivity && resource.checkpoints.contains(context.name)
};`,
  entities: (data: Data, inputs: readonly Question[]) => {
    const people = new Set([
      ...Object.values(data.workloads).map(({ owner }) => owner),
      ...inputs.map(({ subject }) => subject.id),
    ])
    return [
      ...Object.keys(data.workloads).map((id) => workloadEntity(data, id)),
      ...Object.keys(data.partitions).map((id) => partitionEntity(data, id)),
      ...[...people].map((id) => person(data, id)),
    ]
  },
  slice: (data: Data, { resource, subject }: Question) => [
    person(data, subject.id),
    workloadEntity(data, resource.workload),
    partitionEntity(data, (data.workloads[resource.workload] as WorkloadRecord).partition),
  ],
  request: (_: Data, { action, node, now, resource, subject }: Question) => ({
    principal: { type: 'Researcher', id: subject.id },
    action: { type: 'Action', id: action },
    resource: { type: 'Workload', id: resource.workload },
    context: {
      clearance: subject.clearance,
      groups: subject.groups,
      name: resource.name,
      node,
      roles: subject.roles,
      second: now % WEEK,
      type: resource.type,
    },
  }),
}

function person(data: Data, id: string): CedarEntity {
  return {
    uid: { type: 'Researcher', id },
    attrs: { suspended: data.suspended[id] === true },
    parents: [],
  }
}

function workloadEntity(data: Data, id: string): CedarEntity {
  const record = data.workloads[id] as WorkloadRecord
  const refs = {
    owner: { __entity: { type: 'Researcher', id: record.owner } },
    partition: { __entity: { type: 'Partition', id: record.partition } },
  }
  return { uid: { type: 'Workload', id }, attrs: { ...record, ...refs }, parents: [] }
}

function partitionEntity(data: Data, id: string): CedarEntity {
  const { nodes, windows } = data.partitions[id] as Partition
  const days = Object.fromEntries(windows.map((window, i) => [`day${i}`, { ...window }]))
  return { uid: { type: 'Partition', id }, attrs: { nodes, windows: days }, parents: [] }
}

export const abac: Workload = {
  name: 'abac',
  entrypoint: 'abac/allow',
  rego: `package abac

default allow := false

readable := {"running", "suspended", "completed"}

allow if {
	input.action == "checkpoint.read"
	input.resource.type == "checkpoint"
	"researcher" in input.subject.roles
	not data.suspended[input.subject.id]
	workload := data.workloads[input.resource.workload]
	belongs(workload)
	workload.state in readable
	partition := data.partitions[workload.partition]
	input.node in partition.nodes
	open(partition.windows)
	input.subject.clearance >= workload.sensitivity
	input.resource.name in workload.checkpoints
}

belongs(workload) if workload.owner == input.subject.id

belongs(workload) if {
	workload.shared
	workload.group in input.subject.groups
}

open(windows) if {
	second := input.now % 604800
	some window in windows
	second >= window.from
	second < window.to
}
`,
  generate,
  byHand,
  cedar,
}
