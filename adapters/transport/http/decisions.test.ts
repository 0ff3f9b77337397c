import { describe, expect, test, vi } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import { DECISION_ID, decision, FakeKernel, RECEIPT } from '../../../test/fake-kernel.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'

const DECISIONS = '/assay/v1/decisions'
const unsendable: Readonly<Record<string, unknown>> = {
  'the app': 503,
  'the server': 'the connection ended',
}
const REASON = { code: 'assigned', message: 'ok', rule: 'access.assigned' }

describe.each(lanes)('a decision of any action through $name', (lane) => {
  test('comes back whole', async () => {
    const obligations = [{ id: 'o', type: 'notification' }]
    const part = {
      reasons: [REASON],
      obligations,
      output: { role: 'editor' },
      seal: 'durable' as const,
    }
    const kernel = new FakeKernel(async () => decision(part))
    await lane.with(kernel, async (ask) => {
      const body = { action: 'access.assign', payload: ['alice', 7, null], idempotency_key: 'k' }
      const response = await ask(DECISIONS, posted(body, { 'Assay-Seal': 'durable' }))
      expect(response.headers.get('x-decision-id')).toBe(DECISION_ID)
      expect(await response.json()).toEqual({
        id: DECISION_ID,
        allow: true,
        ...part,
        index: '7',
      })
    })
    const { submission, options } = kernel.dispatches[0]!
    expect(submission).toMatchObject({ action: 'access.assign', idempotencyKey: 'k' })
    expect(submission.payload.text).toBe('["alice",7,null]')
    expect(submission.peer).toEqual({ kind: 'anonymous', id: 'anonymous' })
    expect(options.seal).toBe('durable')
  })

  test('that no header can carry costs its own request and nothing else', async () => {
    const kernel = new FakeKernel(async (_, n) => decision(n === 1 ? { id: 'a\nsecret' } : {}))
    const body = { action: 'a.b', payload: null }
    const printed = vi.spyOn(console, 'error')
    await lane.with(kernel, async (ask) => {
      const answer = await ask(DECISIONS, posted(body)).catch(() => undefined)
      expect(answer?.status ?? 'the connection ended').toBe(unsendable[lane.name])
      expect((await ask(DECISIONS, posted(body))).status).toBe(200)
    })
    expect(printed).not.toHaveBeenCalled()
    printed.mockRestore()
  })

  test('has no output where there is none, and a receipt when asked', async () => {
    await lane.with(new FakeKernel(), async (ask) => {
      const headers = { 'Assay-Receipt': 'include' }
      const response = await ask(DECISIONS, posted({ action: 'a.b', payload: null }, headers))
      expect(await response.json()).toEqual({
        id: DECISION_ID,
        allow: true,
        reasons: [],
        obligations: [],
        seal: 'sealed',
        index: '7',
        receipt: RECEIPT,
      })
    })
  })

  test('hands a raw payload on byte by byte', async () => {
    const kernel = new FakeKernel()
    const raw = '{ "b": 1,\n\t"a": "\u00e9\u{1f600}", "b": 2 }'
    await lane.with(kernel, async (ask) => {
      const headers = {
        'Assay-Action': 'capability.use',
        'Content-Type': 'text/plain',
        'Idempotency-Key': 'k',
      }
      expect((await ask(DECISIONS, { method: 'POST', headers, body: raw })).status).toBe(200)
    })
    const { submission } = kernel.dispatches[0]!
    expect(submission).toMatchObject({ action: 'capability.use', idempotencyKey: 'k' })
    expect(Buffer.from(submission.payload.bytes).toString()).toBe(raw)
  })

  test('refuses a raw payload that is not UTF-8', async () => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const init = {
        method: 'POST',
        headers: { 'Assay-Action': 'a.b' },
        body: Uint8Array.of(0xc0, 0x80),
      }
      const response = await ask(DECISIONS, init)
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringMatching(/^invalid_utf8: /),
      ])
    })
    expect(kernel.refusals).toEqual(['http invalid_utf8'])
  })

  test('counts raw bytes too', async () => {
    const kernel = new FakeKernel()
    const init = (size: number) => ({
      method: 'POST',
      headers: { 'Assay-Action': 'a.b' },
      body: 'x'.repeat(size),
    })
    await lane.with(
      kernel,
      async (ask) => {
        expect((await ask(DECISIONS, init(100))).status).toBe(200)
        expect((await ask(DECISIONS, init(101))).status).toBe(413)
      },
      { maxBodyBytes: 100 },
    )
  })

  test.each<[body: unknown, headers: Record<string, string>]>([
    [{ payload: 1 }, {}],
    [{ action: 'access.evaluate' }, {}],
    [{ action: 7, payload: 1 }, {}],
    [{ action: 'evaluate', payload: 1 }, {}],
    [{ action: 'access.Evaluate', payload: 1 }, {}],
    [{ action: `a.${'b'.repeat(130)}`, payload: 1 }, {}],
    [{ action: 'a.b', payload: 1, idempotency_key: 7 }, {}],
    [{ action: 'a.b', payload: 1, idempotency_key: 'a' }, { 'Idempotency-Key': 'b' }],
    ['raw', { 'Assay-Action': 'not an action' }],
  ])('refuses %j with %j', async (body, headers) => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const response = await ask(DECISIONS, posted(body, headers))
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringMatching(/^invalid_request: /),
      ])
    })
    expect(kernel.dispatches).toEqual([])
  })
})

describe.each(lanes)('a receipt by id through $name', (lane) => {
  test('is there, or not', async () => {
    const kernel = new FakeKernel()
    kernel.receipts.set(DECISION_ID, RECEIPT)
    await lane.with(kernel, async (ask) => {
      const found = await ask(`/assay/v1/receipts/${DECISION_ID}`)
      expect([found.status, found.headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(await found.json()).toEqual(RECEIPT)
      for (const id of ['f'.repeat(32), DECISION_ID.toUpperCase(), 'x', '..%2f..%2fetc'])
        expect((await ask(`/assay/v1/receipts/${id}`)).status).toBe(404)
    })
  })

  test('may not be there yet', async () => {
    const kernel = new FakeKernel()
    kernel.receipt = () => Promise.reject(new NoDecision('unavailable', 'not sealed yet'))
    await lane.with(kernel, async (ask) => {
      const response = await ask(`/assay/v1/receipts/${DECISION_ID}`)
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    })
  })
})
