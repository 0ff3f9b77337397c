import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { DECISION_ID, decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'

const REQUESTS = '/access/v1/requests'
const ID = '00112233445566778899aabbccddeeff'
const tuple = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'record', id: 'record-1' },
}
const pending = { id: ID, status: 'pending', expires: 1_800_000_000 }

class WithRequests extends FakeKernel {
  override readonly actions: readonly string[] = ['access.evaluate', 'access.request']
}
/** A kernel that allows, with this about the request. */
const telling = (request: Json): WithRequests =>
  new WithRequests(async () => decision({ output: { request } }))
const refusing = (...codes: string[]): WithRequests =>
  new WithRequests(async () => {
    const reasons = codes.map((code) => ({ code, message: '', rule: 'r' }))
    return decision({ allow: false, reasons })
  })

describe.each(lanes)('access requests through $name', (lane) => {
  test('are decisions of the plugin, with what the profile names', async () => {
    const kernel = telling(pending)
    const requested = {
      ...tuple,
      denial: { evaluation_id: ID, expires_at: '2027-01-15T08:00:00Z', template: 't' },
      context: { business_justification: 'why', ip: '10.0.0.1' },
      requested_access: { requested_until: '2027-01-15T09:00:00.900+01:00', emergency: true },
      client: { id: 'shop' },
    }
    await lane.with(kernel, async (ask) => {
      const response = await ask(REQUESTS, posted(requested))
      expect([response.status, response.headers.get('x-decision-id')]).toEqual([202, DECISION_ID])
      await ask(`${REQUESTS}/${ID}`)
      await ask(`${REQUESTS}/${ID}/cancel`, { method: 'POST' })
      await ask(
        `/assay/v1/requests/${ID}/approve`,
        posted({ approved_until: '2027-01-15T08:00:00Z' }),
      )
      await ask(`/assay/v1/requests/${ID}/deny`, posted({}))
      await ask(`/assay/v1/requests/${ID}/revoke`, posted({}))
    })
    const asked = kernel.dispatches.map(({ submission: { action, payload } }) => [
      action,
      payload.json(),
    ])
    expect(asked).toEqual([
      [
        'access.request',
        { ...tuple, denial: ID, justification: 'why', until: Date.UTC(2027, 0, 15, 8) / 1000 },
      ],
      ['access.show-request', { request: ID }],
      ['access.withdraw-request', { request: ID }],
      ['access.approve-request', { request: ID, until: Date.UTC(2027, 0, 15, 8) / 1000 }],
      ['access.deny-request', { request: ID }],
      ['access.revoke-approval', { request: ID }],
    ])
  })

  test.each([
    ['unknown_request', 404, 'unknown_task'],
    ['unknown_denial', 400, 'invalid_denial_binding'],
    ['other_denial', 400, 'invalid_denial_binding'],
    ['not_requestable', 400, 'not_requestable'],
    ['denial_expired', 410, 'expired_denial'],
    ['request_exists', 409, 'duplicate_request'],
    ['request_closed', 409, 'invalid_task_state'],
    ['not_approved', 409, 'invalid_task_state'],
  ])('refused for %s are %d %s', async (code, status, name) => {
    await lane.with(refusing('zzz', code), async (ask) => {
      const response = await ask(`${REQUESTS}/${ID}`)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(await response.json()).toEqual({
        type: `urn:openid:authzen:access-request:error:${name}`,
        title: expect.any(String),
        status,
      })
      expect(response.status).toBe(status)
    })
  })

  test.each([
    ['own_request', 403],
    ['kernel/contended', 403],
    ['malformed_request', 400],
  ])('refused for %s are %d with the reason', async (code, status) => {
    await lane.with(refusing(code), async (ask) => {
      const response = await ask(`${REQUESTS}/${ID}`)
      const said = await response.json()
      expect([response.status, said.type, said.detail]).toEqual([status, 'about:blank', code])
    })
  })

  test.each<[Json]>([
    [null],
    ['approved'],
    [{}],
    [{ ...pending, id: 1 }],
    [{ ...pending, expires: '1' }],
    [{ ...pending, status: true }],
  ])('of which the policy says %j get no answer', async (told) => {
    await lane.with(telling(told), async (ask) => {
      const response = await ask(`${REQUESTS}/${ID}`)
      expect([response.status, response.headers.get('x-decision-id')]).toEqual([503, DECISION_ID])
    })
  })

  test('whose policy names them as no header can are answered all the same', async () => {
    await lane.with(telling({ ...pending, id: 'a\nb/ü' }), async (ask) => {
      const binding = { ...tuple, denial: { evaluation_id: ID } }
      const answer = await ask(REQUESTS, posted(binding))
      expect(answer.status).toBe(202)
      expect(answer.headers.get('location')).toMatch(/\/access\/v1\/requests\/a%0Ab%2F%C3%BC$/)
    })
  })

  test.each(['2026-12-01', ['2026-12-01T00:00:00Z'], 1_800_000_000, '2026-13-01T00:00:00Z'])(
    'are not approved until %j',
    async (approved_until) => {
      const kernel = telling(pending)
      await lane.with(kernel, async (ask) => {
        const path = `/assay/v1/requests/${ID}/approve`
        expect((await ask(path, posted({ approved_until }))).status).toBe(400)
        expect(kernel.dispatches).toEqual([])
      })
    },
  )

  test('that last for ever end with the last time that can be written', async () => {
    await lane.with(telling({ ...pending, expires: 1e300 }), async (ask) => {
      const { task } = await (await ask(`${REQUESTS}/${ID}`)).json()
      expect(task.expires_at).toBe('9999-12-31T23:59:59.000Z')
    })
  })

  test('of any kind are a decision or one clear error', async () => {
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(tuple)))
    const bodies = fc.record(
      {
        subject: fc.oneof(fc.constant(tuple.subject), part),
        action: fc.oneof(fc.constant(tuple.action), part),
        resource: fc.oneof(fc.constant(tuple.resource), part),
        denial: fc.oneof(fc.constant({ evaluation_id: ID }), part),
        requested_access: fc.oneof(fc.record({ requested_until: fc.jsonValue() }), part),
        context: part,
        items: part,
      },
      { requiredKeys: [] },
    )
    await lane.with(telling(pending), async (ask) => {
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const { status } = await ask(REQUESTS, posted(body))
          expect([202, 400]).toContain(status)
        }),
        { numRuns: 100 },
      )
    })
  })

  test('are not there without the plugin', async () => {
    await lane.with(new FakeKernel(), async (ask) => {
      expect((await ask(REQUESTS, posted(tuple))).status).toBe(404)
      const metadata = await (await ask('/.well-known/authzen-configuration')).json()
      expect(metadata).not.toHaveProperty('access_request_endpoint')
    })
  })
})

