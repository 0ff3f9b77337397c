/**
 * A search and single evaluations are the same question: whatever the state, whoever asks, whatever the page size and whoever writes
 * meanwhile. With the policies that come with Assay, compiled, on every store.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../adapters/clock/system.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { nextTurn } from '../../core/commit.ts'
import type { Json } from '../../core/json.ts'
import { createKernel, type Kernel, type SearchOptions } from '../../core/kernel.ts'
import type { Plugin, SearchKind } from '../../core/plugin.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { access } from '../../plugins/access/facts.ts'
import { storeWith } from '../conformance/store/delegate.ts'
import { testEngine } from '../engine.ts'
import { testCustody } from '../kernel/custody.ts'
import { bundle } from '../rego.ts'
import { root } from '../source.ts'

const ENTRYPOINTS = ['assay/access/actions', 'assay/access/decision']
const policies = await loadFolder(join(root, 'policies'))
const compiled = await bundle(policies, ENTRYPOINTS)

const folders: string[] = []
afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })))
})

type Pair = Awaited<ReturnType<typeof openSqlite>>
const stores: Readonly<Record<string, () => Promise<Pair>>> = {
  memory: async () => openMemory(),
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-search-'))
    folders.push(folder)
    return openSqlite({ path: join(folder, 'store.db') })
  },
}

async function open(name: string, change: (store: Store) => Store = (store) => store) {
  const { log, store } = await stores[name]!()
  const kernel = await createKernel({
    origin: 'assay.test/search',
    store: change(store),
    log,
    custody: await testCustody(),
    logKey: 'log',
    engine: testEngine(),
    clock: systemClock,
    plugins: [access as Plugin],
    development: true,
  })
  await kernel.activate(compiled)
  return kernel
}

const tell = async (kernel: Kernel, verb: string, payload: Json): Promise<boolean> => {
  const submission = { action: `access.${verb}`, payload: Payload.fromJson(payload) }
  return (await kernel.decide(submission, { seal: 'durable' })).allow
}

interface Ref {
  readonly type: string
  readonly id: string
}
interface Tuple {
  readonly subject: Ref
  readonly action: string
  readonly resource: Ref
  readonly session: boolean
}
const payloadOf = ({
  action,
  resource,
  session,
  subject,
}: Tuple): { readonly [name: string]: Json } => ({
  subject: { ...subject },
  action: { name: action },
  resource: { ...resource },
  ...(session ? { context: { session: 's1' } } : {}),
})
const ask = (kernel: Kernel, tuple: Tuple): Promise<boolean> =>
  kernel
    .check({ action: 'access.evaluate', payload: Payload.fromJson(payloadOf(tuple)) })
    .then(({ allow }) => allow)

/** The query of which this tuple could be a result. */
function queryOf(kind: SearchKind, tuple: Tuple): Payload {
  const { action, ...rest } = payloadOf(tuple)
  if (kind === 'action') return Payload.fromJson(rest)
  return Payload.fromJson({ ...rest, action, [kind]: { type: tuple[kind].type } })
}

/** All pages; undefined where the policy sets no end to what may be found. */
async function found(
  kernel: Kernel,
  kind: SearchKind,
  tuple: Tuple,
  limit?: number,
): Promise<readonly Json[] | undefined> {
  const submission = { action: 'access.evaluate', kind, payload: queryOf(kind, tuple) }
  const results: Json[] = []
  let options: SearchOptions = limit === undefined ? {} : { limit }
  for (;;) {
    const page = await kernel.search(submission, { ...options, seal: 'durable' }).catch((error) => {
      expect(error).toMatchObject({ code: 'not_searchable' })
    })
    if (page === undefined) return undefined
    results.push(...page.results)
    if (page.nextToken === '') return results
    expect(page.results.length).toBe(limit)
    options = { token: page.nextToken }
  }
}

