/** Authorizers as API Gateway calls them, with its cache: no answer that is kept lets anything through that a fresh one would not. */
import type {
  APIGatewayAuthorizerEvent,
  APIGatewayRequestAuthorizerEventV2,
  APIGatewayAuthorizerResult as GatewayResult,
} from 'aws-lambda'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { createHandler } from './handler.ts'
import type {
  AuthorizerOptions,
  AuthorizerRoute,
  IamAnswer,
  LambdaContext,
  SimpleAnswer,
} from './index.ts'

const STAGE = 'arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod'
const ROUTES: readonly AuthorizerRoute[] = [
  { methods: ['GET'], path: '/notes', action: 'read', resource: { type: 'notes', id: 'all' } },
  { methods: ['POST'], path: '/notes', action: 'write', resource: { type: 'notes', id: 'all' } },
  { methods: ['GET'], path: '/admin', action: 'read', resource: { type: 'admin', id: 'all' } },
]
const router: AuthorizerOptions['router'] = (method, path) => {
  const found = ROUTES.find((route) => route.path === path && route.methods?.includes(method))
  return found && { action: { name: found.action }, resource: found.resource }
}
const identify: AuthorizerOptions['identify'] = (lines) => {
  const [token] = lines.get('authorization') ?? []
  if (token === undefined || token === '') throw new Error('hunter2')
  return { kind: 'user', id: token }
}
const OPTIONS: AuthorizerOptions = { routes: ROUTES, router, identify }

/** Ada may do everything, everybody may read notes. */
const allows = (kernel: FakeKernel): FakeKernel => {
  kernel.script = async ({ submission }) => {
    const asked = submission.payload.json() as Record<string, Record<string, string>>
    const isReading = asked.action?.name === 'read' && asked.resource?.type === 'notes'
    return decision({ allow: asked.subject?.id === 'ada' || isReading })
  }
  return kernel
}
const authorizer = (
  options: Partial<AuthorizerOptions> = {},
  kernel = allows(new FakeKernel()),
) => {
  const { handler } = createHandler(kernel, { authorizer: { ...OPTIONS, ...options } })
  const ask = async (event: object, context?: LambdaContext) =>
    (await handler(event, context)) as IamAnswer
  return { ask, kernel }
}

const tokenEvent = (method: string, path: string, token = 'ada'): APIGatewayAuthorizerEvent => ({
  type: 'TOKEN',
  methodArn: `${STAGE}/${method}${path}`,
  authorizationToken: token,
})
const requestEvent = (method: string, path: string, token = 'ada') =>
  ({
    type: 'REQUEST',
    methodArn: `${STAGE}/${method}${path}`,
    resource: path,
    path: '/something/else',
    httpMethod: 'DELETE',
    headers: { Authorization: 'last' },
    multiValueHeaders: { Authorization: [token] },
    requestContext: { requestId: 'r-1' },
  }) as unknown as APIGatewayAuthorizerEvent
const httpEvent = (method: string, path: string, token = 'ada', sources: string[] = [token]) =>
  ({
    version: '2.0',
    type: 'REQUEST',
    routeArn: `${STAGE}/${method}${path}`,
    routeKey: `${method} ${path}`,
    rawPath: path,
    identitySource: sources,
    headers: { authorization: token },
    requestContext: { requestId: 'r-2', http: { method, path } },
  }) as unknown as APIGatewayRequestAuthorizerEventV2

/** What API Gateway makes of a policy: an explicit deny wins, and what is not named is denied. `*` is any text. */
function evaluated({ policyDocument }: GatewayResult | IamAnswer, arn: string): boolean {
  const matching = policyDocument.Statement.filter((statement) =>
    ('Resource' in statement ? [statement.Resource].flat() : []).some((pattern) =>
      new RegExp(`^${String(pattern).split('*').map(escaped).join('.*')}$`, 's').test(arn),
    ),
  )
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow')
}
const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
const effect = ({ policyDocument }: IamAnswer) => policyDocument.Statement.map((one) => one.Effect)

