import { describe, expect, test } from 'vitest'
import { NoDecision, type NoDecisionCode } from '../../../core/error.ts'
import { DECISION_ID, FakeKernel, page, RECEIPT } from '../../../test/fake-kernel.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'

const alice = { type: 'user', id: 'alice' }
const record = { type: 'record', id: 'record-1' }
const read = { name: 'read' }
const KINDS = {
  subject: { subject: { type: 'user' }, action: read, resource: record },
  resource: { subject: alice, action: read, resource: { type: 'record' } },
  action: { subject: alice, resource: record },
} as const
type Kind = keyof typeof KINDS
const kinds = Object.keys(KINDS) as Kind[]
const at = (kind: Kind): string => `/access/v1/search/${kind}`

/** A kernel that finds these. */
function finding(part: Parameters<typeof page>[0] = {}): FakeKernel {
  const kernel = new FakeKernel()
  kernel.searchScript = async () => page(part)
  return kernel
}

describe.each(lanes)('a search through $name', (lane) => {
  test.each(kinds)('for a %s is answered with its results alone', async (kind) => {
    const results = [{ type: 'user', id: 'alice' }]
    const kernel = finding({ results })
    await lane.with(kernel, async (ask) => {
      const response = await ask(at(kind), posted(KINDS[kind]))
      expect([response.status, await response.text()]).toEqual([200, JSON.stringify({ results })])
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('x-decision-id')).toBe(DECISION_ID)
    })
    const { submission, options } = kernel.searches[0]!
    expect(submission).toEqual({
      kind,
      action: 'access.evaluate',
      payload: submission.payload,
      peer: { kind: 'anonymous', id: 'anonymous' },
    })
    expect(submission.payload.text).toBe(JSON.stringify(KINDS[kind]))
    expect(Object.keys(options)).toEqual(['signal'])
    expect(kernel.dispatches).toEqual([])
  })

  test('ignores what names the one that is searched for, and what nobody defines', async () => {
    const kernel = finding()
    const more = { id: 'bob', properties: { role: 'admin' } }
    const tuple = { subject: alice, action: read, resource: record, foo: 'bar' }
    await lane.with(kernel, async (ask) => {
      await ask(at('subject'), posted({ ...tuple, subject: { ...more, type: 'user' } }))
      await ask(at('resource'), posted({ ...tuple, resource: { ...more, type: 'record' } }))
      await ask(at('action'), posted({ ...tuple, action: 7, page: null, context: null }))
    })
    const texts = kernel.searches.map(({ submission }) => submission.payload.text)
    expect(texts).toEqual(kinds.map((kind) => JSON.stringify(KINDS[kind])))
  })

  test('hands on properties of the others and the context', async () => {
    const kernel = finding()
    const full = {
      subject: { ...alice, properties: { role: 'admin' } },
      resource: { ...record, properties: { status: 'archived' } },
      context: { ip: '10.0.0.1' },
    }
    await lane.with(kernel, async (ask) => {
      await ask(at('action'), posted(full))
    })
    expect(kernel.searches[0]?.submission.payload.json()).toEqual(full)
  })

  test('comes in pages where they are asked for, and where there is more', async () => {
    const pages = [
      page({ results: [alice], nextToken: 't1' }),
      page({ results: [], nextToken: '' }),
      page({ results: [alice], nextToken: 't2' }),
    ]
    const kernel = new FakeKernel()
    kernel.searchScript = async (_, n) => pages[n - 1]!
    const answers: string[] = []
    await lane.with(kernel, async (ask) => {
      for (const asked of [{ limit: 1 }, { token: 't1' }, undefined]) {
        const response = await ask(at('subject'), posted({ ...KINDS.subject, page: asked }))
        answers.push(await response.text())
      }
    })
    const results = JSON.stringify([alice])
    expect(answers).toEqual([
      `{"page":{"next_token":"t1","count":1},"results":${results}}`,
      '{"page":{"next_token":"","count":0},"results":[]}',
      `{"page":{"next_token":"t2","count":1},"results":${results}}`,
    ])
    expect(kernel.searches.map(({ options: { limit, token } }) => [limit, token])).toEqual([
      [1, undefined],
      [undefined, 't1'],
      [undefined, undefined],
    ])
  })

  test('has pages of at most a thousand', async () => {
    const kernel = finding()
    await lane.with(kernel, async (ask) => {
      for (const limit of [1000, 1001, Number.MAX_SAFE_INTEGER])
        await ask(at('action'), posted({ ...KINDS.action, page: { limit, properties: {} } }))
    })
    expect(kernel.searches.map(({ options }) => options.limit)).toEqual([1000, 1000, 1000])
  })

  test('waits, gives up, declares and brings its receipt as an evaluation does', async () => {
    const kernel = finding({ seal: 'committed_unsealed' })
    const wishes = {
      'Assay-Seal': 'durable',
      'Assay-Timeout-Ms': '20',
      'Assay-Obligations': 'log',
      'Assay-Receipt': 'include',
    }
    const context = { supported_obligations: ['step-up', 'unheard-of'] }
    await lane.with(kernel, async (ask) => {
      const response = await ask(at('action'), posted({ ...KINDS.action, context }, wishes))
      expect(response.headers.get('assay-seal')).toBe('committed_unsealed')
      expect(await response.text()).toBe(
        JSON.stringify({ context: { receipt: RECEIPT }, results: [] }),
      )
    })
    const { submission, options } = kernel.searches[0]!
    expect(submission.obligations).toEqual(['log', 'step-up'])
    expect(options).toMatchObject({ seal: 'durable', timeoutMs: 20 })
  })

  test.each<readonly [kind: Kind, body: object]>([
    ['subject', { ...KINDS.subject, subject: undefined }],
    ['subject', { ...KINDS.subject, subject: { id: 'alice' } }],
    ['subject', { ...KINDS.subject, subject: { type: 7 } }],
    ['subject', { ...KINDS.subject, action: undefined }],
    ['subject', { ...KINDS.subject, resource: { type: 'record' } }],
    ['resource', { ...KINDS.resource, subject: { type: 'user' } }],
    ['resource', { ...KINDS.resource, action: { name: null } }],
    ['action', { ...KINDS.action, resource: undefined }],
    ['action', { ...KINDS.action, subject: { type: 'user' } }],
    ['action', { ...KINDS.action, context: [] }],
    ['action', { ...KINDS.action, context: { supported_obligations: 'step-up' } }],
    ['action', { ...KINDS.action, page: [] }],
    ['action', { ...KINDS.action, page: { limit: '1' } }],
    ['action', { ...KINDS.action, page: { limit: 0 } }],
    ['action', { ...KINDS.action, page: { limit: -1 } }],
    ['action', { ...KINDS.action, page: { limit: 1.5 } }],
    ['action', { ...KINDS.action, page: { token: 1 } }],
    ['action', { ...KINDS.action, page: { token: '' } }],
    ['action', { ...KINDS.action, page: { properties: [] } }],
  ])('for a %s is refused when it is %j', async (kind, body) => {
    const kernel = finding()
    await lane.with(kernel, async (ask) => {
      const response = await ask(at(kind), posted(body))
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringMatching(/^invalid_request: /),
      ])
    })
    expect(kernel.searches).toEqual([])
    expect(kernel.refusals).toEqual(['http invalid_request'])
  })

  test.each<readonly [code: NoDecisionCode, status: number]>([
    ['invalid_page_token', 400],
    ['not_searchable', 400],
    ['search_budget', 400],
    ['overloaded', 503],
  ])('that cannot be answered is %s, never a short list', async (code, status) => {
    const kernel = new FakeKernel()
    kernel.searchScript = () => Promise.reject(new NoDecision(code, 'secret'))
    await lane.with(kernel, async (ask) => {
      const response = await ask(at('action'), posted(KINDS.action))
      const text = await response.text()
      expect([response.status, text]).toEqual([status, expect.stringMatching(`^${code}: `)])
      expect(text).not.toContain('secret')
    })
  })
})
