import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import { DECISION_ID, decision, FakeKernel, RECEIPT } from '../../../test/fake-kernel.ts'
import { FIXTURES_ABSENT, fixture } from '../../../test/fixtures.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'

const EVALUATION = '/access/v1/evaluation'
const asked = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'record', id: 'record-1' },
}
const REASON = { code: 'role_missing', message: 'no role allows it', rule: 'access.role' }

describe.each(lanes)('an evaluation through $name', (lane) => {
  test('is answered with the decision alone, as text', async () => {
    const kernel = new FakeKernel(async () => decision({ reasons: [REASON] }))
    await lane.with(kernel, async (ask) => {
      const response = await ask(EVALUATION, posted(asked))
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('x-decision-id')).toBe(DECISION_ID)
      expect(response.headers.get('assay-seal')).toBeNull()
      expect(await response.text()).toBe('{"decision":true}')
    })
    const { submission, options } = kernel.dispatches[0]!
    expect(submission).toEqual({
      action: 'access.evaluate',
      payload: submission.payload,
      peer: { kind: 'anonymous', id: 'anonymous' },
    })
    expect(submission.payload.text).toBe(JSON.stringify(asked))
    expect(Object.keys(options)).toEqual(['signal'])
  })

  test('hands on what the model names, and nothing else', async () => {
    const kernel = new FakeKernel()
    const full = {
      context: { ip: '10.0.0.1' },
      futureField: { nested: true },
      resource: { id: 'r', properties: { status: 'active' }, type: 'record', version: 2 },
      action: { properties: { soft: true }, name: 'delete', verb: 'x' },
      subject: { properties: { role: null }, id: 'alice', type: 'user', email: 'a@b' },
    }
    const nulls = { ...asked, context: null, subject: { ...asked.subject, properties: null } }
    await lane.with(kernel, async (ask) => {
      await ask(EVALUATION, posted(full))
      await ask(EVALUATION, posted(nulls))
    })
    expect(kernel.dispatches.map(({ submission }) => submission.payload.text)).toEqual([
      '{"subject":{"type":"user","id":"alice","properties":{"role":null}},"action":{"name":"delete","properties":{"soft":true}},"resource":{"type":"record","id":"r","properties":{"status":"active"}},"context":{"ip":"10.0.0.1"}}',
      JSON.stringify(asked),
    ])
  })

  test('explains itself and brings its receipt only when asked', async () => {
    const kernel = new FakeKernel(async () => decision({ allow: false, reasons: [REASON] }))
    await lane.with(kernel, async (ask) => {
      const wishes = { 'Assay-Explain': 'reasons', 'Assay-Receipt': 'include' }
      const response = await ask(EVALUATION, posted(asked, wishes))
      expect(await response.json()).toEqual({
        decision: false,
        context: { decision_id: DECISION_ID, reasons: [REASON], receipt: RECEIPT },
      })
    })
  })

  test('stands without its receipt, which can be fetched later', async () => {
    const receipt = () => Promise.reject(new NoDecision('unavailable', 'no head'))
    const kernel = new FakeKernel(async () => decision({ seal: 'committed_unsealed', receipt }))
    await lane.with(kernel, async (ask) => {
      const response = await ask(EVALUATION, posted(asked, { 'Assay-Receipt': 'include' }))
      expect(response.status).toBe(200)
      expect(response.headers.get('assay-seal')).toBe('committed_unsealed')
      expect(await response.json()).toEqual({
        decision: true,
        context: { receipt_error: 'unavailable' },
      })
    })
  })

  test('carries obligations to a caller that declared them', async () => {
    const obligations = [{ id: 'o-1', type: 'step-up', properties: { acr_value: 'gold' } }]
    const kernel = new FakeKernel(async () => decision({ obligations }))
    await lane.with(kernel, async (ask) => {
      const response = await ask(
        EVALUATION,
        posted(asked, { 'Assay-Obligations': 'step-up, custom' }),
      )
      expect(await response.json()).toEqual({ decision: true, context: { obligations } })
    })
    expect(kernel.dispatches[0]?.submission.obligations).toEqual(['step-up', 'custom'])
  })

  test.each([
    ['bfe9eb29-ab87-4ca3-be83-a1d5d8305716', true],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
    ['two words', false],
    ['caf\u00e9', false],
  ])('X-Request-ID %j comes back: %j', async (id, comesBack) => {
    await lane.with(new FakeKernel(), async (ask) => {
      const good = await ask(EVALUATION, posted(asked, { 'X-Request-ID': id }))
      expect(good.headers.get('x-request-id')).toBe(comesBack ? id : null)
      const bad = await ask(EVALUATION, posted('{', { 'X-Request-ID': id }))
      expect([bad.status, bad.headers.get('x-request-id')]).toEqual([400, comesBack ? id : null])
    })
  })

  test('waits for the seal that the server was told, unless the request says another', async () => {
    const kernel = new FakeKernel()
    await lane.with(
      kernel,
      async (ask) => {
        await ask(EVALUATION, posted(asked))
        await ask(EVALUATION, posted(asked, { 'Assay-Seal': 'sealed' }))
      },
      { seal: 'durable' },
    )
    expect(kernel.dispatches.map(({ options }) => options.seal)).toEqual(['durable', 'sealed'])
  })

  test.each([
    ['Assay-Seal', 'witnessed'],
    ['Assay-Explain', 'everything'],
    ['Assay-Receipt', 'yes'],
    ['Assay-Timeout-Ms', '0'],
    ['Assay-Timeout-Ms', '60001'],
    ['Assay-Timeout-Ms', '1e3'],
    ['Assay-Obligations', 'a,,b'],
    ['Idempotency-Key', 'k'.repeat(129)],
    ['Idempotency-Key', 'two words'],
    ['Idempotency-Key', ''],
  ])('%s: %s is refused', async (name, value) => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const response = await ask(EVALUATION, posted(asked, { [name]: value }))
      expect(response.status).toBe(400)
      expect(await response.text()).toMatch(/^invalid_header: /)
    })
    expect(kernel.dispatches).toEqual([])
    expect(kernel.refusals).toEqual(['http invalid_header'])
  })

  const part = (name: string, value: unknown): unknown => ({ ...asked, [name]: value })
  test.each<[code: string, body: unknown]>([
    ['empty_body', ''],
    ['malformed', '{"subject": {'],
    ['malformed', `${JSON.stringify(asked)}x`],
    ['malformed', `\ufeff${JSON.stringify(asked)}`],
    ['duplicate_key', JSON.stringify(asked).replace('{', '{"subject":{},')],
    ['duplicate_key', JSON.stringify(asked).replace('"type"', '"t\\u0079pe":"a","type"')],
    ['lone_surrogate', part('context', { a: '\ud800' })],
    ['number_range', JSON.stringify(part('context', { a: 7 })).replace('7', '9007199254740993')],
    ['number_range', JSON.stringify(part('context', { a: 7 })).replace('7', '1e999')],
    ['too_deep', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`],
    ['invalid_request', '[]'],
    ['invalid_request', 'null'],
    ['invalid_request', '"alice"'],
    ['invalid_request', part('subject', undefined)],
    ['invalid_request', part('subject', null)],
    ['invalid_request', part('subject', 'alice')],
    ['invalid_request', part('subject', [])],
    ['invalid_request', part('subject', { type: 'user' })],
    ['invalid_request', part('subject', { id: 'alice' })],
    ['invalid_request', part('subject', { ...asked.subject, properties: 'x' })],
    ['invalid_request', part('action', {})],
    ['invalid_request', part('action', { name: 123 })],
    ['invalid_request', part('action', { name: 'read', properties: [] })],
    ['invalid_request', part('resource', { type: 'record', id: 7 })],
    ['invalid_request', part('context', 'x')],
    ['invalid_request', part('context', [])],
  ])('%s: %j is refused and counted', async (code, body) => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const response = await ask(EVALUATION, posted(body))
      expect(response.status).toBe(400)
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      const text = await response.text()
      expect(text.startsWith(`${code}: `)).toBe(true)
      expect(text).not.toContain('\n')
      expect(text).not.toContain('alice')
    })
    expect(kernel.dispatches).toEqual([])
    expect(kernel.refusals).toEqual([`http ${code}`])
  })

  test('a body that is not UTF-8 is refused', async () => {
    await lane.with(new FakeKernel(), async (ask) => {
      const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')])
      const response = await ask(EVALUATION, { ...posted(''), body })
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringMatching(/^invalid_utf8: /),
      ])
    })
  })

  test.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF-8"', 200],
    ['application/json; charset=latin1', 400],
    ['application/jsonp', 400],
    ['text/plain', 400],
    ['application/x-www-form-urlencoded', 400],
    ['', 400],
  ])('content type %j: %d', async (type, status) => {
    await lane.with(new FakeKernel(), async (ask) => {
      const response = await ask(EVALUATION, posted(asked, { 'Content-Type': type }))
      expect(response.status).toBe(status)
      if (status === 400) expect(await response.text()).toMatch(/^wrong_content_type: /)
    })
  })

  test('any body gets one line of text or a decision', async () => {
    const kernel = new FakeKernel()
    const json = fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text))
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      json,
      fc.tuple(json, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
        bytes[at % Math.max(1, bytes.length)] = byte
        return bytes
      }),
      fc
        .record({ subject: fc.json(), action: fc.json(), resource: fc.json() })
        .map((members) =>
          Buffer.from(`{${Object.entries(members).map(([name, text]) => `"${name}":${text}`)}}`),
        ),
    )
    await lane.with(kernel, async (ask) => {
      await fc.assert(
        fc.asyncProperty(bodies, async (body) => {
          const response = await ask(EVALUATION, { ...posted(''), body: new Uint8Array(body) })
          const text = await response.text()
          if (response.status === 200) expect(text).toBe('{"decision":true}')
          else
            expect([response.status, text]).toEqual([
              400,
              expect.stringMatching(/^[a-z0-9_]+: .+$/),
            ])
        }),
        { numRuns: 200 },
      )
    })
  })
})

describe.each(lanes)('the metadata through $name', (lane) => {
  test('names the endpoints that exist', async () => {
    await lane.with(new FakeKernel(), async (ask) => {
      const response = await ask('/.well-known/authzen-configuration')
      expect(response.headers.get('content-type')).toBe('application/json')
      const metadata = await response.json()
      expect(metadata).toEqual({
        policy_decision_point: 'https://pdp.example.com',
        access_evaluation_endpoint: 'https://pdp.example.com/access/v1/evaluation',
        access_evaluations_endpoint: 'https://pdp.example.com/access/v1/evaluations',
        search_subject_endpoint: 'https://pdp.example.com/access/v1/search/subject',
        search_resource_endpoint: 'https://pdp.example.com/access/v1/search/resource',
        search_action_endpoint: 'https://pdp.example.com/access/v1/search/action',
        supported_obligations: ['custom', 'notification', 'session_termination', 'step-up'],
      })
      for (const [name, url] of Object.entries<string>(metadata)) {
        if (!name.endsWith('_endpoint')) continue
        expect((await ask(new URL(url).pathname, posted(asked))).status).toBe(200)
      }
    })
  })
})

describe.each(lanes)('a dry run through $name', (lane) => {
  test('says why, says that it is one, and decides nothing', async () => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const response = await ask('/assay/v1/check', posted(asked, { 'Assay-Timeout-Ms': '20' }))
      expect(response.headers.get('x-decision-id')).toBeNull()
      const reasons = [{ code: 'role_missing', message: 'no role', rule: 'access.role' }]
      expect(await response.json()).toEqual({
        decision: false,
        dry_run: true,
        context: { reasons },
      })
      expect((await ask('/assay/v1/check', posted({}))).status).toBe(400)
    })
    expect(kernel.dispatches).toEqual([])
    expect(kernel.checks.map(({ options }) => options.timeoutMs)).toEqual([20])
    expect(kernel.checks[0]?.submission.payload.json()).toEqual(asked)
  })
})

interface Case {
  readonly id: string
  readonly path: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: unknown
  readonly rawBody?: string
  readonly expect: { readonly status: number; readonly headers?: Record<string, string> }
}

test('every status of the certification scenario', async ({ skip }) => {
  const path = fixture('authzen', 'certification-1_0.json')
  if (path === undefined) return skip(FIXTURES_ABSENT)
  const cases = (JSON.parse(readFileSync(path, 'utf8')).cases as Case[]).filter(
    (each) => !each.path.includes('/search/'),
  )
  expect(cases.length).toBeGreaterThan(30)
  for (const lane of lanes)
    await lane.with(new FakeKernel(), async (ask) => {
      for (const { id, path: at, method, headers, body, rawBody, expect: expected } of cases) {
        const sent = method === 'GET' ? null : (rawBody ?? JSON.stringify(body))
        const response = await ask(at, { method, headers, body: sent })
        expect([id, response.status]).toEqual([id, expected.status])
        for (const [name, value] of Object.entries(expected.headers ?? {}))
          expect([id, response.headers.get(name)]).toEqual([id, value])
      }
    })
})

test('what the published request schema accepts is accepted, what it refuses is refused', async ({
  skip,
}) => {
  const path = fixture('authzen', 'schemas', 'evaluation-request.schema.json')
  if (path === undefined) return skip(FIXTURES_ABSENT)
  const ajv = new Ajv2020({ strict: false })
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')))
  // Null members count as absent here, which the schema does not know.
  const value = fc.oneof(fc.string(), fc.integer(), fc.constant([]), fc.boolean())
  const mostly = <T>(usual: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: value })
  const entity = mostly(
    fc.record(
      {
        type: mostly(fc.string()),
        id: mostly(fc.string()),
        name: mostly(fc.string()),
        properties: mostly(fc.constant({ a: null })),
      },
      { requiredKeys: ['type', 'id', 'name'] },
    ),
  )
  const context = mostly(fc.constant({ a: 1 }))
  const requests = fc.record(
    { subject: entity, action: entity, resource: entity, context, future: value },
    { requiredKeys: ['subject', 'action', 'resource'] },
  )
  const tally = { accepted: 0, refused: 0 }
  await lanes[0]!.with(new FakeKernel(), async (ask) => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const accepted = validate(request)
        tally[accepted ? 'accepted' : 'refused']++
        expect((await ask(EVALUATION, posted(request))).status).toBe(accepted ? 200 : 400)
      }),
      { numRuns: 500 },
    )
  })
  expect(Math.min(tally.accepted, tally.refused)).toBeGreaterThan(20)
})
