import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Engine, Policy } from '../../../core/ports/engine.ts'
import { bundle } from '../../../test/rego.ts'
import { createJitEngine } from '../jit/index.ts'
import { createWasmEngine } from '../wasm/index.ts'
import { difference } from './difference.ts'
import { type Comparison, createBothEngine } from './index.ts'

const RULES = `decision := {"allow": input.n > 10, "reasons": [{"code": "secret", "message": input.who}], "output": {input.who: input.n}}`

/** With another answer where `change` gives one. */
function lying(engine: Engine, change: (answer: Json | undefined) => Json | undefined): Engine {
  const wrapped = (policy: Policy): Policy => ({
    digest: policy.digest,
    revision: policy.revision,
    entrypoints: policy.entrypoints,
    evaluate: (name, input) => change(policy.evaluate(name, input) as Json | undefined),
    patch: async (operations, revision) => wrapped(await policy.patch(operations, revision)),
    close: () => policy.close(),
  })
  return { name: engine.name, load: async (made) => wrapped(await engine.load(made)) }
}

async function opened(second: Engine, first: Engine = createJitEngine(), rego = RULES) {
  const told: Comparison[] = []
  const engine = createBothEngine({ first, second, report: (comparison) => told.push(comparison) })
  const policy = await engine.load(await bundle(rego, undefined, { limit: 1 }))
  const ask = async (value: Json): Promise<Json | undefined> =>
    policy.evaluate('p/decision', { value, text: JSON.stringify(value) })
  return { ask, policy, told }
}

const failure = (code: string) => expect.objectContaining({ code }) as Error

