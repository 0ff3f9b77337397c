/** The policies and the state of `examples/authzen` against every published decision, search included (by trying each candidate). */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadFolder } from '../../adapters/policies/folder.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Policy } from '../../core/ports/engine.ts'
import { Desk, loadPolicy, OPERATOR } from '../../test/desk.ts'
import { FIXTURES_ABSENT, fixture } from '../../test/fixtures.ts'
import { access } from './facts.ts'

const root = join(import.meta.dirname, '../..')
const example = join(root, 'examples/authzen')
const state = JSON.parse(readFileSync(join(example, 'state.json'), 'utf8')) as State

interface Entity {
  readonly type: string
  readonly id: string
}
interface Attributed extends Entity {
  readonly attributes: Readonly<Record<string, Json>>
}
interface State {
  readonly subjects: readonly Attributed[]
  readonly resources: readonly Attributed[]
}
interface Evaluation {
  readonly subject: Entity
  readonly action: { readonly name: string }
  readonly resource: Entity
}

let policy: Policy
let desk: Desk
beforeAll(async () => {
  policy = await loadPolicy(await loadFolder(join(example, 'policies')), 'assay/access/decision')
  desk = await seeded(state)
})
afterAll(() => policy.close())

async function seeded(seed: State): Promise<Desk> {
  const fresh = new Desk(access as Plugin, policy)
  expect(await fresh.ask('access.import', seed as unknown as Json, OPERATOR)).toEqual([
    true,
    'seeded',
  ])
  return fresh
}

const allows = async (request: unknown, at: Desk = desk): Promise<boolean> =>
  (await at.decide('access.evaluate', request as Json)).allow

function load<T>(...path: string[]): T | undefined {
  const file = fixture('authzen', ...path)
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as T)
}

interface Certification {
  readonly cases: readonly {
    readonly id: string
    readonly path: string
    readonly body?: Evaluation & { readonly evaluations?: readonly Partial<Evaluation>[] }
    readonly expect: { readonly decision?: boolean; readonly evaluations?: readonly boolean[] }
  }[]
}
interface Decisions {
  readonly evaluation: readonly { readonly request: Evaluation; readonly expected: boolean }[]
}
interface Found {
  readonly request: { readonly [K in keyof Evaluation]?: Partial<Evaluation[K]> }
  readonly expected: {
    readonly results: readonly { readonly id?: string; readonly name?: string }[]
  }
}

describe('the published decisions', () => {
  test('certification', async (context) => {
    const suite = load<Certification>('certification-1_0.json')
    if (!suite) return context.skip(FIXTURES_ABSENT)
    let compared = 0
    for (const { id, body, expect: wanted } of suite.cases) {
      const { evaluations = [], ...defaults } = body ?? {}
      if (wanted.decision !== undefined) {
        compared++
        expect([id, await allows(defaults)]).toEqual([id, wanted.decision])
      }
      for (const [i, decision] of (wanted.evaluations ?? []).entries()) {
        compared++
        expect([id, i, await allows({ ...defaults, ...evaluations[i] })]).toEqual([id, i, decision])
      }
    }
    expect(compared).toBeGreaterThan(20)
  })

  test.for([
    ['todo', 'decisions-authorization-api-1_0-02.json'],
    ['api-gateway', 'decisions.json'],
  ] as const)('%s', async ([folder, file], context) => {
    const suite = load<Decisions>(folder, file)
    if (!suite) return context.skip(FIXTURES_ABSENT)
    expect(suite.evaluation.length).toBeGreaterThan(20)
    for (const { request, expected } of suite.evaluation)
      expect([request, await allows(request)]).toEqual([request, expected])
  })

  const users = state.subjects.filter(({ attributes }) => attributes.search)
  const records = state.resources.filter(({ attributes }) => attributes.search)
  const actions = ['view', 'edit', 'delete'].map((name) => ({ name }))
  const candidates = { subject: users, resource: records, action: actions }

  test.for([
    ['subject', 'search/subject-results.json', 'evaluation'],
    ['resource', 'search/resource-results.json', 'evaluation'],
    ['action', 'search/action-results.json', 'evaluation'],
    ['resource', 'idp/results.json', 'search'],
  ] as const)('search for a %s: %s', async ([kind, file, member], context) => {
    const suite = load<Record<string, readonly Found[]>>(file)
    if (!suite) return context.skip(FIXTURES_ABSENT)
    expect(suite[member]?.length).toBeGreaterThan(5)
    for (const { request, expected } of suite[member] ?? []) {
      const found: string[] = []
      for (const candidate of candidates[kind]) {
        const { attributes: _, ...entity } = candidate as Attributed
        if (await allows({ ...request, [kind]: entity })) found.push(entity.id ?? nameOf(candidate))
      }
      const wanted = expected.results.map(({ id, name }) => id ?? name ?? '')
      expect([request, found.sort()]).toEqual([request, wanted.sort()])
    }
  })
})