describe('one request', () => {
  test.each([tokenEvent, requestEvent])('is one question, of %o', async (make) => {
    const { ask, kernel } = authorizer()
    const answer: GatewayResult = (await ask(make('GET', '/notes', 'ben'))) as GatewayResult
    expect(answer.policyDocument.Statement).toEqual([
      { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: [`${STAGE}/GET/notes`] },
    ])
    const [{ submission }] = kernel.dispatches as [(typeof kernel.dispatches)[0]]
    expect(submission.payload.json()).toEqual({
      subject: { type: 'user', id: 'ben' },
      action: { name: 'read' },
      resource: { type: 'notes', id: 'all' },
    })
    expect(submission.peer).toEqual({ kind: 'lambda', id: 'authorizer' })
  })

  test('of an HTTP API is answered in the form that it is set to', async () => {
    const simple = authorizer({ responses: 'simple' })
    expect(await simple.ask(httpEvent('GET', '/notes', 'ben'))).toMatchObject({
      isAuthorized: true,
    })
    expect(await simple.ask(httpEvent('GET', '/admin', 'ben'))).toMatchObject({
      isAuthorized: false,
    })
    const iam = authorizer()
    expect(effect(await iam.ask(httpEvent('GET', '/notes', 'ben')))).toEqual(['Allow'])
    expect(effect(await iam.ask(httpEvent('GET', '/admin', 'ben')))).toEqual(['Deny'])
  })

  test('has the key of Lambda\u2019s request id, never of the gateway\u2019s, which its client may choose', async () => {
    const { ask, kernel } = authorizer()
    for (const make of [requestEvent, httpEvent, tokenEvent]) {
      await ask(make('GET', '/notes'), { awsRequestId: 'a-1' })
      await ask(make('GET', '/notes'))
    }
    const keys = kernel.dispatches.map(({ submission }) => submission.idempotencyKey)
    const expected = ['lambda:a-1', undefined]
    expect(keys).toEqual([...expected, ...expected, ...expected])
  })

  test('tells the integration the decision and what it has to carry out, and nobody\u2019s name', async () => {
    const kernel = new FakeKernel(async () => decision({ obligations: [{ type: 'log' }] as never }))
    const { ask } = authorizer({ obligations: ['log'] }, kernel)
    const answer = await ask(tokenEvent('GET', '/notes', 'ada'))
    const [dispatch] = kernel.dispatches
    expect(dispatch?.submission.obligations).toEqual(['log'])
    expect(answer.context).toEqual({
      decisionId: dispatch && expect.stringMatching(/^[0-9a-f]{32}$/),
      obligations: '[{"type":"log"}]',
    })
    expect(JSON.stringify(answer)).not.toContain('ada')
  })
})

