/**
 * The example's answers come from its data. Users and roles change places in the state, and every answer must be the one that a small
 * reference of the documented rules, which shares nothing with the Rego, gives for the changed state.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { Server } from '../server.ts'
import { readText, root } from '../source.ts'

interface Entity {
  readonly type: string
  readonly id: string
  readonly attributes: Readonly<Record<string, Scoped>>
}
interface Scoped {
  readonly email?: string
  readonly owner?: string
  readonly permissions?: readonly string[]
  readonly role?: string
  readonly roles?: readonly string[]
  readonly status?: string
}
interface State {
  readonly subjects: readonly Entity[]
  readonly resources: readonly Entity[]
}
interface Question {
  readonly subject: { readonly type: string; readonly id: string }
  readonly action: { readonly name: string }
  readonly resource: { readonly type: string; readonly id: string }
}

const find = (
  entities: readonly Entity[],
  { id, type }: { id: string; type: string },
): Entity | undefined => entities.find((entity) => entity.type === type && entity.id === id)

/** What the published descriptions of the scenarios say, for requests that claim nothing. */
function reference(state: State, { action: { name }, resource, subject }: Question): boolean {
  const asked = find(state.subjects, subject)?.attributes
  const about = find(state.resources, resource)?.attributes
  if (resource.type === 'record') return certification(name, asked?.cert, about?.cert)
  if (subject.type === 'identity') return gateway(name, resource.id, asked?.gateway?.roles ?? [])
  return todo(name, asked?.todo, about?.todo?.owner)
}

function certification(action: string, subject?: Scoped, record?: Scoped): boolean {
  if (!subject || !record) return false
  const may = subject.permissions?.includes(action) ?? false
  if (action === 'read') return may
  // A deletion is permitted when the request says that it is soft, and these requests do not.
  if (action !== 'write') return false
  return record.status === 'archived' ? subject.role === 'admin' : may
}

function gateway(method: string, route: string, roles: readonly string[]): boolean {
  const is = (role: string): boolean => roles.includes(role)
  const who: Readonly<Record<string, boolean>> = {
    'GET /users/{userId}': roles.length > 0,
    'GET /todos': roles.length > 0,
    'POST /todos': is('admin') || is('editor'),
    'PUT /todos/{todoId}': is('evil_genius') || is('editor'),
    'DELETE /todos/{todoId}': is('admin') || is('editor'),
  }
  return who[`${method} ${route}`] ?? false
}

function todo(action: string, user?: Scoped, owner?: string): boolean {
  const is = (role: string): boolean => user?.roles?.includes(role) ?? false
  const mine = owner !== undefined && owner === user?.email
  const who: Readonly<Record<string, boolean>> = {
    can_read_user: (user?.roles ?? []).length > 0,
    can_read_todos: (user?.roles ?? []).length > 0,
    can_create_todo: is('admin') || is('editor'),
    can_update_todo: is('evil_genius') || (is('editor') && mine),
    can_delete_todo: is('admin') || (is('editor') && mine),
  }
  return who[action] ?? false
}

/** Every subject takes the attributes of the next one that has the same scenario. */
function permute(state: State, scenario: string): State {
  const holders = state.subjects.filter(({ attributes }) => attributes[scenario])
  const next = (subject: Entity): Entity => {
    const at = holders.indexOf(subject)
    const given = holders[(at + 1) % holders.length]?.attributes[scenario]
    if (at < 0 || given === undefined) return subject
    return { ...subject, attributes: { ...subject.attributes, [scenario]: given } }
  }
  return { ...state, subjects: state.subjects.map(next) }
}

const USER_ACTIONS = ['can_read_user']
const TODO_ACTIONS = ['can_read_todos', 'can_create_todo', 'can_update_todo', 'can_delete_todo']
const ROUTES = [
  'GET /users/{userId}',
  'GET /todos',
  'POST /todos',
  'PUT /todos/{todoId}',
  'DELETE /todos/{todoId}',
]

/** Every subject of the state with every action and resource of its scenario. */
function questions({ resources, subjects }: State): readonly Question[] {
  return subjects.flatMap(({ attributes, id, type }) => {
    const ask = (name: string, resource: { type: string; id: string }): Question => ({
      subject: { type, id },
      action: { name },
      resource: { type: resource.type, id: resource.id },
    })
    const todos = resources.filter((resource) => resource.attributes.todo)
    const records = resources.filter((resource) => resource.attributes.cert)
    return [
      ...(attributes.cert ? ['read', 'write', 'delete'] : []).flatMap((name) =>
        records.map((r) => ask(name, r)),
      ),
      ...(attributes.todo ? TODO_ACTIONS : []).flatMap((name) => todos.map((r) => ask(name, r))),
      ...(attributes.todo ? USER_ACTIONS : []).map((name) =>
        ask(name, { type: 'user', id: 'anybody' }),
      ),
      ...(attributes.gateway ? ROUTES : []).map((each) => {
        const [name = '', route = ''] = each.split(' ')
        return ask(name, { type: 'route', id: route })
      }),
    ]
  })
}

const original = JSON.parse(readText('examples/authzen/state.json')) as State

test('the reference gives what the published decisions expect', (ctx) => {
  const files = ['todo/decisions-authorization-api-1_0-02.json', 'api-gateway/decisions.json']
  for (const file of files) {
    const path = fixture('authzen', ...file.split('/'))
    if (path === undefined) return ctx.skip(FIXTURES_ABSENT)
    const cases = JSON.parse(readFileSync(path, 'utf8')).evaluation as {
      request: Question
      expected: boolean
    }[]
    const wrong = cases.filter(({ expected, request }) => reference(original, request) !== expected)
    expect(wrong).toEqual([])
  }
})

describe.each(['cert', 'gateway', 'todo'])(
  "with the subjects of %s in each other's place",
  (scenario) => {
    const state = permute(original, scenario)
    const folder = mkdtempSync(join(tmpdir(), 'assay-permuted-'))
    let server: Server
    let url: string
    beforeAll(async () => {
      mkdirSync(join(folder, 'data'), { mode: 0o700 })
      writeFileSync(join(folder, 'state.json'), JSON.stringify(state))
      const policies = join(root, 'examples', 'authzen', 'policies')
      const config = { policies, state: './state.json', plugins: ['access'] }
      writeFileSync(join(folder, 'assay.json'), JSON.stringify(config))
      server = new Server({ data: join(folder, 'data'), config: join(folder, 'assay.json') })
      url = await server.ready
    })
    afterAll(async () => {
      await server.stop()
      rmSync(folder, { recursive: true })
    })

    test('every answer follows the data', async () => {
      const wrong: Question[] = []
      for (const question of questions(state)) {
        if ((await evaluate(url, question)) !== reference(state, question)) wrong.push(question)
      }
      expect(wrong).toEqual([])
    })

    test('answers are others than before', () => {
      const moved = questions(state).filter(
        (each) => reference(state, each) !== reference(original, each),
      )
      expect(moved.length).toBeGreaterThan(3)
    })
  },
)

async function evaluate(url: string, question: Question): Promise<boolean> {
  const response = await fetch(`${url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(question),
  })
  return ((await response.json()) as { decision: boolean }).decision
}
