/** Proxy events of every kind as requests, and answers in the form that each of them takes. */
import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import { FakeKernel } from '../../../test/fake-kernel.ts'
import { createHandler } from './handler.ts'
import type { LambdaContext, Platform, ProxyAnswer } from './index.ts'

interface Seen {
  readonly method: string
  readonly target: string
  readonly headers: Record<string, string>
  readonly body: string
  readonly platform: Platform
}
const serving = (respond: () => Response = () => Response.json({ ok: true })) => {
  const seen: Seen[] = []
  const fetch = async (request: Request, platform: Platform): Promise<Response> => {
    const { headers, method, url } = request
    const body = await request.text()
    const target = url.replace('https://lambda.invalid', '')
    seen.push({ method, target, headers: Object.fromEntries(headers), body, platform })
    return respond()
  }
  const { handler } = createHandler(new FakeKernel(), { proxy: { fetch } })
  const send = async (event: object, context?: LambdaContext) =>
    (await handler(event, context)) as ProxyAnswer
  return { seen, send }
}

const REST = {
  httpMethod: 'POST',
  path: '/access/v1/evaluation',
  headers: { 'X-Line': 'last', 'Content-Type': 'application/json' },
  multiValueHeaders: { 'X-Line': ['first', 'last'], 'Content-Type': ['application/json'] },
  queryStringParameters: { q: 'b' },
  multiValueQueryStringParameters: { q: ['a b', 'b&c'] },
  body: '{"a":"é"}',
  isBase64Encoded: false,
  requestContext: { requestId: 'rest-1', stage: 'prod' },
} as unknown as APIGatewayProxyEvent
const HTTP = {
  version: '2.0',
  rawPath: '/prod/access/v1/evaluation',
  rawQueryString: 'q=a%20b&q=c',
  headers: { 'content-type': 'application/json', 'x-line': 'first,last' },
  cookies: ['a=1', 'b=2'],
  requestContext: { requestId: 'http-1', stage: 'prod', http: { method: 'POST' } },
  body: Buffer.from('{"a":"é"}').toString('base64'),
  isBase64Encoded: true,
} as unknown as APIGatewayProxyEventV2
const ALB = {
  httpMethod: 'POST',
  path: '/access/v1/evaluation',
  queryStringParameters: { q: 'a%20b' },
  headers: { 'content-type': 'application/json', 'x-line': 'one' },
  body: '{"a":"é"}',
  isBase64Encoded: false,
  requestContext: { elb: { targetGroupArn: 'arn' } },
} as unknown as ALBEvent

describe('an event becomes a request', () => {
  test.each([
    ['of a REST API', REST, '?q=a%20b&q=b%26c', 'first, last'],
    ['of an HTTP API, without its stage', HTTP, '?q=a%20b&q=c', 'first,last'],
    ['of a load balancer', ALB, '?q=a%20b', 'one'],
  ] as const)('%s', async (_, event, query, line) => {
    const { seen, send } = serving()
    await send(event)
    expect(seen).toMatchObject([
      {
        method: 'POST',
        target: `/access/v1/evaluation${query}`,
        body: '{"a":"é"}',
        platform: {},
      },
    ])
    expect(seen[0]?.headers['x-line']).toBe(line)
    expect(seen[0]?.headers['content-type']).toBe('application/json')
  })

  test.each([REST, HTTP, ALB])('with the key of Lambda\u2019s request id', async (event) => {
    const { seen, send } = serving()
    await send(event, { awsRequestId: 'a-1' })
    await send(event)
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['lambda:a-1', undefined])
  })

  test('with its own idempotency key, where it has one, and with its cookies', async () => {
    const { seen, send } = serving()
    const headers = { ...HTTP.headers, 'idempotency-key': 'own' }
    await send({ ...HTTP, headers }, { awsRequestId: 'a-1' })
    expect(seen[0]?.headers).toMatchObject({ 'idempotency-key': 'own', cookie: 'a=1; b=2' })
  })

  test('of whom AWS authenticated by IAM', async () => {
    const { seen, send } = serving()
    const userArn = 'arn:aws:sts::123456789012:assumed-role/service/one'
    await send({
      ...HTTP,
      requestContext: { ...HTTP.requestContext, authorizer: { iam: { userArn } } },
    })
    await send({ ...REST, requestContext: { ...REST.requestContext, identity: { userArn } } })
    await send({
      ...REST,
      requestContext: { ...REST.requestContext, identity: { userArn: 'root' } },
    })
    // What a gateway's own authorizer wrote stands in the place of the other kind.
    const authorizer = { iam: { userArn } }
    await send({ ...REST, requestContext: { ...REST.requestContext, authorizer } })
    await send({ ...HTTP, requestContext: { ...HTTP.requestContext, identity: { userArn } } })
    const peer = { kind: 'aws-iam', id: userArn }
    expect(seen.map(({ platform }) => platform)).toEqual([{ peer }, { peer }, {}, {}, {}])
  })

  test('or a refusal, where it is none of HTTP', async () => {
    const { seen, send } = serving()
    for (const broken of [
      { httpMethod: 'A B' },
      { multiValueHeaders: { 'a b': ['c'] } },
      { body: 7 },
    ]) {
      const { body, statusCode } = await send({ ...REST, ...broken })
      expect([statusCode, body.split(':')[0]]).toEqual([400, 'invalid_event'])
    }
    expect(seen).toEqual([])
  })
})

