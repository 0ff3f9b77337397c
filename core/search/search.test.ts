import { describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../adapters/clock/system.ts'
import { refusal } from '../../test/conformance/laws.ts'
import type { KitOptions, NoteFacts, PolicyFunction } from '../../test/kernel/kit.ts'
import { ALLOW, bundle, DENY, functionEngine, kit, notePlugin } from '../../test/kernel/kit.ts'
import type { Json } from '../json.ts'
import type { SearchSubmission } from '../kernel.ts'
import type { Candidates, Effect, EffectContext, EffectPlan, Plugin } from '../plugin.ts'
import type { Engine } from '../ports/engine.ts'
import { Payload } from '../request.ts'
import { schema } from '../schema.ts'

/** Items lie under `item/<name>`: whether they are open is in the record. */
const about = (name: string): Payload => Payload.fromJson({ item: name })
const candidates: NonNullable<Plugin['candidates']> = async (query, after, limit, read) => {
  const { bad } = query.payload.json() as { bad?: boolean }
  if (bad) return { malformed: '/bad: expected nothing' }
  const unused = about(query.unused)
  if (query.kind === 'action') {
    const items = query.actions.map((name) => ({
      entity: { id: name },
      cursor: name,
      payload: about(name),
    }))
    return { items, unused }
  }
  const rows = await read.page('item/', after, Math.min(limit, 3))
  const items = rows.map(({ sort }) => {
    const name = sort.slice('item/'.length)
    return { entity: { id: name }, cursor: sort, payload: about(name) }
  })
  const next = rows.length === 3 ? rows.at(-1)?.sort : undefined
  return { items, unused, ...(next === undefined ? {} : { next }) }
}

type Facts = Plugin<NoteFacts>['facts']
const itemFacts: Facts = async ({ action, payload }, read) => {
  const said = payload.json() as { item?: string; items?: readonly string[] }
  const names = said.items ?? [said.item ?? '']
  const records = await Promise.all(names.map((name) => read.get(`item/${name}`)))
  const record = action === 'note.read' ? (records[0] ?? null) : records.map((item) => item ?? null)
  return { claimed: said as Json, evidence: { check: 'valid' }, record }
}

/** `note.write` opens and closes items, each the other way round. */
const swap = {
  onDeny: false,
  schema: schema.object({
    kind: schema.literal('note.swap'),
    items: schema.array(schema.string(), { maxItems: 100 }),
  }),
  plan: ({ items }: Effect, { read }: EffectContext): EffectPlan => ({
    writes: (items as readonly string[]).map((name) => {
      const { open } = (read(`item/${name}`) ?? { open: false }) as { open: boolean }
      return { put: `item/${name}`, value: { open: !open } }
    }),
  }),
}

const policy: PolicyFunction = ({ facts, request }) => {
  const { items } = facts.claimed as { items?: Json }
  if (request.action === 'note.write') return { ...ALLOW, effects: [{ kind: 'note.swap', items }] }
  const { record } = facts
  return (record as { open?: boolean } | null)?.open === true ? ALLOW : DENY
}

/** Knows the action `read`, and gives them to whoever asks for them. */
function engineOf(decide: PolicyFunction, actions: Json = ['b', 'a', 'b']): Engine {
  const engine = functionEngine(decide)
  return {
    ...engine,
    async load(loaded) {
      const inner = await engine.load(loaded)
      return {
        ...inner,
        entrypoints: [...inner.entrypoints, 'assay/note/actions'],
        evaluate: (entrypoint, input) =>
          entrypoint === 'assay/note/actions' ? actions : inner.evaluate(entrypoint, input),
      }
    },
  }
}

function shelfPlugin(part: Partial<Plugin<NoteFacts>> = {}): Plugin<NoteFacts> {
  return notePlugin({ facts: itemFacts, candidates, effects: { 'note.swap': swap }, ...part })
}

async function shelf(open: readonly string[], closed: readonly string[], options: KitOptions = {}) {
  const made = await kit({ engine: engineOf(policy), plugin: shelfPlugin(), ...options })
  const write = (items: readonly string[]) =>
    made.kernel.decide({ action: 'note.write', payload: Payload.fromJson({ items }) })
  if (open.length > 0) await write(open)
  if (closed.length > 0) for (const _ of [1, 2]) await write(closed)
  return { ...made, write }
}

const asked: SearchSubmission = {
  action: 'note.read',
  kind: 'resource',
  payload: Payload.fromJson({ of: 'shelf' }),
}
const ids = (results: readonly Json[]): readonly string[] =>
  results.map((entity) => (entity as { id: string }).id)

const LETTERS = [...'abcdefghij']

describe('a search', () => {
  test('finds what a decision allows, and nothing else', async () => {
    const { kernel } = await shelf(['a', 'd', 'e'], ['b', 'c'])
    const { results, nextToken } = await kernel.search(asked)
    expect(results).toEqual([{ id: 'a' }, { id: 'd' }, { id: 'e' }])
    expect(nextToken).toBe('')
  })

  test('is one leaf, whose receipt opens what was asked and what was found', async () => {
    const { kernel, leaves } = await shelf(['a'], ['b'])
    const before = (await leaves()).length
    const peer = { kind: 'user', id: 'ada' }
    const { id, index, receipt, seal } = await kernel.search({
      ...asked,
      peer,
      obligations: ['log'],
    })
    expect(seal).toBe('sealed')
    expect(index).toBe(String(before))
    const all = await leaves()
    expect(all.length).toBe(before + 1)
    expect(all.at(-1)).toMatchObject({
      type: 'assay.decision/v1',
      id,
      action: 'note.search-resource',
      allow: true,
      reasons: [{ code: 'kernel/searched', rule: 'kernel/searched' }],
      policy: bundle().digest,
    })
    const { openings = {} } = await receipt()
    const opened = (field: string): Json => JSON.parse(openings[field]?.json ?? 'null') as Json
    expect(Object.keys(openings).sort()).toEqual(['output', 'payload', 'request'])
    expect(opened('request')).toEqual({
      action: 'note.read',
      kind: 'resource',
      obligations: ['log'],
      peer,
    })
    expect(opened('payload')).toBe(asked.payload.text)
    expect(opened('output')).toEqual({
      candidates: 2,
      page: { continued: false, limit: null, more: false },
      results: [{ id: 'a' }],
    })
    expect(await kernel.receipt(id)).toEqual(await receipt())
  })

  test('performs no effect of what it would allow', async () => {
    const { kernel, store } = await shelf(['a'], [], {
      engine: engineOf((args) =>
        args.request.action === 'note.read'
          ? { ...ALLOW, effects: [{ kind: 'note.swap', items: ['a'] }] }
          : policy(args),
      ),
      plugin: shelfPlugin({
        candidates: async (...query) => ({
          ...((await candidates(...query)) as Candidates),
          unused: Payload.fromJson({}),
        }),
        facts: async (request, read, ...rest) => {
          const facts = await itemFacts(request, read, ...rest)
          return request.payload.text === '{}' ? { ...facts, evidence: { check: 'wrong' } } : facts
        },
      }),
    })
    const before = await store.get({ partition: 'note', sort: 'item/a' })
    expect((await kernel.search(asked)).results).toEqual([{ id: 'a' }])
    expect((await store.get({ partition: 'note', sort: 'item/a' }))?.version).toBe(before?.version)
  })

  test('leaves out what the floor denies: evidence, and obligations that the caller did not declare', async () => {
    const bound = { id: 'o', type: 'log' }
    const { kernel } = await shelf(['a', 'b'], [], {
      engine: engineOf((args) => {
        const { item } = args.facts.claimed as { item?: string }
        const verdict = policy(args) as typeof ALLOW
        return item === 'b' ? { ...verdict, obligations: [bound] } : verdict
      }),
    })
    expect(ids((await kernel.search(asked)).results)).toEqual(['a'])
    const { results } = await kernel.search({ ...asked, obligations: ['log'] })
    expect(results).toEqual([{ id: 'a' }, { id: 'b', obligations: [{ ...bound, properties: {} }] }])
  })

  test('of actions asks about those that the policy names, each once, in order', async () => {
    const { kernel } = await shelf(['a', 'b'], ['c'])
    expect(ids((await kernel.search({ ...asked, kind: 'action' })).results)).toEqual(['a', 'b'])
  })
})

describe('pages', () => {
  test('of every size make up the whole, and the last one has no token', async () => {
    const { kernel } = await shelf(['a', 'c', 'd', 'g', 'j'], ['b', 'e', 'f', 'h', 'i'])
    const whole = ids((await kernel.search(asked)).results)
    for (let limit = 1; limit <= 6; limit++) {
      const found: string[] = []
      const sizes: number[] = []
      let token: string | undefined
      do {
        const page = await kernel.search(asked, token === undefined ? { limit } : { token })
        found.push(...ids(page.results))
        sizes.push(page.results.length)
        token = page.nextToken || undefined
      } while (token !== undefined)
      expect(found).toEqual(whole)
      expect(sizes.length).toBe(Math.ceil(5 / limit))
    }
  })

  test('go on from where they ended, whatever changed before that place', async () => {
    const { kernel, write } = await shelf(['a', 'c', 'e'], [])
    const first = await kernel.search(asked, { limit: 2 })
    await write(['a', 'b', 'd'])
    const { results } = await kernel.search(asked, { token: first.nextToken })
    expect(ids(results)).toEqual(['d', 'e'])
  })

  test('are for one search, caller, limit and policy', async () => {
    const { kernel } = await shelf(LETTERS, [])
    const { nextToken: token } = await kernel.search(asked, { limit: 2 })
    const ask = (part: Partial<SearchSubmission>, options: object = {}) =>
      refusal(kernel.search({ ...asked, ...part }, { token, ...options }))
    expect(await ask({ peer: { kind: 'user', id: 'ada' } })).toBe('invalid_page_token')
    expect(await ask({ kind: 'subject' })).toBe('invalid_page_token')
    expect(await ask({ action: 'note.sign' })).toBe('invalid_page_token')
    expect(await ask({ payload: about('x') })).toBe('invalid_page_token')
    expect(await ask({ obligations: ['log'] })).toBe('invalid_page_token')
    expect(await ask({}, { limit: 3 })).toBe('invalid_page_token')
    expect(await ask({}, { token: '' })).toBe('invalid_page_token')
    expect(await ask({}, { token: token.slice(1) })).toBe('invalid_page_token')
    expect(await ask({}, { token: 'A'.repeat(10_000) })).toBe('invalid_page_token')
    expect(ids((await kernel.search(asked, { token, limit: 2 })).results)).toEqual(['c', 'd'])
    await kernel.activate(bundle('b'))
    expect(await ask({})).toBe('invalid_page_token')
  })

  test('cannot be made or changed by anybody else: every bit of a token counts', async () => {
    const { kernel } = await shelf(LETTERS, [])
    const { nextToken } = await kernel.search(asked, { limit: 1 })
    const bytes = Buffer.from(nextToken, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      const token = changed.toString('base64url')
      expect(await refusal(kernel.search(asked, { token }))).toBe('invalid_page_token')
    }
  })

  test('say nothing of the cursor, and differ each time', async () => {
    const { kernel } = await shelf(['a', 'secret-name', 'z'], [])
    const tokens = [1, 2].map(async () => (await kernel.search(asked, { limit: 2 })).nextToken)
    const [one = '', two = ''] = await Promise.all(tokens)
    expect(one).not.toBe(two)
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toMatch(/secret|item/)
  })

  test('are good in another process on the same store', async () => {
    const { kernel, log, store } = await shelf(LETTERS, [])
    const { nextToken } = await kernel.search(asked, { limit: 8 })
    const other = await kit({ engine: engineOf(policy), plugin: shelfPlugin(), log, store })
    const { results } = await other.kernel.search(asked, { token: nextToken })
    expect(ids(results)).toEqual(['i', 'j'])
  })
})

describe('a search that cannot be answered in full', () => {
  const limits = { searchBudget: 5 }

  test('has no short list: over its budget there is none, and no leaf', async () => {
    const { kernel, leaves } = await shelf(['a', 'f'], ['b', 'c', 'd', 'e'], { limits })
    const before = (await leaves()).length
    expect(await refusal(kernel.search(asked))).toBe('search_budget')
    expect(await refusal(kernel.search(asked, { limit: 1 }))).toBe('search_budget')
    expect((await leaves()).length).toBe(before)
  })

  test('is answered at its budget', async () => {
    const { kernel } = await shelf(['a'], ['b', 'c', 'd', 'e'], { limits })
    expect(ids((await kernel.search(asked)).results)).toEqual(['a'])
  })

  test('ends when what was found does not fit into one leaf\u2019s openings', async () => {
    const { kernel, store } = await shelf(
      LETTERS.map((letter) => letter.repeat(100)),
      [],
    )
    Object.defineProperty(store, 'maxValueBytes', { value: 1200 })
    expect(await refusal(kernel.search(asked))).toBe('search_budget')
    expect((await kernel.search(asked, { limit: 3 })).results.length).toBe(3)
  })

  test('ends when names that no index has are permitted', async () => {
    const { kernel } = await shelf(['a'], [], { engine: engineOf(() => ALLOW) })
    expect(await refusal(kernel.search(asked))).toBe('not_searchable')
    expect(await refusal(kernel.search({ ...asked, kind: 'action' }))).toBe('not_searchable')
  })

  test('ends where nothing lists what may be found', async () => {
    const { candidates: _, ...plugin } = shelfPlugin()
    const { kernel } = await shelf([], [], { plugin })
    expect(await refusal(kernel.search(asked))).toBe('not_searchable')
    expect(await refusal(kernel.search({ ...asked, action: 'other.act' }))).toBe('not_searchable')
  })

  test.each<[string, Engine]>([
    ['the policy names no actions', functionEngine(policy)],
    ['the policy names no set', engineOf(policy, { a: true })],
    ['the policy names what is no name', engineOf(policy, ['a', 1])],
  ])('ends where %s, for actions alone', async (_, engine) => {
    const { kernel } = await shelf(['a'], [], { engine })
    expect(await refusal(kernel.search({ ...asked, kind: 'action' }))).toBe('not_searchable')
    expect(ids((await kernel.search(asked)).results)).toEqual(['a'])
  })

  test('ends without a policy', async () => {
    const { kernel } = await kit({ plugin: shelfPlugin(), activate: false })
    expect(await refusal(kernel.search(asked))).toBe('unavailable')
  })

  test.each<[string, Partial<Plugin<NoteFacts>>, string]>([
    [
      'facts cannot be gathered',
      { facts: () => Promise.reject(new Error('broken')) },
      'unavailable',
    ],
    [
      'facts do not conform',
      { facts: async () => ({ record: 1 }) as unknown as NoteFacts },
      'unavailable',
    ],
    ['facts never come', { facts: () => new Promise<never>(() => {}) }, 'search_budget'],
    ['candidates never come', { candidates: () => new Promise<never>(() => {}) }, 'search_budget'],
    ['listing throws', { candidates: () => Promise.reject(new Error('broken')) }, 'unavailable'],
    [
      'candidates are out of order',
      {
        candidates: async () => ({
          items: ['b', 'a'].map((name) => ({
            entity: { id: name },
            cursor: name,
            payload: about(name),
          })),
          unused: about('?'),
        }),
      },
      'unavailable',
    ],
    [
      'the list never ends',
      {
        candidates: async () => ({
          items: [{ entity: { id: 'a' }, cursor: 'a', payload: about('a') }],
          next: 'a',
          unused: about('?'),
        }),
      },
      'unavailable',
    ],
    [
      'a page leads nowhere',
      { candidates: async () => ({ items: [], next: 'a', unused: about('?') }) },
      'unavailable',
    ],
  ])('ends when %s', async (_, part, code) => {
    const { kernel } = await kit({ engine: engineOf(policy), plugin: shelfPlugin(part) })
    expect(await refusal(kernel.search(asked, { timeoutMs: 60 }))).toBe(code)
  })

  test('ends when the policy breaks on a candidate', async () => {
    const { kernel } = await shelf(['a', 'b'], [], {
      engine: engineOf((args) => {
        if ((args.facts.claimed as { item?: string }).item === 'b') throw new Error('broken')
        return policy(args)
      }),
    })
    expect(await refusal(kernel.search(asked))).toBe('unavailable')
  })

  test.each<[string, object, object]>([
    ['another kind', { kind: 'thing' }, {}],
    ['a query that the plugin cannot read', { payload: Payload.fromJson({ bad: true }) }, {}],
    ['a limit of 0', {}, { limit: 0 }],
    ['a limit over 1,000', {}, { limit: 1001 }],
    ['half a limit', {}, { limit: 1.5 }],
    ['a token that is no text', {}, { token: 1 }],
    ['an action that is none', { action: 'x' }, {}],
  ])('is malformed with %s', async (_, part, options) => {
    const { kernel } = await shelf(['a'], [])
    const submission = { ...asked, ...part } as SearchSubmission
    expect(await refusal(kernel.search(submission, options))).toBe('malformed')
  })

  test('is counted', async () => {
    const limits = { windowMs: 20 }
    const { kernel, leaves } = await shelf(['a'], [], { engine: engineOf(() => ALLOW), limits })
    expect(await refusal(kernel.search(asked))).toBe('not_searchable')
    await vi.waitFor(async () =>
      expect((await leaves()).at(-1)).toMatchObject({
        type: 'assay.counts/v1',
        kind: 'refused',
        counts: [{ source: 'search', code: 'not_searchable', count: 1 }],
      }),
    )
  })
})

describe('a search among others', () => {
  const invariant = (found: readonly string[]): void => expect(found.length).toBe(1)

  /** Swaps a and b whenever a candidate was read, `times` in all. */
  async function swapping(times: number, options: KitOptions = {}) {
    let left = 0
    let write: (items: readonly string[]) => Promise<unknown> = async () => undefined
    const made = await shelf(['a'], ['b'], {
      plugin: shelfPlugin({
        facts: async (request, ...rest) => {
          const facts = await itemFacts(request, ...rest)
          if (request.action === 'note.read' && left-- > 0) await write(['a', 'b'])
          return facts
        },
      }),
      ...options,
    })
    write = made.write
    left = times
    return made
  }

  test.each([1, 2, 3, 4, 5])(
    'sees one instant, however it changes meanwhile (%i times)',
    async (times) => {
      const { kernel } = await swapping(times)
      invariant(ids((await kernel.search(asked)).results))
    },
  )

  test('ends when what it rests on never stands still', async () => {
    const { kernel } = await swapping(Number.POSITIVE_INFINITY, { limits: { maxAttempts: 3 } })
    expect(await refusal(kernel.search(asked))).toBe('overloaded')
  })

  test('sees what came, and what went, as of one instant', async () => {
    let step = Number.NEGATIVE_INFINITY
    const made = await shelf(['a', 'c'], [], {
      plugin: shelfPlugin({
        facts: async (request, ...rest) => {
          const facts = await itemFacts(request, ...rest)
          if (request.action === 'note.read' && step++ === 2) await made.write(['b'])
          return facts
        },
      }),
    })
    step = 0
    expect(ids((await made.kernel.search(asked)).results)).toEqual(['a', 'b', 'c'])
  })

  test('keeps the policy that it began with', async () => {
    let swapped = false
    const made = await shelf(['a', 'b', 'c'], [], {
      plugin: shelfPlugin({
        facts: async (request, ...rest) => {
          if (request.action === 'note.read' && !swapped) {
            swapped = true
            await made.kernel.activate(bundle('b'))
          }
          return itemFacts(request, ...rest)
        },
      }),
    })
    const { receipt, results } = await made.kernel.search(asked)
    expect(ids(results)).toEqual(['a', 'b', 'c'])
    expect(JSON.parse((await receipt()).leaf)).toMatchObject({ policy: bundle('a').digest })
  })

  test('is refused when as many as may be are under way; decisions are not', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const made = await shelf(['a'], [], {
      limits: { maxSearches: 1 },
      plugin: shelfPlugin({
        candidates: async (...query) => {
          await held
          return candidates(...query)
        },
      }),
    })
    const first = made.kernel.search(asked)
    expect(await refusal(made.kernel.search(asked))).toBe('overloaded')
    expect((await made.write(['b'])).allow).toBe(true)
    release()
    expect(ids((await first).results)).toEqual(['a', 'b'])
    expect((await made.kernel.search(asked)).results.length).toBe(2)
  })

  test('lets others have their turn', async () => {
    const names = Array.from({ length: 90 }, (_, i) => `n${String(i).padStart(3, '0')}`)
    const made = await shelf(names, [], {
      engine: engineOf((args) => {
        if (args.request.action === 'note.read')
          for (const end = performance.now() + 1; performance.now() < end; );
        return policy(args)
      }),
      clock: systemClock,
    })
    let turns = 0
    let searching = true
    const count = (): void => {
      turns++
      if (searching) setImmediate(count)
    }
    setImmediate(count)
    await made.kernel.search(asked)
    searching = false
    expect(turns).toBeGreaterThan(10)
  })

  test('ends when its caller gives up, without a leaf', async () => {
    const abort = new AbortController()
    const made = await shelf(['a', 'b'], [], {
      plugin: shelfPlugin({
        facts: async (request, ...rest) => {
          if (request.action === 'note.read') abort.abort()
          return itemFacts(request, ...rest)
        },
      }),
    })
    const before = (await made.leaves()).length
    expect(await refusal(made.kernel.search(asked, { signal: abort.signal }))).toBe('aborted')
    expect((await made.leaves()).length).toBe(before)
  })
})