describe('whatever goes wrong', () => {
  const codes = async (event: object, options: Partial<AuthorizerOptions> = {}) => {
    const { ask } = authorizer(options)
    const answer = await ask(event)
    expect(effect(answer)).toEqual(['Deny'])
    return answer.context.error
  }

  test('is a denial with a code', async () => {
    expect(await codes(tokenEvent('GET', '/notes', ''))).toBe('unauthenticated')
    expect(await codes(tokenEvent('DELETE', '/notes'))).toBe('unknown_route')
    expect(await codes({ type: 'TOKEN', methodArn: 'x', authorizationToken: 'ada' })).toBe(
      'ambiguous_path',
    )
    const thrown = (): never => {
      throw new Error('hunter2')
    }
    expect(await codes(tokenEvent('GET', '/notes'), { router: thrown })).toBe('ambiguous_path')
  })

  test.each(['/notes*', '/note?', '/*', '/$' + '{aws:username}'])(
    'a path with a wildcard of IAM gets no policy: %s',
    async (path) => {
      const any: AuthorizerOptions['router'] = () => router('GET', '/notes')
      expect(await codes(tokenEvent('GET', path), { router: any })).toBe('ambiguous_path')
    },
  )

  test('no decision is a denial without its text', async () => {
    for (const thrown of [new Error('hunter2'), new NoDecision('unavailable', 'hunter2')]) {
      const { ask } = authorizer({}, new FakeKernel(() => Promise.reject(thrown)))
      const answer = await ask(tokenEvent('GET', '/notes'))
      expect([effect(answer), answer.context.error]).toEqual([['Deny'], 'unavailable'])
      expect(JSON.stringify(answer)).not.toContain('hunter2')
    }
  })

  test('a kernel that hangs is a denial before Lambda ends the process', async () => {
    const { ask } = authorizer({}, new FakeKernel(() => new Promise(() => undefined)))
    const context = { getRemainingTimeInMillis: () => 200 }
    const answer = await ask(tokenEvent('GET', '/notes'), context)
    expect([effect(answer), answer.context.error]).toEqual([['Deny'], 'unknown_outcome'])
  })

  test('a function that serves no authorizers denies them', async () => {
    const { handler } = createHandler(new FakeKernel(), { direct: {} })
    expect(effect((await handler(tokenEvent('GET', '/notes'))) as IamAnswer)).toEqual(['Deny'])
    const http = (await handler(httpEvent('GET', '/notes'))) as IamAnswer
    expect([effect(http), http.context.error]).toEqual([['Deny'], 'not_served'])
  })

  test('also under any bytes', async () => {
    const { ask } = authorizer()
    const noise = fc.record({
      type: fc.constantFrom('TOKEN', 'REQUEST'),
      version: fc.constantFrom('1.0', '2.0'),
      methodArn: fc.string(),
      routeArn: fc.string(),
      routeKey: fc.string(),
      authorizationToken: fc.string(),
      headers: fc.oneof(fc.constant(null), fc.dictionary(fc.string(), fc.string())),
    })
    await fc.assert(
      fc.asyncProperty(noise, async (event) => {
        const answer: object = await ask(event)
        if ('isAuthorized' in answer) expect(answer.isAuthorized).toBe(false)
        else expect(effect(answer as IamAnswer)).toEqual(['Deny'])
      }),
      { numRuns: 200 },
    )
  })
})