describe('two engines', () => {
  test('that say the same give the answer of the first', async () => {
    const { ask, told } = await opened(createWasmEngine())
    const answer = {
      allow: true,
      reasons: [{ code: 'secret', message: 'ann' }],
      output: { ann: 11 },
    }
    expect(await ask({ n: 11, who: 'ann' })).toEqual(answer)
    expect(await ask({})).toBeUndefined()
    expect(told).toEqual([{ outcome: 'same' }, { outcome: 'same' }])
  })

  const lies: readonly (readonly [
    string,
    (answer: Json | undefined) => Json | undefined,
    string,
  ])[] = [
    ['an allow', (answer) => ({ ...(answer as object), allow: true }), '/allow'],
    ['nothing', () => undefined, ''],
    ['null', () => null, ''],
    [
      'another message',
      (answer) => ({ ...(answer as object), reasons: [{ code: 'secret', message: 'bob' }] }),
      '/reasons/0/message',
    ],
    ['no reason', (answer) => ({ ...(answer as object), reasons: [] }), '/reasons/0'],
    [
      'one more reason',
      (answer) => ({
        ...(answer as object),
        reasons: [{ code: 'secret', message: 'ann' }, { code: 'x' }],
      }),
      '/reasons/1',
    ],
    ['other data', (answer) => ({ ...(answer as object), output: { ann: 2 } }), '/output/*'],
    ['one more member', (answer) => ({ ...(answer as object), secret: 1 }), '/*'],
  ]
  for (const [name, change, pointer] of lies)
    for (const liar of ['first', 'second'] as const)
      test(`where the ${liar} says ${name}: nobody is let in, and both digests are told`, async () => {
        const engines = [createJitEngine(), createWasmEngine()] as const
        const [one, two] =
          liar === 'first'
            ? [lying(engines[0], change), engines[1]]
            : [engines[0], lying(engines[1], change)]
        const { ask, told } = await opened(two, one)
        await expect(ask({ n: 1, who: 'ann' })).rejects.toThrow(failure('engine_mismatch'))
        const { digest, revision } = await bundle(RULES, undefined, { limit: 1 })
        const answer = expect.stringMatching(/^(?:sha256:[0-9a-f]{64}|undefined)$/) as string
        expect(told).toEqual([
          {
            outcome: 'mismatch',
            digest,
            revision,
            entrypoint: 'p/decision',
            pointer,
            first: { engine: 'engine/jit', answer },
            second: { engine: 'engine/wasm', answer },
          },
        ])
        expect(JSON.stringify(told)).not.toMatch(/ann|bob|secret/)
      })

  test('that no JSON says is told all the same', async () => {
    const deep = JSON.parse('['.repeat(300) + ']'.repeat(300)) as Json
    const { ask, told } = await opened(lying(createWasmEngine(), () => deep))
    await expect(ask({ n: 1, who: 'ann' })).rejects.toThrow(failure('engine_mismatch'))
    expect(told).toMatchObject([{ outcome: 'mismatch', second: { answer: 'unwritable' } }])
  })

  test('of which one fails where the other answers contradict each other', async () => {
    const failing = lying(createWasmEngine(), () => {
      throw new EngineError('engine/wasm', 'evaluation_failed', 'var assignment conflict')
    })
    for (const [second, first] of [
      [failing, createJitEngine()],
      [createJitEngine(), failing],
    ] as const) {
      const { ask, told } = await opened(second, first)
      await expect(ask({ n: 1, who: 'ann' })).rejects.toThrow(failure('engine_mismatch'))
      expect(told).toMatchObject([{ outcome: 'mismatch', pointer: '' }])
    }
  })

  test('that both fail agree, and what the first says is the failure', async () => {
    const rego = 'decision := 1 if input.a\n\ndecision := 2 if input.b'
    const { ask, told } = await opened(createWasmEngine(), createJitEngine(), rego)
    await expect(ask({ a: 1, b: 1 })).rejects.toThrow(failure('evaluation_failed'))
    expect(await ask({ b: 1 })).toBe(2)
    expect(told).toEqual([{ outcome: 'same' }, { outcome: 'same' }])
  })

  test('of which one comes to the end of its steps are not compared', async () => {
    const rego = 'decision := count(numbers.range(1, input.n))'
    const few = createWasmEngine({ maxSteps: 1000 })
    const one = await opened(few, createJitEngine(), rego)
    expect(await one.ask({ n: 5000 })).toBe(5000)
    expect(await one.ask({ n: 50 })).toBe(50)
    expect(one.told).toEqual([{ outcome: 'uncompared' }, { outcome: 'same' }])
    const other = await opened(createJitEngine(), few, rego)
    await expect(other.ask({ n: 5000 })).rejects.toThrow(failure('budget_exhausted'))
    expect(other.told).toEqual([{ outcome: 'uncompared' }])
  })

  test('of which one is in a worker are compared when both have answered', async () => {
    const engine = createWasmEngine()
    const late: Engine = {
      name: 'engine/late',
      load: async (made) => {
        const policy = await engine.load(made)
        return {
          ...made,
          evaluate: async (name, input) => policy.evaluate(name, input),
          patch: () => policy,
          close: () => policy.close(),
        }
      },
    }
    const { ask, told } = await opened(late)
    expect(await ask({ n: 1, who: 'ann' })).toMatchObject({ allow: false })
    expect(told).toEqual([{ outcome: 'same' }])
    const wrong = await opened(
      lying(createWasmEngine(), () => Promise.resolve(null) as unknown as Json),
    )
    await expect(wrong.ask({ n: 1, who: 'ann' })).rejects.toThrow(failure('engine_mismatch'))
  })

  test('take a change of data together, or not at all', async () => {
    const { policy } = await opened(createWasmEngine(), createJitEngine(), 'decision := data.limit')
    const ask = (one: Policy) => one.evaluate('p/decision', { value: {}, text: '{}' })
    const next = await policy.patch([{ op: 'replace', path: '/limit', value: 2 }], 'sha256:next')
    expect([ask(policy), ask(next), next.revision]).toEqual([1, 2, 'sha256:next'])
    await expect(policy.patch([{ op: 'remove', path: '/none' }], 'x')).rejects.toThrow(
      failure('invalid_patch'),
    )
    expect(ask(policy)).toBe(1)
  })
})

describe('a difference', () => {
  const json = fc
    .jsonValue({ maxDepth: 3 })
    .map((value) => JSON.parse(JSON.stringify(value)) as Json)
  test('is there exactly where the JSON differs', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(difference(a, structuredClone(a))).toBeUndefined()
        expect(difference(a, b) === undefined).toBe(isDeepStrictEqual(a, b))
        expect(difference(b, a) === undefined).toBe(isDeepStrictEqual(a, b))
      }),
    )
  })
  test('is none in the order of members', () => {
    expect(
      difference({ a: 1, b: [1, { c: 2, d: 3 }] }, { b: [1, { d: 3, c: 2 }], a: 1 }),
    ).toBeUndefined()
    expect(difference({ a: [1, 2] }, { a: [2, 1] })).toBe('/*/0')
    expect(difference(JSON.parse('{"__proto__": 1}') as Json, {})).toBe('/*')
  })
})