/** Longer than the store's keys. */
const LONG = '\uffee'.repeat(150)
const ROLES = [
  'auditor',
  'lab_lead',
  'member',
  'node_operator',
  'release_approver',
  'release_author',
  'researcher',
]
const subjects: readonly Ref[] = [
  ...['ada', 'bob', LONG].map((id) => ({ type: 'user', id })),
  { type: 'program', id: 'p' },
  { type: 'agent', id: 'a/%' },
]
const resources: readonly Ref[] = [
  { type: 'workload', id: 'w1' },
  { type: 'workload', id: 'w/2' },
  { type: 'checkpoint', id: 'c1' },
  { type: 'document', id: 'd1' },
  { type: 'node', id: LONG },
]
/** Also what no index and no rule knows. */
const everySubject: readonly Ref[] = [
  ...subjects,
  { type: 'user', id: 'eve' },
  { type: 'spaceship', id: 'ada' },
]
const everyResource: readonly Ref[] = [
  ...resources,
  { type: 'workload', id: 'w9' },
  { type: 'document', id: 'd9' },
]
const ACTIONS = [
  'approve',
  'cancel',
  'drain',
  'list',
  'nothing',
  'propose',
  'read',
  'submit',
  'write',
]

/** The first one half of the time. */
const mostly = <T>(often: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 2 * others.length, arbitrary: fc.constant(often) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  )
const state = fc.record({
  subjects: fc.tuple(
    ...subjects.map(({ type }) =>
      fc.record({
        known: mostly(true, false),
        roles:
          type === 'user'
            ? fc.uniqueArray(fc.constantFrom(...ROLES), { maxLength: 3 })
            : fc.constant([]),
        person: fc.constantFrom(...subjects.slice(0, 3)),
        attributes: mostly({ clearance: 1 }, { clearance: 2 }, { clearance: 1, disabled: true }),
      }),
    ),
  ),
  resources: fc.tuple(
    ...resources.map(() =>
      fc.record({
        known: mostly(true, false),
        attributes: fc.record(
          {
            classification: fc.nat(2),
            holder: fc.constantFrom('ada', 'bob'),
            node: fc.constant('n1'),
            nodes: fc.constant({ n1: true }),
            owner: fc.constantFrom('ada', 'bob'),
          },
          { requiredKeys: ['node', 'nodes', 'owner'] },
        ),
      }),
    ),
  ),
})

type State = typeof state extends fc.Arbitrary<infer S> ? S : never

async function fill(kernel: Kernel, made: State): Promise<void> {
  const workload = resources[0]!
  for (const [i, { attributes, known }] of made.resources.entries()) {
    const resource = { ...resources[i]! }
    if (known)
      await tell(kernel, 'put-resource', {
        resource,
        attributes,
        related: { workload: { ...workload } },
      })
  }
  for (const [i, { attributes, known, person, roles }] of made.subjects.entries()) {
    const subject = { ...subjects[i]! }
    if (!known) continue
    const related = { allocation: { ...workload }, workload: { ...workload } }
    const actsFor = subject.type === 'user' ? {} : { acts_for: { ...person } }
    await tell(kernel, 'put-subject', { subject, attributes, related, ...actsFor })
    // What the policies refuse is refused here too: only states that can come about are searched.
    for (const role of roles) await tell(kernel, 'assign', { subject, role })
  }
  const expires = Math.floor(Date.now() / 1000) + 3600
  await tell(kernel, 'open-session', {
    subject: { ...subjects[0]! },
    session: 's1',
    roles: ['member'],
    expires,
  })
}

const [RICH] = fc.sample(state, { seed: 5, numRuns: 1 }) as [State]

const sorted = (entities: readonly Json[]): readonly string[] =>
  entities.map((entity) => JSON.stringify(entity)).sort()

/** What single evaluations allow, of everything that a search of this kind could find; what is looked for is replaced in `tuple`. */
async function allowed(kernel: Kernel, kind: SearchKind, tuple: Tuple): Promise<readonly Json[]> {
  const options: readonly [Json, Tuple][] =
    kind === 'action'
      ? ACTIONS.map((action) => [{ name: action }, { ...tuple, action }])
      : (kind === 'subject' ? everySubject : everyResource)
          .filter(({ type }) => type === tuple[kind].type)
          .map((ref) => [{ ...ref }, { ...tuple, [kind]: ref }])
  const answers = await Promise.all(options.map(([, asked]) => ask(kernel, asked)))
  return options.filter((_, i) => answers[i]).map(([entity]) => entity)
}