describe.each(lanes)('a denial through $name', (lane) => {
  const offering = (output: Json): WithRequests =>
    new WithRequests(async () =>
      decision({
        allow: false,
        output,
        reasons: [{ code: 'not_permitted', message: '', rule: 'r' }],
      }),
    )
  const said = async (kernel: FakeKernel): Promise<unknown> => {
    let answer: unknown
    await lane.with(kernel, async (ask) => {
      answer = await (await ask('/access/v1/evaluation', posted(tuple))).json()
    })
    return answer
  }

  test('offers what the policy offers', async () => {
    expect(
      await said(offering({ access_request: { template: 't', expires_at: 1_800_000_000 } })),
    ).toEqual({
      decision: false,
      context: {
        evaluation_id: DECISION_ID,
        reason: 'not_permitted',
        access_request: { template: 't', expires_at: '2027-01-15T08:00:00.000Z' },
      },
    })
  })

  test.each<[Json]>([
    [1],
    [{}],
    [{ access_request: null }],
    [{ access_request: { template: 't' } }],
  ])('with the output %j is a denial alone', async (output) => {
    expect(await said(offering(output))).toEqual({ decision: false })
  })

  test('never offers on an allow', async () => {
    const output = { access_request: { expires_at: 1_800_000_000 } }
    expect(await said(new WithRequests(async () => decision({ output })))).toEqual({
      decision: true,
    })
  })
})
