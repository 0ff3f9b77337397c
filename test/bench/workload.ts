/**
 * The workload of every benchmark, fixed by its seed and named `access-3r5f`: `access.evaluate` for 1,000 users with roles, over records
 * that point to no others, so that each decision makes 3 guarded reads and commits to 5 facts. A change of it is a new name.
 */
import { between, type Random, seeded } from '../crash/random.ts'

export const WORKLOAD = 'access-3r5f'

export interface Ref {
  readonly type: string
  readonly id: string
}
export interface SubjectState extends Ref {
  readonly attributes: object
  readonly roles: readonly string[]
}
export interface ResourceState extends Ref {
  readonly attributes: object
}
/** An AuthZEN 1.0 evaluation request. */
export interface Evaluation {
  readonly subject: Ref & { readonly properties?: object }
  readonly action: { readonly name: string }
  readonly resource: Ref
  readonly context?: object
}
export interface Workload {
  readonly subjects: readonly SubjectState[]
  readonly resources: readonly ResourceState[]
  readonly requests: readonly Evaluation[]
}

const USERS = 1000
const REQUESTS = 2000
/** Of each type so many, their share of the requests, and what is asked of them. */
const TYPES: readonly {
  readonly type: string
  readonly count: number
  readonly share: number
  readonly actions: readonly string[]
}[] = [
  { type: 'workload', count: 400, share: 0.45, actions: ['read', 'submit', 'cancel', 'list'] },
  { type: 'allocation', count: 200, share: 0.2, actions: ['read'] },
  { type: 'document', count: 200, share: 0.15, actions: ['read'] },
  { type: 'release', count: 100, share: 0.1, actions: ['read', 'propose', 'approve'] },
  { type: 'node', count: 100, share: 0.1, actions: ['read', 'drain'] },
]
const ROLES: readonly (readonly string[])[] = [
  ['researcher'],
  ['researcher'],
  ['researcher'],
  ['researcher', 'release_author'],
  ['lab_lead'],
  ['lab_lead', 'node_operator'],
  ['auditor'],
  ['auditor', 'release_approver'],
  ['node_operator'],
  ['member'],
]
/** Which roles somebody would have who asks for this with good reason. */
const MEANT: Readonly<Record<string, readonly string[]>> = {
  allocation: ['researcher', 'lab_lead'],
  document: ['member', 'researcher', 'lab_lead', 'auditor', 'node_operator'],
  node: ['node_operator'],
  release: ['release_author', 'release_approver'],
  workload: ['researcher', 'lab_lead'],
}
/** How often the one who asks is somebody with such a role. */
const MEANT_SHARE = 0.5
const DEPARTMENTS = ['alignment', 'biology', 'evaluations', 'infrastructure', 'robotics', 'safety']
const UNKNOWN_SHARE = 0.02
const DISABLED_SHARE = 0.02

/** The same on every machine. */
export function makeWorkload(): Workload {
  const random = seeded(20_261_101)
  const subjects = Array.from({ length: USERS }, (_, i) => makeSubject(i, random))
  const resources = TYPES.flatMap(({ type, count }) =>
    Array.from({ length: count }, (_, i) => makeResource(type, i, random)),
  )
  const requests = Array.from({ length: REQUESTS }, () => makeRequest(subjects, random))
  return { subjects, resources, requests }
}

/** Payloads of `access.import`, each within the plugin's and the stores' limits. */
export function importPayloads({ subjects, resources }: Workload): readonly object[] {
  return [
    ...chunks(subjects, 250).map((some) => ({ subjects: some })),
    ...chunks(resources, 500).map((some) => ({ resources: some })),
  ]
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size))
}

const userName = (i: number): string => `user-${String(i).padStart(4, '0')}`

function makeSubject(i: number, random: Random): SubjectState {
  const attributes = {
    clearance: between(random, 0, 4),
    department: pick(DEPARTMENTS, random),
    email: `${userName(i)}@research.example`,
    ...(random() < DISABLED_SHARE ? { disabled: true } : {}),
  }
  return { type: 'user', id: userName(i), attributes, roles: pick(ROLES, random) }
}

function makeResource(type: string, i: number, random: Random): ResourceState {
  const attributes = {
    classification: between(random, 0, 4),
    department: pick(DEPARTMENTS, random),
    owner: userName(between(random, 0, USERS - 1)),
  }
  return { type, id: `${type}-${i}`, attributes }
}

function makeRequest(subjects: readonly SubjectState[], random: Random): Evaluation {
  const { type, count, actions } = pickType(random)
  const resource = { type, id: `${type}-${between(random, 0, count - 1)}` }
  const subject = pickSubject(type, subjects, random)
  const properties = random() < 0.3 ? { properties: { device: 'laptop', mfa: true } } : {}
  const context = {
    ip: `10.0.${between(random, 0, 255)}.${between(random, 0, 255)}`,
    trace: between(random, 0, 2 ** 31).toString(16),
  }
  return {
    subject: { ...subject, ...properties },
    action: { name: pick(actions, random) },
    resource,
    ...(random() < 0.5 ? { context } : {}),
  }
}

function pickType(random: Random): (typeof TYPES)[number] {
  const at = random()
  let sum = 0
  for (const each of TYPES) {
    sum += each.share
    if (at < sum) return each
  }
  return TYPES[0]!
}

function pickSubject(type: string, subjects: readonly SubjectState[], random: Random): Ref {
  if (random() < UNKNOWN_SHARE) return { type: 'user', id: `guest-${between(random, 0, 99)}` }
  const meant = MEANT[type] ?? []
  const wanted = random() < MEANT_SHARE
  const candidates = wanted
    ? subjects.filter(({ roles }) => roles.some((role) => meant.includes(role)))
    : subjects
  return { type: 'user', id: pick(candidates, random).id }
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[between(random, 0, items.length - 1)]!
}