const KINDS: readonly SearchKind[] = ['action', 'resource', 'subject']
function* tuples(): Generator<readonly [SearchKind, Tuple]> {
  for (const session of [false, true])
    for (const kind of KINDS) {
      const first = (refs: readonly Ref[]): readonly Ref[] =>
        refs.filter(({ type }, i) => refs.findIndex((ref) => ref.type === type) === i)
      for (const subject of kind === 'subject' ? first(everySubject) : everySubject)
        for (const resource of kind === 'resource' ? first(everyResource) : everyResource)
          for (const action of kind === 'action' ? ['-'] : ACTIONS)
            yield [kind, { action, resource, session, subject }]
    }
}

describe.each(['memory', 'sqlite'])('on %s', (name) => {
  test('a search finds exactly what evaluations allow, in pages of every size', {
    timeout: 300_000,
  }, async () => {
    let hits = 0
    let endless = 0
    const property = fc.asyncProperty(state, async (made) => {
      const kernel = await open(name)
      await fill(kernel, made)
      for (const [kind, tuple] of tuples()) {
        const results = await found(kernel, kind, tuple)
        if (results === undefined) {
          endless++
          // There is a reason: what nobody ever heard of is allowed too.
          expect(kind).not.toBe('action')
          const unheard = {
            ...tuple,
            [kind]: { type: tuple[kind as 'subject'].type, id: 'no-such-thing' },
          }
          expect(await ask(kernel, unheard)).toBe(true)
          continue
        }
        expect(sorted(results)).toEqual(sorted(await allowed(kernel, kind, tuple)))
        hits += results.length
        for (let limit = 1; limit <= results.length; limit++)
          expect(await found(kernel, kind, tuple, limit)).toEqual(results)
      }
      await kernel.close()
    })
    // One state in which much is permitted; the others are random.
    const examples: [State][] = [[RICH]]
    await fc.assert(property, { numRuns: name === 'memory' ? 6 : 2, examples })
    expect(hits).toBeGreaterThan(10)
    expect(endless).toBeGreaterThan(0)
  })

  test('a search sees one instant while others write', { timeout: 120_000 }, async () => {
    let reads = 0
    // Every third read lets the writer go on, so that a search takes as long as many writes.
    const slow = (store: Store): Store =>
      storeWith(store, {
        get: async (key) => {
          const stored = await store.get(key)
          if (key.partition === 'access' && ++reads % 3 === 0) await nextTurn()
          return stored
        },
      })
    const kernel = await open(name, slow)
    const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'].map((id) => ({ type: 'user', id }))
    const workload = { type: 'workload', id: 'w1' }
    await tell(kernel, 'put-resource', { resource: workload, attributes: {} })
    for (const subject of users) await tell(kernel, 'put-subject', { subject, attributes: {} })

    /** Who has the role after each write; the last one may be under way. */
    const history: string[][] = [[]]
    let written = 0
    const write = async (at: number): Promise<void> => {
      const { id, type } = users[at]!
      const before = history.at(-1)!
      const has = before.includes(id)
      history.push(has ? before.filter((other) => other !== id) : [...before, id].sort())
      const role = { subject: { type, id }, role: 'researcher' }
      expect(await tell(kernel, has ? 'revoke' : 'assign', role)).toBe(true)
      written++
    }

    let raced = 0
    const tuple = { action: 'read', resource: workload, session: false, subject: users[0]! }
    const payload = queryOf('subject', tuple)
    const look = async (): Promise<void> => {
      const from = written
      const submission = { action: 'access.evaluate', kind: 'subject' as const, payload }
      const page = await kernel.search(submission, { seal: 'durable' }).catch((error: unknown) => {
        // It never stood still: there is no list then, rather than a wrong one.
        expect(error).toMatchObject({ code: 'overloaded' })
      })
      if (page === undefined) return
      const possible = history.slice(from).map((ids) => ids.join())
      if (possible.length > 2) raced++
      expect(possible).toContain(page.results.map((ref) => (ref as unknown as Ref).id).join())
    }

    const writes = fc.array(fc.nat(users.length - 1), { minLength: 20, maxLength: 60 })
    const property = fc.asyncProperty(writes, async (order) => {
      let writing = true
      const searching = Promise.all(
        [1, 2].map(async () => {
          while (writing) await look()
        }),
      )
      for (const at of order) {
        await write(at)
        for (let pause = at; pause > 0; pause--) await nextTurn()
      }
      writing = false
      await searching
      await look()
    })
    await fc.assert(property, { numRuns: 5, endOnFailure: true })
    expect(raced).toBeGreaterThan(0)
    await kernel.close()
  })
})
