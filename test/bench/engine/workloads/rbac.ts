/** Roles that inherit from roles, 1,000 users, 10,000 grants: as lists that are searched, and as a table that is looked up. */
import { seeded } from '../../../crash/random.ts'
import {
  below,
  type Cedar,
  type CedarEntity,
  type CedarUid,
  chance,
  type Generated,
  hex,
  named,
  pick,
  sample,
  type Workload,
} from './workload.ts'

interface Grant {
  readonly action: string
  readonly resource: string
}
interface Question extends Grant {
  readonly user: string
  readonly request_id: string
}
interface Roles {
  readonly users: Readonly<Record<string, { readonly roles: readonly string[] }>>
  readonly inherits: Readonly<Record<string, readonly string[]>>
}
interface Scanned extends Roles {
  readonly grants: Readonly<Record<string, readonly Grant[]>>
}
interface Indexed extends Roles {
  readonly actions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

const ACTIONS = ['read', 'write', 'list', 'delete', 'bind']
const ROLES = 100
const RESOURCES = 500

function world(
  scale: number,
  questions: number,
): { readonly data: Scanned; readonly inputs: readonly Question[] } {
  const random = seeded(11)
  const roles = named('role-', ROLES)
  const resources = Array.from({ length: RESOURCES }, (_, i) => `partition/${i % 25}/node/${i}`)
  const grant = (): Grant => ({ action: pick(random, ACTIONS), resource: pick(random, resources) })
  // Only from roles further on: no circles. The last ten inherit nothing.
  const inherits = Object.fromEntries(
    roles.map((role, i) => [
      role,
      i === 0 || i >= 90 ? [] : sample(random, roles.slice(i + 1), below(random, 3)),
    ]),
  )
  const grants = Object.fromEntries(
    roles.map((role) => [role, Array.from({ length: Math.round(100 * scale) }, grant)]),
  )
  const users = Object.fromEntries(
    named('user-', Math.round(1000 * scale)).map((user) => [
      user,
      { roles: sample(random, roles, 1 + below(random, 3)) },
    ]),
  )
  const data = { users, inherits, grants }
  const names = Object.keys(users)
  const inputs = Array.from({ length: questions }, () => {
    const user = pick(random, names)
    const asked = chance(random, 0.5)
      ? pick(random, grants[pick(random, reached(data, user))] as Grant[])
      : grant()
    return { user, action: asked.action, resource: asked.resource, request_id: hex(random, 16) }
  })
  return { data, inputs }
}

function reached({ inherits, users }: Roles, user: string): string[] {
  const found = new Set(users[user]?.roles)
  for (const role of found) for (const above of inherits[role] ?? []) found.add(above)
  return [...found]
}

function byHand(
  roles: Roles,
  granted: (role: string, question: Question) => boolean,
): (question: Question) => boolean {
  return (question) => {
    const person = roles.users[question.user]
    if (person === undefined) return false
    const found = new Set(person.roles)
    for (const role of found) {
      if (granted(role, question)) return true
      for (const above of roles.inherits[role] ?? []) found.add(above)
    }
    return false
  }
}

export const rbac: Workload = {
  name: 'rbac',
  entrypoint: 'rbac/allow',
  rego: `package rbac

default allow := false

held := graph.reachable(data.inherits, data.users[input.user].roles)

allow if {
	some role in held
	some grant in data.grants[role]
	grant.action == input.action
	grant.resource == input.resource
}
`,
  generate: world,
  byHand: (data: Scanned) =>
    byHand(data, (role, { action, resource }) =>
      (data.grants[role] ?? []).some(
        (grant) => grant.action === action && grant.resource === resource,
      ),
    ),
  cedar: cedar(),
}

export const rbacIndexed: Workload = {
  name: 'rbac-indexed',
  entrypoint: 'rbac_indexed/allow',
  rego: `package rbac_indexed

default allow := false

held := graph.reachable(data.inherits, data.users[input.user].roles)

allow if {
	some role in held
	input.action in data.actions[role][input.resource]
}
`,
  generate(scale, questions): Generated {
    const { data, inputs } = world(scale, questions)
    const actions: Record<string, Record<string, string[]>> = {}
    for (const [role, grants] of Object.entries(data.grants))
      for (const { action, resource } of grants) {
        actions[role] ??= {}
        actions[role][resource] ??= []
        const known = actions[role][resource]
        if (!known.includes(action)) known.push(action)
      }
    return { data: { users: data.users, inherits: data.inherits, actions }, inputs }
  },
  byHand: (data: Indexed) =>
    byHand(
      data,
      (role, { action, resource }) => data.actions[role]?.[resource]?.includes(action) === true,
    ),
}

/** Who may do what to a node stands on the node, for each action a set of roles. */
function cedar(): Cedar {
  const uid = (type: string, id: string): CedarUid => ({ type, id })
  const role = (data: Scanned, id: string): CedarEntity => ({
    uid: uid('Role', id),
    attrs: {},
    parents: (data.inherits[id] ?? []).map((above) => uid('Role', above)),
  })
  const user = (data: Scanned, id: string): CedarEntity => ({
    uid: uid('User', id),
    attrs: {},
    parents: (data.users[id]?.roles ?? []).map((held) => uid('Role', held)),
  })
  const nodes = new WeakMap<Scanned, Map<string, CedarEntity>>()
  const nodesOf = (data: Scanned): Map<string, CedarEntity> => {
    const known = nodes.get(data)
    if (known !== undefined) return known
    const made = nodeEntities(data)
    nodes.set(data, made)
    return made
  }
  return {
    policy: ACTIONS.map(
      (action) =>
        `permit(principal, action == Action::"${action}", resource is Node) when { resource has ${action} && principal in resource.${action} };`,
    ).join('\n'),
    entities: (data: Scanned) => [
      ...Object.keys(data.inherits).map((id) => role(data, id)),
      ...Object.keys(data.users).map((id) => user(data, id)),
      ...nodesOf(data).values(),
    ],
    slice(data: Scanned, { resource, user: name }: Question) {
      const node = nodesOf(data).get(resource)
      return [
        user(data, name),
        ...reached(data, name).map((id) => role(data, id)),
        ...(node === undefined ? [] : [node]),
      ]
    },
    request: (_: Scanned, { action, resource, user: name }: Question) => ({
      principal: uid('User', name),
      action: uid('Action', action),
      resource: uid('Node', resource),
      context: {},
    }),
  }
}

function nodeEntities(data: Scanned): Map<string, CedarEntity> {
  const holders = new Map<string, Map<string, Set<string>>>()
  for (const [role, grants] of Object.entries(data.grants))
    for (const { action, resource } of grants) {
      const actions = holders.get(resource) ?? new Map<string, Set<string>>()
      holders.set(resource, actions.set(action, (actions.get(action) ?? new Set()).add(role)))
    }
  const entity = ([id, actions]: [string, Map<string, Set<string>>]): [string, CedarEntity] => [
    id,
    {
      uid: { type: 'Node', id },
      attrs: Object.fromEntries(
        [...actions].map(([action, roles]) => [
          action,
          [...roles].map((role) => ({ __entity: { type: 'Role', id: role } })),
        ]),
      ),
      parents: [],
    },
  ]
  return new Map([...holders].map(entity))
}

/** Casbin's own form: a line for each grant, each role of a user, each inheritance. */
export function casbinLines(data: Scanned): string {
  return [
    ...Object.entries(data.grants).flatMap(([role, grants]) =>
      grants.map(({ action, resource }) => `p, ${role}, ${resource}, ${action}`),
    ),
    ...Object.entries(data.users).flatMap(([user, { roles }]) =>
      roles.map((role) => `g, ${user}, ${role}`),
    ),
    ...Object.entries(data.inherits).flatMap(([role, above]) =>
      above.map((one) => `g, ${role}, ${one}`),
    ),
  ].join('\n')
}

export type { Question as RbacQuestion, Scanned as RbacData }