describe('an answer', () => {
  const cookies = (): Response => {
    const response = new Response('plain', { status: 201, headers: { 'x-one': '1' } })
    response.headers.append('set-cookie', 'a=1')
    response.headers.append('set-cookie', 'b=2')
    return response
  }

  test('has the form of its event', async () => {
    const { send } = serving(cookies)
    const [rest, http, alb] = [await send(REST), await send(HTTP), await send(ALB)]
    expect(rest).toMatchObject({
      statusCode: 201,
      body: 'plain',
      isBase64Encoded: false,
      multiValueHeaders: { 'x-one': ['1'], 'set-cookie': ['a=1', 'b=2'] },
    })
    expect(http).toMatchObject({ headers: { 'x-one': '1' }, cookies: ['a=1', 'b=2'] })
    expect(alb).toMatchObject({ headers: { 'x-one': '1' } })
    expect(Object.keys(alb)).not.toContain('multiValueHeaders')
    const many = await send({ ...ALB, multiValueHeaders: { 'x-line': ['one'] } })
    expect(many.multiValueHeaders?.['x-one']).toEqual(['1'])
  })

  test('of bytes travels as base64, and of text as text', async () => {
    const bytes = Uint8Array.of(0, 255, 128)
    const headers = { 'content-type': 'application/octet-stream' }
    const { send } = serving(() => new Response(bytes, { headers }))
    const answer = await send(HTTP)
    expect([answer.isBase64Encoded, Buffer.from(answer.body, 'base64')]).toEqual([
      true,
      Buffer.from(bytes),
    ])
    const problem = { 'content-type': 'application/problem+json' }
    const text = serving(() => new Response('{}', { headers: problem }))
    expect(await text.send(HTTP)).toMatchObject({ isBase64Encoded: false, body: '{}' })
  })

  test('that Lambda would cut off is refused', async () => {
    const { send } = serving(() => new Response('x'.repeat(5_500_001)))
    for (const event of [HTTP, REST, ALB])
      expect(await send(event)).toMatchObject({ statusCode: 500 })
    const fits = serving(() => new Response('x'.repeat(1_000_000)))
    expect((await fits.send(HTTP)).statusCode).toBe(200)
    expect((await fits.send(ALB)).statusCode).toBe(500)
    const grows = serving(() => new Response('"'.repeat(3_000_000)))
    expect((await grows.send(HTTP)).statusCode).toBe(500)
  })

  test('is 404 where no such events are served', async () => {
    const { handler } = createHandler(new FakeKernel(), {})
    expect(await handler(REST)).toMatchObject({ statusCode: 404 })
  })
})
