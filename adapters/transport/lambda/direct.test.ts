/** Invocations without a gateway, schedules, and everything that is neither. */
import { describe, expect, test } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import { decision, FakeKernel, RECEIPT } from '../../../test/fake-kernel.ts'
import { createHandler, InvocationError, type LambdaOptions } from './handler.ts'
import type { DirectAnswer, LambdaContext } from './index.ts'

const EVALUATION = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'note', id: 'plan' },
}
const invoking = (kernel = new FakeKernel(), options: LambdaOptions = { direct: {} }) => {
  const { handler } = createHandler(kernel, options)
  const invoke = async (event: unknown, context?: LambdaContext) =>
    (await handler(event, context)) as DirectAnswer
  return { invoke, kernel }
}
const code = (answer: DirectAnswer) => ('error' in answer ? answer.error.code : 'decided')

describe('a direct invocation', () => {
  test('is any action with its payload, and what was asked for', async () => {
    const { invoke, kernel } = invoking()
    const answer = await invoke({ action: 'access.assign', payload: [1], receipt: 'include' })
    expect(answer).toMatchObject({ allow: true, index: '7', receipt: RECEIPT, seal: 'sealed' })
    await invoke({ evaluation: { ...EVALUATION, later: 1 }, obligations: ['log'] })
    const said = kernel.dispatches.map(({ submission }) => [
      submission.action,
      submission.payload.json(),
      submission.obligations,
    ])
    expect(said).toEqual([
      ['access.assign', [1], undefined],
      ['access.evaluate', EVALUATION, ['log']],
    ])
  })

  test('that Lambda repeats has the key of its request id', async () => {
    const { invoke, kernel } = invoking()
    await invoke({ evaluation: EVALUATION }, { awsRequestId: 'r-1' })
    await invoke({ evaluation: EVALUATION, idempotencyKey: 'own' }, { awsRequestId: 'r-2' })
    const keys = kernel.dispatches.map(({ submission }) => submission.idempotencyKey)
    expect(keys).toEqual(['lambda:r-1', 'own'])
  })

  test('whose receipt cannot be had stands', async () => {
    const receipt = () => Promise.reject(new NoDecision('unavailable', 'hunter2'))
    const { invoke } = invoking(new FakeKernel(async () => decision({ receipt })))
    const answer = await invoke({ evaluation: EVALUATION, receipt: 'include' })
    expect(answer).toMatchObject({ allow: true, receiptError: 'unavailable' })
  })

  test.each<[name: string, event: unknown]>([
    ['a member that it does not have', { evaluation: EVALUATION, peer: { kind: 'operator' } }],
    ['both forms at once', { evaluation: EVALUATION, action: 'access.evaluate', payload: {} }],
    ['no payload', { action: 'access.evaluate' }],
    ['an action that is none', { action: 'Access', payload: {} }],
    ['half an evaluation', { evaluation: { ...EVALUATION, subject: 'ada' } }],
    ['a number that JSON bends', { action: 'access.evaluate', payload: { n: 2 ** 53 } }],
    ['half a surrogate pair', { action: 'access.evaluate', payload: '\ud800' }],
    ['another seal', { evaluation: EVALUATION, seal: 'witnessed' }],
    ['another receipt', { evaluation: EVALUATION, receipt: 'yes' }],
    ['no time', { evaluation: EVALUATION, timeoutMs: 0 }],
    ['a key that is no text', { evaluation: EVALUATION, idempotencyKey: 7 }],
    ['obligations that are no names', { evaluation: EVALUATION, obligations: [7] }],
  ])('is refused with %s, and counted', async (_, event) => {
    const { invoke, kernel } = invoking()
    const answer = await invoke(event)
    expect([answer.allow, code(answer)]).toEqual([false, 'invalid_event'])
    expect([kernel.dispatches, kernel.refusals]).toEqual([[], ['lambda invalid_event']])
  })

  test('may be thrown, where that makes Lambda repeat it', async () => {
    const options = { direct: { throws: true } }
    const failing = (why: 'malformed' | 'unavailable') =>
      invoking(new FakeKernel(() => Promise.reject(new NoDecision(why, 'hunter2'))), options)
    const thrown = failing('unavailable').invoke({ evaluation: EVALUATION })
    await expect(thrown).rejects.toBeInstanceOf(InvocationError)
    await expect(thrown).rejects.toMatchObject({ name: 'unavailable', stack: '' })
    await expect(thrown).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') })
    expect(code(await failing('malformed').invoke({ evaluation: EVALUATION }))).toBe('malformed')
  })

  test('is refused where none are served', async () => {
    const { invoke } = invoking(new FakeKernel(), {})
    expect(code(await invoke({ evaluation: EVALUATION }))).toBe('not_served')
  })
})

test.each([null, 7, 'x', [], {}, { Records: [] }, { type: 'TOKEN' }, { requestContext: {} }])(
  'an event that nobody knows is a denial with a code: %j',
  async (event) => {
    const { invoke, kernel } = invoking()
    const answer = await invoke(event)
    expect([answer.allow, code(answer)]).toEqual([false, 'unknown_event'])
    expect(kernel.dispatches).toEqual([])
  },
)

describe('integration', () => {
  const SCHEDULE = { 'detail-type': 'Scheduled Event', source: 'aws.events' }
  const counting = (isDue: boolean, fails = false) => {
    let count = 0
    const integrate = async () => {
      count++
      if (fails) throw new Error('hunter2')
      return { pending: 0, sealed: '8' }
    }
    const options = { direct: {}, integrate, isDue: () => isDue }
    return { ...invoking(new FakeKernel(), options), count: () => count }
  }

  test('is made by schedule', async () => {
    const { count, invoke } = counting(false)
    expect(await invoke(SCHEDULE)).toEqual({ pending: 0, sealed: '8' })
    expect(count()).toBe(1)
  })

  test('is made at the end of an invocation where it is due and there is time', async () => {
    const due = counting(true)
    await due.invoke({ evaluation: EVALUATION })
    await due.invoke({ evaluation: EVALUATION }, { getRemainingTimeInMillis: () => 900 })
    expect(due.count()).toBe(1)
    const later = counting(false)
    await later.invoke({ evaluation: EVALUATION })
    expect(later.count()).toBe(0)
  })

  test('that hangs holds no answer up for long', async () => {
    const integrate = () => new Promise<never>(() => undefined)
    const options = { direct: {}, integrate, isDue: () => true }
    const { invoke } = invoking(new FakeKernel(), options)
    expect(code(await invoke({ evaluation: EVALUATION }))).toBe('decided')
  })

  test('that fails changes no answer, and fails a schedule so that somebody is told', async () => {
    const { invoke } = counting(true, true)
    expect(code(await invoke({ evaluation: EVALUATION }))).toBe('decided')
    await expect(invoke(SCHEDULE)).rejects.toMatchObject({ name: 'unavailable' })
  })
})
