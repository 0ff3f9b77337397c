/** The laws of {@link Plugin}: what a plugin reports is closed, ordered, a function of what it read, and never an exception about bad input. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Json } from '../../core/json.ts'
import type {
  AuditReads,
  Effect,
  EffectPlan,
  FactField,
  PastDecision,
  Plugin,
  ReadPorts,
} from '../../core/plugin.ts'
import { Payload, type Peer, type Request } from '../../core/request.ts'
import { candidateLaws, type SearchSample } from './candidates.ts'
import type { Law } from './laws.ts'

/** A valid request, the records that it meets, and the effects that the policy may then propose. */
export interface PluginSample {
  readonly action: string
  readonly payload: Json
  readonly peer?: Peer
  readonly records?: Readonly<Record<string, Json>>
  /** Of other plugins: name, then key. */
  readonly foreign?: Readonly<Record<string, Readonly<Record<string, Json>>>>
  readonly effects?: readonly Effect[]
  /** The plugin's earlier decisions, by id. */
  readonly past?: Readonly<Record<string, PastDecision>>
  /** Of an auditor. */
  readonly audit?: AuditReads
}
export interface PluginSubject {
  /** `plugin/<name>` */
  readonly name: string
  readonly plugin: Plugin
  /** At least one for each action and, over all, one for each effect. */
  readonly samples: readonly PluginSample[]
  /** Of a plugin that lists candidates. */
  readonly searches?: readonly SearchSample[]
  /** README.md of the plugin; its reasons stand in a table under the heading "Reasons". */
  readonly readme: string
  /** The Rego that decides on its facts, tests included: path → text. */
  readonly rego: Readonly<Record<string, string>>
}

const NOW = 1_800_000_000
const DECISION = '000102030405060708090a0b0c0d0e0f'
const ANONYMOUS: Peer = { kind: 'anonymous', id: 'anonymous' }
const RUNS = 300