describe('the gateway\u2019s cache', () => {
  /** API Gateway with a time to live: what it keeps is asked for by `key`. */
  const gateway = (
    ask: (event: object) => Promise<IamAnswer>,
    make: (method: string, path: string, token: string) => object,
    key: (method: string, path: string, token: string) => string,
  ) => {
    const kept = new Map<string, IamAnswer>()
    return async (method: string, path: string, token: string): Promise<boolean> => {
      const known = kept.get(key(method, path, token)) ?? (await ask(make(method, path, token)))
      kept.set(key(method, path, token), known)
      const simple = known as object as SimpleAnswer
      return 'isAuthorized' in known
        ? simple.isAuthorized
        : evaluated(known, `${STAGE}/${method}${path}`)
    }
  }
  const PLACES = ROUTES.flatMap(({ methods = [], path }) =>
    methods.map((one) => [one, path] as const),
  )
  const FRESH = {
    'GET /notes': [true, true],
    'POST /notes': [true, false],
    'GET /admin': [true, false],
  }

  /** In every order of asking, each answer is the fresh one. */
  const holds = async (through: ReturnType<typeof gateway>) => {
    for (const [who, token] of ['ada', 'ben'].entries())
      for (const [method, path] of PLACES) {
        const expected = FRESH[`${method} ${path}` as keyof typeof FRESH][who]
        expect([token, method, path, await through(method, path, token)]).toEqual([
          token,
          method,
          path,
          expected,
        ])
      }
    expect(await through('DELETE', '/notes', 'ada')).toBe(false)
    expect(await through('GET', '/notes/1', 'ada')).toBe(false)
  }
  const byCaller = (_m: string, _p: string, token: string): string => token

  test('by caller: one policy is about every route, whichever is asked for first', async () => {
    for (const make of [tokenEvent, requestEvent]) {
      const { ask, kernel } = authorizer({ cache: 'caller' })
      await holds(gateway(ask, make, byCaller))
      expect(kernel.dispatches.length).toBe(2 * ROUTES.length)
    }
    const { ask } = authorizer({ cache: 'caller' })
    await holds(gateway(ask, httpEvent, byCaller))
  })

  test('and it is a trap: the policy for one request, kept by caller, is wrong for the next', async () => {
    const { ask } = authorizer()
    await expect(holds(gateway(ask, tokenEvent, byCaller))).rejects.toThrow()
  })

  test('by route: a simple answer is kept only where the gateway says that the route is in its key', async () => {
    const { ask } = authorizer({ cache: 'route', responses: 'simple' })
    const make = (method: string, path: string, token: string) =>
      httpEvent(method, path, token, [token, `${method} ${path}`])
    await holds(gateway(ask, make, (...all) => all.join(' ')))
    const without = (await ask(httpEvent('GET', '/notes'))) as object
    expect(without).toMatchObject({ isAuthorized: false, context: { error: 'cache_not_possible' } })
    const rest = await ask(tokenEvent('GET', '/notes'))
    expect(rest.context.error).toBe('cache_not_possible')
  })

  test.each(['$default', 'ANY /notes', 'GET /{proxy+}', 'GET /{id}', 'POST /notes'])(
    'by route: %s stands for other requests too, so there is no answer to keep',
    async (routeKey) => {
      const { ask } = authorizer({ cache: 'route', responses: 'simple' })
      const event = { ...httpEvent('GET', '/notes', 'ada', ['ada', routeKey]), routeKey }
      const answer = (await ask(event)) as object
      expect(answer).toMatchObject({
        isAuthorized: false,
        context: { error: 'cache_not_possible' },
      })
    },
  )

  test('by caller: a simple answer would be kept for every route, so there is none', async () => {
    const { ask } = authorizer({ cache: 'caller', responses: 'simple' })
    expect(await ask(httpEvent('GET', '/notes'))).toMatchObject({
      isAuthorized: false,
      context: { error: 'cache_not_possible' },
    })
  })

  test('a failure of one route is no policy for the others', async () => {
    let asked = 0
    const kernel = new FakeKernel(async () => {
      asked++
      if (asked === 2) throw new NoDecision('unavailable', 'gone')
      return decision()
    })
    const { ask } = authorizer({ cache: 'caller' }, kernel)
    const answer = await ask(tokenEvent('GET', '/notes'))
    expect([effect(answer), answer.context.error]).toEqual([['Deny'], 'unavailable'])
  })

  test.each<[name: string, options: Partial<AuthorizerOptions>]>([
    ['a place for any text', { routes: [{ ...ROUTES[0]!, path: '/notes/{id}' }] }],
    ['the end left open', { routes: [{ ...ROUTES[0]!, path: '/files/{rest*}' }] }],
    ['no methods', { routes: [{ path: '/x', action: 'read', resource: { type: 'a', id: 'b' } }] }],
    ['obligations', { obligations: ['log'] }],
    ['too many routes', { routes: Array.from({ length: 101 }, () => ROUTES[0]!) }],
    ['no route', { routes: [] }],
  ])('is refused at start with %s', (_, options) => {
    expect(() => authorizer({ cache: 'caller', ...options })).toThrow(
      expect.objectContaining({ code: 'invalid_options' }),
    )
  })

  test('a policy that API Gateway would not take is a denial', async () => {
    const routes = Array.from({ length: 100 }, (_, i) => ({
      ...ROUTES[0]!,
      path: `/${'long'.repeat(10)}/${i}`,
    }))
    const any: AuthorizerOptions['router'] = () => router('GET', '/notes')
    const { ask } = authorizer({ cache: 'caller', routes, router: any })
    expect((await ask(tokenEvent('GET', '/notes'))).context.error).toBe('answer_too_large')
  })
})
