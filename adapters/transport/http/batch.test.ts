import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import type { Decision } from '../../../core/kernel.ts'
import { type Dispatch, decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'

const EVALUATIONS = '/access/v1/evaluations'
const subject = { type: 'user', id: 'alice' }
const action = { name: 'read' }
const record = (id: string) => ({ type: 'record', id })
const items = (...ids: string[]) => ids.map((id) => ({ resource: record(id) }))

function resourceOf({ submission }: Dispatch): string {
  return (submission.payload.json() as { resource: { id: string } }).resource.id
}
/** `yes...` is allowed, `busy`, `unknown` and `broken` get no decision; the id of the n-th dispatch is n. */
async function byResource(dispatch: Dispatch, n: number): Promise<Decision> {
  const id = resourceOf(dispatch)
  if (id === 'busy') throw new NoDecision('overloaded', 'busy', { retryAfterMs: 2000 })
  if (id === 'unknown')
    throw new NoDecision('unknown_outcome', 'timeout', { decisionId: 'f'.repeat(32) })
  if (id === 'broken') throw new Error('secret')
  return decision({ allow: id.startsWith('yes'), id: String(n).padStart(32, '0') })
}
const idOf = (n: number): string => String(n).padStart(32, '0')

describe.each(lanes)('a batch through $name', (lane) => {
  const run = async (
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ kernel: FakeKernel; response: Response; text: string }> => {
    const kernel = new FakeKernel(byResource)
    let response = new Response()
    let text = ''
    await lane.with(kernel, async (ask) => {
      response = await ask(EVALUATIONS, posted(body, headers))
      text = await response.text()
    })
    return { kernel, response, text }
  }

  test('is one decision an item, in order, and nothing more in the answer', async () => {
    const { response, text } = await run({
      subject,
      action,
      evaluations: items('yes', 'no', 'yes-2'),
    })
    expect(text).toBe('{"evaluations":[{"decision":true},{"decision":false},{"decision":true}]}')
    expect(response.headers.get('x-decision-id')).toBe([1, 2, 3].map(idOf).join(','))
  })

  test('replaces defaults whole', async () => {
    const { kernel } = await run({
      subject: { ...subject, properties: { role: 'editor' } },
      action,
      resource: { ...record('yes'), properties: { status: 'active' } },
      context: { time: 'noon', ip: '::1' },
      evaluations: [
        {},
        { resource: record('no'), context: { time: 'midnight' } },
        { subject: { type: 'user', id: 'bob' }, resource: null },
      ],
    })
    const payloads = kernel.dispatches.map(({ submission }) => submission.payload.json())
    const first = {
      subject: { ...subject, properties: { role: 'editor' } },
      action,
      resource: { ...record('yes'), properties: { status: 'active' } },
      context: { time: 'noon', ip: '::1' },
    }
    expect(payloads).toEqual([
      first,
      { ...first, resource: record('no'), context: { time: 'midnight' } },
      { ...first, subject: { type: 'user', id: 'bob' } },
    ])
  })

  test.each([
    ['missing', {}],
    ['null', { evaluations: null }],
    ['empty', { evaluations: [] }],
  ])('with %s evaluations is a single evaluation', async (_, members) => {
    const { response, text } = await run({ subject, action, resource: record('yes'), ...members })
    expect(text).toBe('{"decision":true}')
    expect(response.headers.get('x-decision-id')).toBe(idOf(1))
  })

  test('runs all of execute_all at once', async () => {
    const kernel = new FakeKernel(async (dispatch, n) => {
      await sleep(n === 1 ? 60 : 0)
      expect(kernel.dispatches.length).toBe(3)
      return await byResource(dispatch, n)
    })
    await lane.with(kernel, async (ask) => {
      const options = { evaluations_semantic: 'execute_all' }
      const batch = { subject, action, options, evaluations: items('yes', 'no', 'yes') }
      const { evaluations } = await (await ask(EVALUATIONS, posted(batch))).json()
      expect(evaluations).toEqual([{ decision: true }, { decision: false }, { decision: true }])
    })
  })

  test.each([
    ['deny_on_first_deny', ['yes', 'no', 'yes'], [true, false]],
    ['deny_on_first_deny', ['yes', 'yes'], [true, true]],
    ['deny_on_first_deny', ['no', 'yes'], [false]],
    ['permit_on_first_permit', ['no', 'yes', 'no'], [false, true]],
    ['permit_on_first_permit', ['no', 'no'], [false, false]],
    ['permit_on_first_permit', ['yes', 'no'], [true]],
  ])('%s of %j decides %j and stops there', async (semantic, ids, decisions) => {
    const options = { evaluations_semantic: semantic }
    const { kernel, text } = await run({ subject, action, options, evaluations: items(...ids) })
    expect(
      JSON.parse(text).evaluations.map((each: { decision: boolean }) => each.decision),
    ).toEqual(decisions)
    expect(kernel.dispatches.length).toBe(decisions.length)
  })

  test('answers false for an item that cannot be read, and says so', async () => {
    const unread = [
      {},
      7,
      null,
      { resource: 'x' },
      { resource: record('yes'), action: { name: 1 } },
    ]
    const { kernel, response, text } = await run({
      subject,
      action,
      evaluations: [...unread, ...items('yes')],
    })
    const { evaluations } = JSON.parse(text)
    const ids = ['-', '-', '-', '-', '-', idOf(1)]
    expect(response.headers.get('x-decision-id')).toBe(ids.join(','))
    expect(evaluations[5]).toEqual({ decision: true })
    for (const item of evaluations.slice(0, 5)) {
      expect(item.decision).toBe(false)
      expect(item.context.error.status).toBe(400)
      expect(item.context.error.message).toMatch(/^invalid_request: /)
    }
    expect(kernel.dispatches.length).toBe(1)
  })

  test('an item that cannot be read is a deny for short circuits', async () => {
    const options = { evaluations_semantic: 'deny_on_first_deny' }
    const { text } = await run({ subject, action, options, evaluations: [{}, ...items('yes')] })
    expect(JSON.parse(text).evaluations.length).toBe(1)
  })

  test('keeps the decisions beside items without one', async () => {
    const { response, text } = await run({
      subject,
      action,
      evaluations: items('yes', 'busy', 'unknown', 'broken'),
    })
    const { evaluations } = JSON.parse(text)
    expect(evaluations.map((each: { decision: boolean }) => each.decision)).toEqual([
      true,
      false,
      false,
      false,
    ])
    const errors = evaluations
      .slice(1)
      .map((each: { context: { error: object } }) => each.context.error)
    expect(errors.map((each: { status: number }) => each.status)).toEqual([503, 503, 503])
    expect(errors[1].message).toMatch(/^unknown_outcome: /)
    expect(text).not.toContain('secret')
    expect(response.headers.get('x-decision-id')).toBe(
      [idOf(1), '-', 'f'.repeat(32), '-'].join(','),
    )
  })

  test('is no decision when no item got one', async () => {
    const { response, text } = await run({ subject, action, evaluations: items('busy', 'busy') })
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2'])
    expect(text).toMatch(/^overloaded: /)
  })

  test('gives each item a key of its own', async () => {
    const batch = { subject, action, evaluations: items('yes', 'no') }
    const { kernel } = await run(batch, { 'Idempotency-Key': 'k' })
    expect(kernel.dispatches.map(({ submission }) => submission.idempotencyKey)).toEqual([
      'k/0',
      'k/1',
    ])
    const long = await run(batch, { 'Idempotency-Key': 'k'.repeat(127) })
    expect(long.text).toMatch(/^invalid_header: /)
    expect(long.kernel.dispatches).toEqual([])
  })

  test('says that a decision is not sealed yet', async () => {
    const kernel = new FakeKernel(async (_, n) =>
      decision({ seal: n === 1 ? 'sealed' : 'committed_unsealed' }),
    )
    await lane.with(kernel, async (ask) => {
      const batch = { subject, action, evaluations: items('a', 'b') }
      const response = await ask(EVALUATIONS, posted(batch))
      expect(response.headers.get('assay-seal')).toBe('committed_unsealed')
    })
  })

  test('explains each item when asked', async () => {
    const batch = { subject, action, evaluations: items('yes', 'no') }
    const { text } = await run(batch, { 'Assay-Explain': 'reasons' })
    expect(JSON.parse(text).evaluations).toEqual([
      { decision: true, context: { decision_id: idOf(1), reasons: [] } },
      { decision: false, context: { decision_id: idOf(2), reasons: [] } },
    ])
  })

  test.each<[code: string, members: object]>([
    ['invalid_request', { evaluations: 'x' }],
    ['invalid_request', { evaluations: {} }],
    ['invalid_request', { subject: 'alice' }],
    ['invalid_request', { context: [] }],
    ['invalid_request', { options: 'x' }],
    ['invalid_request', { options: { evaluations_semantic: 'any' } }],
    ['invalid_request', { options: { evaluations_semantic: 7 } }],
    ['too_many_evaluations', { evaluations: items(...Array<string>(101).fill('yes')) }],
  ])('%s: a call with %j is refused whole', async (code, members) => {
    const { kernel, response, text } = await run({
      subject,
      action,
      evaluations: items('yes'),
      ...members,
    })
    expect([response.status, text]).toEqual([400, expect.stringMatching(`^${code}: `)])
    expect(kernel.dispatches).toEqual([])
  })

  test('takes as many items as it was told', async () => {
    const kernel = new FakeKernel()
    await lane.with(
      kernel,
      async (ask) => {
        const batch = (count: number) =>
          posted({ subject, action, evaluations: items(...Array<string>(count).fill('yes')) })
        expect((await ask(EVALUATIONS, batch(3))).status).toBe(200)
        expect((await ask(EVALUATIONS, batch(4))).status).toBe(400)
      },
      { evaluationsMax: 3 },
    )
  })
})
