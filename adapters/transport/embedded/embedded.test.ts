import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from '../../../test/conformance/laws.ts'
import { DECISION_ID, FakeKernel, page, RECEIPT } from '../../../test/fake-kernel.ts'
import { createAssay, type Evaluation } from './index.ts'

const asked: Evaluation = {
  subject: { type: 'user', id: 'alice', properties: { department: 'Sales' } },
  action: { name: 'read' },
  resource: { type: 'record', id: 'record-1' },
  context: { tags: ['a', null, 1.5, true] },
}

describe('a call', () => {
  test('is an evaluation, with the kernel\u2019s own decision as the answer', async () => {
    const kernel = new FakeKernel()
    const made = await createAssay(kernel).decide(asked)
    expect([made.allow, made.id, made.index]).toEqual([true, DECISION_ID, '7'])
    expect(await made.receipt()).toBe(RECEIPT)
    const { submission, options } = kernel.dispatches[0]!
    expect(submission.peer).toEqual({ kind: 'embedded', id: 'process' })
    expect(submission.payload.text).toBe(JSON.stringify(asked))
    expect(submission.payload.json()).toEqual(JSON.parse(submission.payload.text))
    expect(options).toEqual({})
  })

  test('ignores members that the model does not name, and an absent context', async () => {
    const kernel = new FakeKernel()
    const { context: _, ...bare } = asked
    await createAssay(kernel).decide({ ...bare, future: () => 1 } as Evaluation)
    await createAssay(kernel).decide({ ...bare, context: undefined } as unknown as Evaluation)
    const texts = kernel.dispatches.map(({ submission }) => submission.payload.text)
    expect(texts).toEqual([JSON.stringify(bare), JSON.stringify(bare)])
  })

  test('carries its options', async () => {
    const kernel = new FakeKernel()
    const assay = createAssay(kernel, { id: 'billing', seal: 'durable' })
    const { signal } = new AbortController()
    const obligations = ['step-up']
    const options = {
      idempotencyKey: 'k',
      obligations,
      seal: 'sealed',
      signal,
      timeoutMs: 9,
    } as const
    await assay.decideAction('access.assign', [1], options)
    await assay.check(asked)
    obligations.push('more')
    expect(kernel.dispatches).toEqual([
      {
        submission: {
          action: 'access.assign',
          payload: kernel.dispatches[0]?.submission.payload,
          peer: { kind: 'embedded', id: 'billing' },
          idempotencyKey: 'k',
          obligations: ['step-up'],
        },
        options: { seal: 'sealed', signal, timeoutMs: 9 },
      },
    ])
    expect(kernel.checks[0]?.submission.peer).toEqual({ kind: 'embedded', id: 'billing' })
    expect(kernel.checks[0]?.options).toEqual({ seal: 'durable' })
  })

  test('hands bytes on as they are, and as they were', async () => {
    const kernel = new FakeKernel()
    const bytes = Buffer.from('{ "a": 1, "a": 2 }')
    const expected = Uint8Array.from(bytes)
    const deciding = createAssay(kernel).decideAction('capability.use', bytes)
    bytes.fill(0)
    await deciding
    expect(Uint8Array.from(kernel.dispatches[0]!.submission.payload.bytes)).toEqual(expected)
  })

  test('fetches a receipt by id', async () => {
    const kernel = new FakeKernel()
    kernel.receipts.set(DECISION_ID, RECEIPT)
    const assay = createAssay(kernel)
    expect(await assay.receipt(DECISION_ID)).toBe(RECEIPT)
    expect(await assay.receipt('f'.repeat(32))).toBeUndefined()
  })

  test('that is over closes the kernel too', async () => {
    const kernel = new FakeKernel()
    const assay = createAssay(kernel)
    await assay.close()
    expect(kernel.closed).toBe(true)
    expect(await refusal(assay.receipt(DECISION_ID))).toBe('closed')
    expect(await refusal(assay.check(asked))).toBe('closed')
  })
})

describe('a search', () => {
  const { action, subject, resource } = asked
  const query = { subject: { type: 'user' }, action, resource }

  test('is an evaluation without what is searched for', async () => {
    const kernel = new FakeKernel()
    kernel.searchScript = async () => page({ results: [{ type: 'user', id: 'ada' }] })
    const assay = createAssay(kernel, { id: 'billing' })
    const options = { limit: 7, obligations: ['log'], seal: 'durable' } as const
    const found = await assay.search('subject', query, options)
    expect(found.results.map(({ id }) => id)).toEqual(['ada'])
    await assay.search('action', { subject, resource, context: { a: 1 } }, { token: 't' })
    const [first, second] = kernel.searches.map(({ options, submission }) => ({
      ...{ ...submission, payload: submission.payload.json() },
      options,
    }))
    const peer = { kind: 'embedded', id: 'billing' }
    expect(first).toEqual({
      action: 'access.evaluate',
      kind: 'subject',
      obligations: ['log'],
      options: { limit: 7, seal: 'durable' },
      payload: query,
      peer,
    })
    expect(second).toEqual({
      action: 'access.evaluate',
      kind: 'action',
      options: { token: 't' },
      payload: { subject, resource, context: { a: 1 } },
      peer,
    })
  })

  test('of all asks for the next page when the last one is used up', async () => {
    const kernel = new FakeKernel()
    const pages = [['a', 'b'], [], ['c']]
    kernel.searchScript = async (_, n) =>
      page({
        nextToken: n < pages.length ? `page ${n + 1}` : '',
        results: pages[n - 1]!.map((name) => ({ name })),
      })
    const names: string[] = []
    const all = createAssay(kernel).searchAll('action', { subject, resource }, { limit: 2 })
    for await (const { name } of all) {
      if (name === 'b') expect(kernel.searches.length).toBe(1)
      names.push(name)
    }
    expect(names).toEqual(['a', 'b', 'c'])
    const asked = kernel.searches.map(({ options }) => options)
    expect(asked).toEqual([
      { limit: 2 },
      { limit: 2, token: 'page 2' },
      { limit: 2, token: 'page 3' },
    ])
  })

  test('is refused when it is not plain data, or after the end', async () => {
    const kernel = new FakeKernel()
    const assay = createAssay(kernel)
    const context = { at: new Date(0) }
    expect(await refusal(assay.search('subject', { ...query, context }))).toBe('malformed')
    await assay.close()
    expect(await refusal(assay.search('subject', query))).toBe('closed')
    expect(kernel.searches).toEqual([])
  })
})