/** Guarded reads over plain records; remembers what was asked for. */
class Reads implements ReadPorts {
  readonly asked: string[] = []
  readonly audit: AuditReads | undefined
  readonly #records: Readonly<Record<string, Json>>
  readonly #foreign: Readonly<Record<string, Readonly<Record<string, Json>>>>
  readonly #past: Readonly<Record<string, PastDecision>>
  readonly #onRead: (count: number) => void
  constructor(
    {
      audit,
      foreign = {},
      past = {},
      records = {},
    }: Pick<PluginSample, 'audit' | 'foreign' | 'past' | 'records'>,
    onRead: (count: number) => void = () => {},
  ) {
    this.audit = audit
    this.#records = frozen(records)
    this.#foreign = frozen(foreign)
    this.#past = past
    this.#onRead = onRead
  }
  async get(sort: string): Promise<Json | undefined> {
    this.asked.push(sort)
    this.#onRead(this.asked.length)
    return this.record(sort)
  }
  async getFrom(plugin: string, sort: string): Promise<Json | undefined> {
    this.asked.push(`${plugin}#${sort}`)
    this.#onRead(this.asked.length)
    return this.#foreign[plugin]?.[sort]
  }
  async listGuarded(prefix: string): Promise<readonly { sort: string; value: Json }[]> {
    const sorts = Object.keys(this.#records).filter((sort) => sort.startsWith(prefix))
    return sorts.sort().map((sort) => ({ sort, value: this.#records[sort]! }))
  }
  async snapshot(sort: string): Promise<{ value: Json | undefined; revision: string }> {
    return { value: this.record(sort), revision: '1' }
  }
  async decided(id: string): Promise<PastDecision | undefined> {
    return Object.hasOwn(this.#past, id) ? this.#past[id] : undefined
  }
  /** As a commit sees it: only what was read guarded. */
  recorded(sort: string): Json | undefined {
    if (!this.asked.includes(sort)) throw new RangeError(`${sort} was not read`)
    return this.record(sort)
  }
  record(sort: string): Json | undefined {
    return Object.hasOwn(this.#records, sort) ? this.#records[sort] : undefined
  }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) frozen(member)
    Object.freeze(value)
  }
  return value
}

function requestOf({ action, peer = ANONYMOUS }: PluginSample, payload: Payload): Request {
  return { action, payload, peer, obligations: [] }
}

function ask(
  plugin: Plugin,
  sample: PluginSample,
  options: { payload?: Payload; reads?: ReadPorts; signal?: AbortSignal } = {},
): Promise<object> {
  const {
    payload = Payload.fromJson(sample.payload),
    reads = new Reads(sample),
    signal = new AbortController().signal,
  } = options
  return plugin.facts(requestOf(sample, payload), reads, NOW, signal)
}

function expectConforming(plugin: Plugin, facts: object): void {
  const fields = Object.entries<FactField>(plugin.schema as Record<string, FactField>)
  expect(Object.keys(facts)).toEqual(fields.map(([name]) => name).sort())
  for (const [name, { schema }] of fields) {
    expect(schema.problem((facts as Record<string, unknown>)[name], `/${name}`)).toBeUndefined()
  }
}

/** Text that is no JSON, JSON that is no request, and valid requests with one member lost, replaced or added. */
function hostilePayload(sample: PluginSample): fc.Arbitrary<string> {
  const valid = sample.payload
  const replaced = fc
    .tuple(
      fc.nat(),
      fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.string({ maxLength: 600 })),
    )
    .map(([at, value]) => JSON.stringify(replaceNth(valid, at, value as Json)) ?? '')
  return fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    { weight: 3, arbitrary: replaced },
    fc
      .jsonValue()
      .map((extra) => JSON.stringify({ ...(valid as object), ['__proto__']: extra, extra })),
    fc.constantFrom('', 'null', '[]', '{"a":1,"a":2}', '{"__proto__":{}}', '1e400', '"\\ud800"'),
    fc.constant(JSON.stringify(valid).replaceAll(':{', ':[{').replaceAll('}', '}]')),
    fc.constant(`${'['.repeat(600)}${']'.repeat(600)}`),
  )
}

/** `value` with its n-th member or item (counted in depth-first order, modulo) replaced, or left out for undefined. */
function replaceNth(value: Json, n: number, by: Json | undefined): Json | undefined {
  const places: (readonly (number | string)[])[] = []
  const visit = (node: Json, path: readonly (number | string)[]): void => {
    places.push(path)
    if (typeof node !== 'object' || node === null) return
    for (const [name, member] of Object.entries(node)) visit(member, [...path, name])
  }
  visit(value, [])
  const path = places[n % places.length]!
  const at = path.at(-1)
  if (at === undefined) return by
  const copy = structuredClone(value) as Json
  let parent = copy as { [name: string]: Json }
  for (const name of path.slice(0, -1)) parent = parent[name] as { [name: string]: Json }
  if (by === undefined && !Array.isArray(parent)) delete parent[at]
  else parent[at] = by ?? null
  return copy
}

/** Members of every object in the opposite order. */
function reversed(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  const entries = Object.entries(value).map(([name, member]) => [name, reversed(member)] as const)
  return Object.fromEntries(entries.reverse())
}

const hostileLaw: Law<PluginSubject> = {
  name: 'any payload becomes facts that conform',
  async run({ plugin, samples }) {
    for (const sample of samples) {
      const property = fc.asyncProperty(hostilePayload(sample), async (text) => {
        // What is not UTF-8 never reaches a plugin.
        const payload = Payload.fromBytes(new TextEncoder().encode(text))
        expectConforming(plugin, await ask(plugin, sample, { payload }))
      })
      await fc.assert(property, { numRuns: RUNS })
    }
  },
}

const validLaw: Law<PluginSubject> = {
  name: 'a valid request becomes facts that conform, with the evidence valid',
  async run({ plugin, samples }) {
    expect([...new Set(samples.map(({ action }) => action))].sort()).toEqual(
      [...plugin.actions].sort(),
    )
    for (const sample of samples) {
      const facts = (await ask(plugin, sample)) as Record<string, { readonly check?: string }>
      expectConforming(plugin, facts)
      const fields = Object.entries<FactField>(plugin.schema as Record<string, FactField>)
      for (const [name, { evidence }] of fields)
        if (evidence?.requiredFor.includes(sample.action)) expect(facts[name]?.check).toBe('valid')
    }
  },
}

const orderLaw: Law<PluginSubject> = {
  name: 'the order of members is fixed, whatever the order in the payload',
  async run({ plugin, samples }) {
    for (const sample of samples) {
      const payload = Payload.fromJson(reversed(sample.payload))
      const facts = JSON.stringify(await ask(plugin, sample))
      expect(JSON.stringify(await ask(plugin, sample, { payload }))).toBe(facts)
    }
  },
}

const deterministicLaw: Law<PluginSubject> = {
  name: 'the same request over the same records gives the same facts',
  async run({ plugin, samples }) {
    const once: string[] = []
    for (const sample of samples) once.push(JSON.stringify(await ask(plugin, sample)))
    const again = await Promise.all(samples.map((sample) => ask(plugin, sample)))
    expect(again.map((facts) => JSON.stringify(facts))).toEqual(once)
  },
}

const abortLaw: Law<PluginSubject> = {
  name: 'nothing is read after the signal has aborted',
  async run({ plugin, samples }) {
    for (const sample of samples) {
      const reads = new Reads(sample)
      await expect(ask(plugin, sample, { reads, signal: AbortSignal.abort() })).rejects.toThrow()
      expect(reads.asked).toEqual([])
      const complete = new Reads(sample)
      await ask(plugin, sample, { reads: complete })
      for (let last = 1; last <= complete.asked.length; last++) {
        const abort = new AbortController()
        const cut = new Reads(sample, (count) => {
          if (count === last) abort.abort()
        })
        await ask(plugin, sample, { reads: cut, signal: abort.signal }).catch(() => undefined)
        expect(cut.asked.length).toBe(last)
      }
    }
  },
}

const keysLaw: Law<PluginSubject> = {
  name: 'every key fits the store, and each record is read once',
  async run({ plugin, samples }) {
    for (const sample of samples) {
      const property = fc.asyncProperty(hostilePayload(sample), async (text) => {
        const reads = new Reads(sample)
        const payload = Payload.fromBytes(new TextEncoder().encode(text))
        await ask(plugin, sample, { payload, reads })
        for (const sort of reads.asked) {
          const bytes = new TextEncoder().encode(sort).length
          expect(sort.isWellFormed() && !sort.includes('\0') && bytes > 0 && bytes <= 512).toBe(
            true,
          )
        }
        expect(new Set(reads.asked).size).toBe(reads.asked.length)
      })
      await fc.assert(property, { numRuns: RUNS / 3 })
    }
  },
}

/** Where a plugin could learn what is neither in the request nor in a record. */
const AMBIENT: readonly (readonly [object: object, member: string])[] = [
  [Date, 'now'],
  [Math, 'random'],
  [performance, 'now'],
  [crypto, 'getRandomValues'],
  [globalThis, 'fetch'],
  [process, 'hrtime'],
]

const ambientLaw: Law<PluginSubject> = {
  name: 'it learns nothing but from the request and its reads',
  async run({ plugin, samples }) {
    const touched: string[] = []
    const restore = AMBIENT.map(([object, member]) => {
      const before = Object.getOwnPropertyDescriptor(object, member)
      const trap = (): never => {
        touched.push(member)
        throw new TypeError(`${member} is out of reach`)
      }
      Object.defineProperty(object, member, { configurable: true, writable: true, value: trap })
      return () => {
        if (before) Object.defineProperty(object, member, before)
        else Reflect.deleteProperty(object, member)
      }
    })
    try {
      for (const sample of samples) await ask(plugin, sample).catch(() => undefined)
    } finally {
      for (const undo of restore) undo()
    }
    expect(touched).toEqual([])
  },
}

const namesLaw: Law<PluginSubject> = {
  name: 'actions and effects carry the name of their plugin',
  async run({ plugin }) {
    const own = new RegExp(`^${plugin.name}\\.[a-z][a-z0-9-]{0,63}$`)
    expect(plugin.name).toMatch(/^[a-z][a-z0-9-]{0,31}$/)
    const names = [...plugin.actions, ...Object.keys(plugin.effects ?? {})]
    expect(names.filter((name) => !own.test(name))).toEqual([])
    expect(new Set(plugin.actions).size).toBe(plugin.actions.length)
  },
}

const trustLaw: Law<PluginSubject> = {
  name: 'claims live under the field claimed, and nothing else does',
  async run({ plugin }) {
    const fields = Object.entries<FactField>(plugin.schema as Record<string, FactField>)
    for (const [name, { trust, evidence }] of fields) {
      expect(trust === 'claimed').toBe(name === 'claimed')
      for (const action of evidence?.requiredFor ?? []) expect(plugin.actions).toContain(action)
    }
  },
}

const effectSchemaLaw: Law<PluginSubject> = {
  name: 'every effect has a closed schema that names its kind',
  async run({ plugin, samples }) {
    const kinds = Object.entries(plugin.effects ?? {})
    const proposed = samples.flatMap(({ effects = [] }) => effects)
    expect([...new Set(proposed.map(({ kind }) => kind))].sort()).toEqual(
      kinds.map(([kind]) => kind).sort(),
    )
    for (const effect of proposed) {
      const { schema } = plugin.effects![effect.kind]!
      expect(schema.problem(effect, '')).toBeUndefined()
      expect(schema.problem({ ...effect, surplus: 1 }, '')).toBeDefined()
      expect(schema.problem({ ...effect, kind: 'other.kind' }, '')).toBeDefined()
      const { kind: _, ...kindless } = effect
      expect(schema.problem(kindless, '')).toBeDefined()
    }
  },
}

async function plans(
  plugin: Plugin,
  sample: PluginSample,
): Promise<readonly { readonly plan: EffectPlan; readonly reads: Reads }[]> {
  const reads = new Reads(sample)
  await ask(plugin, sample, { reads })
  const context = {
    decisionId: DECISION,
    now: NOW,
    read: (sort: string) => reads.recorded(sort),
  }
  return (sample.effects ?? []).map((effect) => {
    const kind = plugin.effects![effect.kind]!
    const plan = kind.plan(frozen(structuredClone(effect)), context)
    expect(kind.plan(frozen(structuredClone(effect)), context)).toEqual(plan)
    return { plan, reads }
  })
}

const planLaw: Law<PluginSubject> = {
  name: 'a plan is pure and writes only what facts read guarded, each record once',
  async run({ plugin, samples }) {
    for (const sample of samples) {
      for (const { plan, reads } of await plans(plugin, sample)) {
        const sorts = (plan.writes ?? []).map((write) =>
          'put' in write ? write.put : write.remove,
        )
        for (const sort of sorts)
          if (!sort.endsWith(`/${DECISION}`)) expect(reads.asked).toContain(sort)
        expect(new Set(sorts).size).toBe(sorts.length)
      }
    }
  },
}

/** `"code": "..."`, the one way in which our Rego writes a reason. */
function codesIn(text: string): readonly string[] {
  return [...text.matchAll(/"code":\s*"([a-z][a-z0-9_]*)"/g)].map(([, code]) => code!)
}

function documented(readme: string): readonly string[] {
  const [, section = ''] = /^## Reasons$([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(readme) ?? []
  return [...section.matchAll(/^\| `([a-z][a-z0-9_]*)` \|/gm)].map(([, code]) => code!)
}

const isTest = (path: string): boolean => path.endsWith('_test.rego')

const reasonsLaw: Law<PluginSubject> = {
  name: 'the README lists exactly the reasons that Rego has',
  async run({ readme, rego }) {
    const rules = Object.entries(rego).filter(([path]) => !isTest(path))
    const codes = new Set(rules.flatMap(([, text]) => codesIn(text)))
    expect(codes.size).toBeGreaterThan(0)
    expect([...documented(readme)].sort()).toEqual([...codes].sort())
  },
}

const reachedLaw: Law<PluginSubject> = {
  name: 'every reason is expected by a Rego test',
  async run({ readme, rego }) {
    const tests = Object.entries(rego).filter(([path]) => isTest(path))
    const text = tests.map(([, test]) => test).join('\n')
    expect(documented(readme).filter((code) => !text.includes(`"${code}"`))).toEqual([])
  },
}

export const pluginLaws: readonly Law<PluginSubject>[] = [
  namesLaw,
  trustLaw,
  validLaw,
  hostileLaw,
  orderLaw,
  deterministicLaw,
  abortLaw,
  keysLaw,
  ambientLaw,
  effectSchemaLaw,
  planLaw,
  reasonsLaw,
  reachedLaw,
  ...candidateLaws,
]
