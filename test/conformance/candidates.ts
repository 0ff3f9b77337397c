/** What the kernel counts on when a plugin lists what a search may find. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import type {
  CandidateReads,
  Candidates,
  FactField,
  MalformedQuery,
  Plugin,
  Query,
  SearchKind,
} from '../../core/plugin.ts'
import { Payload } from '../../core/request.ts'
import { compareUtf8 } from '../../core/storage.ts'
import type { Law } from './laws.ts'
import type { PluginSubject } from './plugin.ts'

/** A query and everything that it finds before any rule is asked. */
export interface SearchSample {
  readonly action: string
  readonly kind: SearchKind
  readonly payload: Json
  readonly actions?: readonly string[]
  readonly records: Readonly<Record<string, Json>>
  readonly entities: readonly Json[]
}

const UNUSED = '00112233445566778899aabbccddeeff'
const LARGEST = 256

function readsOf(records: SearchSample['records']): CandidateReads {
  const sorts = Object.keys(records).sort(compareUtf8)
  return {
    get: async (sort) => records[sort],
    page: async (prefix, after, limit) =>
      sorts
        .filter((sort) => sort.startsWith(prefix) && compareUtf8(sort, after ?? '') > 0)
        .slice(0, limit)
        .map((sort) => ({ sort, value: records[sort]! })),
  }
}

async function ask(
  plugin: Plugin,
  { action, actions = [], kind, payload, records }: SearchSample,
  after?: string,
  limit = LARGEST,
  text = JSON.stringify(payload),
): Promise<Candidates | MalformedQuery> {
  const bytes = new TextEncoder().encode(text)
  const query: Query = { action, actions, kind, payload: Payload.fromBytes(bytes), unused: UNUSED }
  const found = await plugin.candidates?.(query, after, limit, readsOf(records))
  if (found === undefined) throw new Error(`${plugin.name} lists no candidates`)
  return found
}

async function list(...asked: Parameters<typeof ask>): Promise<Candidates> {
  const found = await ask(...asked)
  if ('malformed' in found) throw new Error(found.malformed)
  return found
}

/** A plugin that can be searched has samples of it. */
function searchesOf({ plugin, searches = [] }: PluginSubject): readonly SearchSample[] {
  expect(searches.length > 0).toBe(plugin.candidates !== undefined)
  return searches
}

const completeLaw: Law<PluginSubject> = {
  name: 'candidates are everything that the records or the policy know',
  async run(subject) {
    for (const sample of searchesOf(subject)) {
      const { items, next } = await list(subject.plugin, sample)
      const texts = (entities: readonly Json[]): readonly string[] =>
        entities.map((entity) => canonicalJson(entity)).sort()
      expect(texts(items.map(({ entity }) => entity))).toEqual(texts(sample.entities))
      expect(next).toBeUndefined()
    }
  },
}

const pagesLaw: Law<PluginSubject> = {
  name: 'candidates have rising cursors, and pages of any size go on where the last one ended',
  async run(subject) {
    const { plugin } = subject
    for (const sample of searchesOf(subject)) {
      const whole = (await list(plugin, sample)).items
      for (let limit = 1; limit <= whole.length + 1; limit++) {
        const paged = []
        let after: string | undefined
        do {
          const { items, next } = await list(plugin, sample, after, limit)
          expect(items.length).toBeLessThanOrEqual(limit)
          for (const { cursor } of items) {
            expect(compareUtf8(cursor, after ?? '')).toBeGreaterThan(0)
            expect(cursor.length).toBeLessThanOrEqual(512)
            after = cursor
          }
          if (next !== undefined) expect(next).toBe(items.at(-1)?.cursor)
          paged.push(...items)
          after = next
        } while (after !== undefined)
        expect(paged.map(({ entity }) => entity)).toEqual(whole.map(({ entity }) => entity))
      }
    }
  },
}

const askableLaw: Law<PluginSubject> = {
  name: 'what is asked about a candidate is a valid request, each a different one',
  async run(subject) {
    const { plugin } = subject
    for (const sample of searchesOf(subject)) {
      const { items, unused } = await list(plugin, sample)
      const payloads = [...items.map(({ payload }) => payload), unused]
      expect(new Set(payloads.map(({ text }) => text)).size).toBe(items.length + 1)
      expect(unused.text).toContain(UNUSED)
      for (const payload of payloads) await expectValid(plugin, sample, payload)
    }
  },
}

async function expectValid(plugin: Plugin, sample: SearchSample, payload: Payload): Promise<void> {
  const { action, records } = sample
  const peer = { kind: 'anonymous', id: 'anonymous' }
  const facts = (await plugin.facts(
    { action, payload, peer, obligations: [] },
    {
      ...readsOf(records),
      getFrom: async () => undefined,
      listGuarded: async () => [],
      snapshot: async (sort) => ({ value: records[sort], revision: '1' }),
      decided: async () => undefined,
    },
    1_800_000_000,
    new AbortController().signal,
  )) as Readonly<Record<string, { readonly check?: string }>>
  for (const [name, field] of Object.entries<FactField>(
    plugin.schema as Record<string, FactField>,
  )) {
    expect(field.schema.problem(facts[name], `/${name}`)).toBeUndefined()
    if (field.evidence?.requiredFor.includes(action)) expect(facts[name]?.check).toBe('valid')
  }
}

const hostileLaw: Law<PluginSubject> = {
  name: 'any query is either listed or malformed, and one that says nothing is malformed',
  async run(subject) {
    const { plugin } = subject
    for (const sample of searchesOf(subject)) {
      const secret = 'secret-text-of-the-caller'
      for (const text of ['', 'null', '[]', '{}', '{"a":1,"a":2}', `{"${secret}":"${secret}"`]) {
        const found = await ask(plugin, sample, undefined, LARGEST, text)
        expect(Object.keys(found)).toEqual(['malformed'])
        expect(JSON.stringify(found)).not.toContain(secret)
      }
      const property = fc.asyncProperty(fc.json(), async (text) => {
        const found = await ask(plugin, sample, undefined, LARGEST, text)
        expect('malformed' in found || Array.isArray(found.items)).toBe(true)
      })
      await fc.assert(property, { numRuns: 50 })
    }
  },
}

export const candidateLaws: readonly Law<PluginSubject>[] = [
  completeLaw,
  pagesLaw,
  askableLaw,
  hostileLaw,
]