describe('what is not plain data', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const loop: unknown[] = []
  loop.push(loop)
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })
  let reads = 0
  const getter = {
    get role() {
      reads++
      return reads > 1 ? 'admin' : 'viewer'
    },
  }

  test.each<[name: string, value: unknown]>([
    ['a cycle', cycle],
    ['a cycle of arrays', loop],
    ['33 levels', nested(33)],
    ['a getter', getter],
    ['a setter', { set role(_: string) {} }],
    ['a getter in an array', Object.defineProperty([1], 0, { get: () => 1 })],
    ['a BigInt', { n: 1n }],
    ['a function', { toJSON: () => 'admin' }],
    ['a symbol', { s: Symbol('s') }],
    ['undefined', { role: undefined }],
    ['undefined in an array', [undefined]],
    ['a hole', new Array(3)],
    ['a date', { at: new Date(0) }],
    ['a map', new Map([['a', 1]])],
    ['a boxed string', Object('x')],
    ['an object of a class', new (class Role {})()],
    ['NaN', { n: Number.NaN }],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['a number beyond 2^53-1', { n: 2 ** 53 }],
    ['half a surrogate pair', { s: '\ud800' }],
    ['half a surrogate pair in a name', { '\udc00': 1 }],
  ])('%s is refused', async (_, value) => {
    const kernel = new FakeKernel()
    const assay = createAssay(kernel)
    const properties = value as Record<string, unknown>
    expect(await refusal(assay.decide({ ...asked, context: { value } }))).toBe('malformed')
    expect(
      await refusal(assay.check({ ...asked, subject: { type: 'a', id: 'b', properties } })),
    ).toBe('malformed')
    expect(await refusal(assay.decideAction('a.b', value))).toBe('malformed')
    expect(kernel.dispatches).toEqual([])
    expect(kernel.checks).toEqual([])
    expect(reads).toBe(0)
  })

  test('a getter among the evaluation\u2019s own members is refused', async () => {
    const evaluation = {
      ...asked,
      get subject(): Evaluation['subject'] {
        throw new Error('read')
      },
    }
    expect(await refusal(createAssay(new FakeKernel()).decide(evaluation))).toBe('malformed')
  })

  test('bytes that are not UTF-8 are refused', async () => {
    const assay = createAssay(new FakeKernel())
    expect(await refusal(assay.decideAction('a.b', Uint8Array.of(0xff)))).toBe('malformed')
  })

  test('a message holds nothing of the data', async () => {
    const context = { 'secret name': { 'hunter2\ud800': 1 } }
    const error = await createAssay(new FakeKernel())
      .decide({ ...asked, context })
      .catch(String)
    expect(error).toMatch(/^NoDecision: /)
    expect(error).not.toMatch(/secret|hunter2/)
  })
})

describe('what is plain data', () => {
  test('32 levels are read', async () => {
    const kernel = new FakeKernel()
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
    await createAssay(kernel).decideAction('a.b', nested(32))
    expect(kernel.dispatches.length).toBe(1)
  })

  test('objects without a prototype, and members with odd names, are themselves', async () => {
    const kernel = new FakeKernel()
    const odd = Object.assign(
      Object.create(null),
      JSON.parse('{"__proto__":{"admin":true},"constructor":1}'),
    )
    await createAssay(kernel).decideAction('a.b', odd)
    const { payload } = kernel.dispatches[0]!.submission
    expect(payload.text).toBe('{"__proto__":{"admin":true},"constructor":1}')
    expect(Object.keys(payload.json() as object)).toEqual(['__proto__', 'constructor'])
    expect((payload.json() as { admin?: unknown }).admin).toBeUndefined()
  })

  test('every JSON value arrives as JSON.stringify has it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 8 }), async (value) => {
        const text = JSON.stringify(value)
        fc.pre(text.isWellFormed() && !/\\ud[89a-f]/.test(text) && safe(value))
        const kernel = new FakeKernel()
        await createAssay(kernel).decideAction('a.b', value)
        const { payload } = kernel.dispatches[0]!.submission
        expect(payload.text).toBe(text)
        expect(JSON.stringify(payload.json())).toBe(text)
      }),
    )
  })
})

function safe(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER
  return typeof value !== 'object' || value === null || Object.values(value).every(safe)
}