function nameOf(candidate: object): string {
  return (candidate as { name: string }).name
}

/** `state` with the attributes of one scenario dealt out to other subjects. */
function dealt(scenario: string): State {
  const holders = state.subjects.filter(({ attributes }) => attributes[scenario])
  const subjects = state.subjects.map((subject) => {
    const at = holders.indexOf(subject)
    if (at < 0) return subject
    const from = holders[(at + 1) % holders.length]!
    return {
      ...subject,
      attributes: { ...subject.attributes, [scenario]: from.attributes[scenario]! },
    }
  })
  return { ...state, subjects }
}

describe('answers follow the state', () => {
  test.each(['cert', 'todo', 'gateway'])('of %s', async (scenario) => {
    const permuted = await seeded(dealt(scenario))
    const holders = state.subjects.filter(({ attributes }) => attributes[scenario])
    const requests = {
      cert: [
        [{ name: 'write' }, { type: 'record', id: 'record-1' }],
        [{ name: 'write' }, { type: 'record', id: 'record-2' }],
      ],
      todo: state.resources
        .filter(({ attributes }) => attributes.todo)
        .flatMap(({ type, id }) => [
          [{ name: 'can_update_todo' }, { type, id }],
          [{ name: 'can_delete_todo' }, { type, id }],
        ]),
      gateway: [
        [{ name: 'POST' }, { type: 'route', id: '/todos' }],
        [{ name: 'PUT' }, { type: 'route', id: '/todos/{todoId}' }],
      ],
    }[scenario]!
    let changed = 0
    for (const [action, resource] of requests) {
      for (const [i, { type, id }] of holders.entries()) {
        const from = holders[(i + 1) % holders.length]!
        const before = await allows({ subject: { type: from.type, id: from.id }, action, resource })
        const after = await allows({ subject: { type, id }, action, resource }, permuted)
        expect(after).toBe(before)
        if (after !== (await allows({ subject: { type, id }, action, resource }))) changed++
      }
    }
    expect(changed).toBeGreaterThan(0)
  })
})

test('the example has the same organisation-wide rules and helpers as the policies that ship', () => {
  const shared = (folder: string) =>
    [
      ...readdirSync(join(root, folder)),
      ...readdirSync(join(root, folder, 'lib')).map((f) => `lib/${f}`),
    ]
      .filter((file) => /\.(rego|json)$/.test(file))
      .map((file) => [file, contentOf(join(root, folder, file))])
  expect(shared('examples/authzen/policies')).toEqual(shared('policies'))
})

/** What keys may sign is no matter of an example that signs nothing. */
function contentOf(path: string): unknown {
  const text = readFileSync(path, 'utf8')
  if (!path.endsWith('.json')) return text
  const { signing, ...rest } = JSON.parse(text) as { readonly signing?: unknown }
  return rest
}
