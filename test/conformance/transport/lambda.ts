/** The Lambda transport as its invokers see it: events as JSON, and what the function answers. */
import { createApp } from '../../../adapters/transport/http/index.ts'
import {
  createHandler,
  type DirectAnswer,
  type LambdaContext,
  type LambdaHandler,
  type ProxyAnswer,
} from '../../../adapters/transport/lambda/index.ts'
import type { OpenedTransport, Reply, Sent, TransportSubject } from '../transport.ts'
import { httpSubject, requestHeaders, textReply } from './http.ts'

/** Invoked without a gateway. Events arrive parsed, and so does the answer. */
export const lambdaSubject: TransportSubject = {
  name: 'transport/lambda',
  peer: { kind: 'lambda', id: 'invoker' },
  async open(kernel, { maxBytes }): Promise<OpenedTransport> {
    const direct = {}
    const idempotency = 'explicit'
    const lambda = createHandler(kernel, { direct, idempotency, maxPayloadBytes: maxBytes })
    return { send: (sent) => invoke(lambda, sent), close: () => lambda.close() }
  },
}

async function invoke({ handler }: LambdaHandler, sent: Sent): Promise<Reply> {
  const { evaluation, forged, signal, ...said } = sent
  const event: unknown = JSON.parse(JSON.stringify({ evaluation, ...said }))
  const answer = (await handler(event, contextOf(signal, forged))) as DirectAnswer
  if (!('error' in answer)) return { allow: answer.allow, id: answer.id }
  const { message: text, ...error } = answer.error
  return { text, ...error }
}

/** An invoker that gives up is a function that runs out of time. It can write into the client context whatever it likes. */
function contextOf(signal: AbortSignal | undefined, forged: true | undefined): LambdaContext {
  const claim = { clientContext: { custom: { peer: 'operator' } }, identity: { user: 'operator' } }
  return {
    ...(forged ? claim : {}),
    getRemainingTimeInMillis: () => (signal === undefined ? 30_000 : 100),
  }
}

/** The HTTP transport's endpoints behind a function URL. */
export const functionUrlSubject: TransportSubject = {
  ...httpSubject,
  name: 'transport/lambda behind a function URL',
  async open(kernel, { maxBytes }): Promise<OpenedTransport> {
    const app = createApp(kernel, { publicUrl: 'https://pdp.example', maxBodyBytes: maxBytes })
    const proxy = { fetch: (request: Request) => app.fetch(request) }
    const lambda = createHandler(kernel, { proxy, idempotency: 'explicit' })
    return { send: (sent) => post(lambda, sent), close: () => lambda.close() }
  },
}

async function post({ handler }: LambdaHandler, sent: Sent): Promise<Reply> {
  const { evaluation, forged, signal } = sent
  const event: unknown = JSON.parse(
    JSON.stringify({
      version: '2.0',
      rawPath: '/access/v1/evaluation',
      rawQueryString: '',
      headers: requestHeaders(sent),
      requestContext: { http: { method: 'POST' }, requestId: 'r-1' },
      body: JSON.stringify(evaluation),
      isBase64Encoded: false,
    }),
  )
  const { body, headers, statusCode } = (await handler(
    event,
    contextOf(signal, forged),
  )) as ProxyAnswer
  return textReply(statusCode, new Headers(headers), body)
}
