/** The laws of {@link Engine}: an answer is a function of policy, data and input, undefined is undefined, and no input breaks the next one. */
import fc from 'fast-check'
import { expect, vi } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { Engine, Policy } from '../../core/ports/engine.ts'
import { bundle } from '../rego.ts'
import { differentialLaws } from './engine-differential.ts'
import { type Law, refusal, registerLaws, type Subject } from './laws.ts'

export interface EngineSubject extends Subject {
  open(): Engine | Promise<Engine>
}

/** Loads, asks, closes. */
export async function withPolicy<T>(
  subject: EngineSubject,
  made: Bundle | Promise<Bundle>,
  use: (policy: Policy) => Promise<T>,
): Promise<T> {
  const policy = await (await subject.open()).load(await made)
  try {
    return await use(policy)
  } finally {
    await policy.close()
  }
}

export async function ask(
  policy: Policy,
  value: Json,
  entrypoint = 'p/decision',
): Promise<Json | undefined> {
  return await policy.evaluate(entrypoint, { value, text: JSON.stringify(value) })
}

/** What one policy of package `p` says to one input. */
async function once(subject: EngineSubject, rego: string, input: Json = {}, data?: Json) {
  return withPolicy(subject, bundle(rego, undefined, data), (policy) => ask(policy, input))
}

const ECHO = 'decision := {"value": input.value}'
const CONFLICT = 'decision := "a" if input.a\n\ndecision := "b" if input.b'

/** JSON as the kernel lets it in: well-formed strings, safe integers, no -0. */
const json = fc
  .jsonValue({ maxDepth: 4, stringUnit: 'binary' })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)
  .filter((value) => !/\d\.?\d*e|\d\.\d|\d{16}/.test(JSON.stringify(value)))

/** What an engine may say to an input that it does not take. */
const isRefusal = (said: unknown): boolean =>
  said === 'evaluation_failed' || said === 'invalid_input' || said === 'engine_mismatch'

const members = (value: Json): unknown => Object.entries(value as object).sort()

const answers: readonly Law<EngineSubject>[] = [
  {
    name: 'an entry point without a value is undefined',
    async run(subject) {
      expect(await once(subject, 'decision := 1 if input.never')).toBeUndefined()
      expect(await once(subject, 'decision := input.never')).toBeUndefined()
      expect(await once(subject, 'decision := {"a": input.never}')).toBeUndefined()
    },
  },
  {
    name: 'false, null, zero and empty are values, in answers and in inputs',
    async run(subject) {
      for (const value of [false, null, 0, '', [], {}] as const) {
        expect(await once(subject, `decision := ${JSON.stringify(value)}`)).toEqual(value)
        expect(await once(subject, ECHO, { value })).toEqual({ value })
      }
      const present = 'decision := {"is": input.a == false, "b": input.b, "c": count(input.c)}'
      const input = { a: false, b: null, c: '' }
      expect(await once(subject, present, input)).toEqual({ is: true, b: null, c: 0 })
    },
  },
  {
    name: 'division by zero is undefined, not an error',
    async run(subject) {
      const rego = 'decision := {"n": 1 / input.n}'
      await withPolicy(subject, bundle(rego), async (policy) => {
        expect(await ask(policy, { n: 0 })).toBeUndefined()
        expect(await ask(policy, { n: 2 })).toEqual({ n: 0.5 })
      })
      const refuses = 'default decision := "no"\n\ndecision := "yes" if 1 % input.n == 1'
      expect(await once(subject, refuses, { n: 0 })).toBe('no')
    },
  },
  {
    name: 'any JSON that goes in comes out, from its text or its value',
    async run(subject) {
      await withPolicy(subject, bundle(ECHO), async (policy) => {
        const check = fc.asyncProperty(json, async (value) => {
          expect(await ask(policy, { value })).toEqual({ value })
        })
        await fc.assert(check, { numRuns: 500 })
      })
    },
  },
  {
    name: 'integers are exact up to 2^53 - 1, and longer ones as strings',
    async run(subject) {
      const rego = 'decision := {"next": input.n + 1, "same": input.s == input.t, "n": input.n}'
      const n = Number.MAX_SAFE_INTEGER - 1
      const input = { n, s: '9007199254740993', t: '9007199254740992' }
      expect(await once(subject, rego, input)).toEqual({ next: n + 1, same: false, n })
      const below = { n: -Number.MAX_SAFE_INTEGER, s: '', t: '' }
      expect(await once(subject, rego, below)).toMatchObject({ n: -Number.MAX_SAFE_INTEGER })
    },
  },
  {
    name: 'names that JavaScript knows are names like any other',
    async run(subject) {
      const rego = [
        'decision := {"sent": object.keys(input.m), "kept": data.m, "proto": proto, "own": own}',
        'proto := object.get(input.m, "__proto__", "none")',
        'own := [name | some name in ["constructor", "toString", "__proto__"]; input.n[name]]',
      ].join('\n\n')
      const names = '{"__proto__":{"x":1},"constructor":2,"hasOwnProperty":3,"toString":4}'
      const hostile = JSON.parse(names) as Json
      const answer = await once(subject, rego, { m: hostile, n: {} }, { m: hostile })
      expect(members((answer as { kept: Json }).kept)).toEqual(members(hostile))
      expect(answer).toMatchObject({ proto: { x: 1 }, own: [] })
      expect((answer as { sent: string[] }).sent.sort()).toEqual(
        Object.keys(hostile as object).sort(),
      )
    },
  },
]

const isolation: readonly Law<EngineSubject>[] = [
  {
    name: 'conflicting rules fail, and the next answer is right',
    async run(subject) {
      await withPolicy(subject, bundle(CONFLICT), async (policy) => {
        for (let i = 0; i < 20; i++) {
          expect(await refusal(ask(policy, { a: 1, b: 1 }))).toBe('evaluation_failed')
          expect(await ask(policy, { b: 1 })).toBe('b')
        }
      })
    },
  },
  {
    name: 'half a surrogate pair fails or is kept, and the next answer is right',
    async run(subject) {
      await withPolicy(subject, bundle(ECHO), async (policy) => {
        const value = { value: 'a\ud800' }
        for (const text of [JSON.stringify(value), '{"value":"a\ud800"}']) {
          const answer = Promise.try(() => policy.evaluate('p/decision', { value, text }))
          const said = await answer.catch(() => refusal(answer))
          if (!isRefusal(said)) expect(said).toEqual(value)
          expect(await ask(policy, { value: 'fine' })).toEqual({ value: 'fine' })
        }
      })
    },
  },
  {
    name: 'the same input has the same answer, whatever came between',
    async run(subject) {
      const rego = `${CONFLICT}\n\ndecision := {"n": count(input.list), "l": input.list} if input.list`
      await withPolicy(subject, bundle(rego), async (policy) => {
        const input = { list: ['x', { y: [1, 2, 3] }] }
        const first = await ask(policy, input)
        expect(first).toEqual({ n: 2, l: input.list })
        const between: Json[] = [{}, { a: 1, b: 1 }, { list: [] }, { list: 'z'.repeat(100_000) }]
        for (const other of [...between, ...between]) {
          await ask(policy, other).catch(() => undefined)
          expect(await ask(policy, input)).toEqual(first)
        }
      })
    },
  },
  {
    name: 'deep input is answered or fails, and the next answer is right',
    async run(subject) {
      await withPolicy(
        subject,
        bundle('decision := {"there": is_array(input.value)}'),
        async (policy) => {
          for (const depth of [100, 10_000, 1_000_000]) {
            const text = `{"value":${'['.repeat(depth)}${']'.repeat(depth)}}`
            const answer = Promise.try(() =>
              policy.evaluate('p/decision', { value: JSON.parse(text), text }),
            )
            const said = await answer.catch(() => refusal(answer))
            if (!isRefusal(said)) expect(said).toEqual({ there: true })
            expect(await ask(policy, { value: 1 })).toEqual({ there: false })
          }
        },
      )
    },
  },
  {
    name: 'large input is answered, and the next answer is right',
    async run(subject) {
      await withPolicy(subject, bundle('decision := count(input.list)'), async (policy) => {
        const list = Array.from({ length: 200_000 }, (_, i) => `item ${i}`)
        expect(await ask(policy, { list })).toBe(200_000)
        expect(await ask(policy, { list: [1] })).toBe(1)
      })
    },
  },
  {
    name: 'policies do not see each other: not their rules, not their data',
    async run(subject) {
      const rego = 'decision := data.secret'
      const [red, blue, none] = await Promise.all([
        bundle(rego, undefined, { secret: 'red' }),
        bundle(rego, undefined, { secret: 'blue' }),
        bundle(rego),
      ])
      const engine = await subject.open()
      const policies = await Promise.all([red, blue, none].map((one) => engine.load(one)))
      const said = await Promise.all(policies.map((policy) => ask(policy, {})))
      expect(said).toEqual(['red', 'blue', undefined])
      await policies[0]!.close()
      expect(await ask(policies[1]!, {})).toBe('blue')
      await Promise.all(policies.map((policy) => policy.close()))
    },
  },
  {
    name: 'what the caller changes afterwards reaches neither policy nor data nor the next answer',
    async run(subject) {
      const original = await bundle('decision := data.list', undefined, { list: ['a'] })
      const mine = {
        ...original,
        data: structuredClone(original.data),
        wasm: original.wasm.slice(),
      }
      await withPolicy(subject, mine, async (policy) => {
        mine.wasm.fill(0)
        ;(mine.data as { list: string[] }).list.push('b')
        const answer = (await ask(policy, {})) as string[]
        expect(answer).toEqual(['a'])
        try {
          answer.push('c')
        } catch {
          // Frozen: as good.
        }
        expect(await ask(policy, {})).toEqual(['a'])
      })
    },
  },
  {
    name: 'a polluted Object.prototype allows nothing, and the next answer is right',
    async run(subject) {
      const rego = 'default decision := false\n\ndecision if input.action in data.allowed'
      await withPolicy(subject, bundle(rego, undefined, { allowed: ['read'] }), async (policy) => {
        const pollute = (members: object) => Object.assign(Object.prototype, members)
        const members = { action: 'read', result: true, allowed: ['write'], maximum: 1, value: 1 }
        const said: unknown[] = []
        pollute(members)
        try {
          // An engine that reads properties may refuse to work in such a process.
          for (const input of [{}, { action: 'write' }])
            said.push(
              await ask(policy, input).catch((error: { code?: string }) =>
                isRefusal(error.code) ? false : error,
              ),
            )
        } finally {
          for (const name of Object.keys(members)) Reflect.deleteProperty(Object.prototype, name)
        }
        expect(said).toEqual([false, false])
        expect(await ask(policy, { action: 'read' })).toBe(true)
      })
    },
  },
  {
    name: 'nothing is printed',
    async run(subject) {
      const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
        vi.spyOn(console, method).mockImplementation(() => undefined),
      )
      try {
        await withPolicy(subject, bundle(CONFLICT), async (policy) => {
          await ask(policy, { a: 1, b: 1 }).catch(() => undefined)
          await ask(policy, { a: 1 })
        })
        for (const spy of spies) expect(spy.mock.calls).toEqual([])
      } finally {
        for (const spy of spies) spy.mockRestore()
      }
    },
  },
]

const lifecycle: readonly Law<EngineSubject>[] = [
  {
    name: 'a policy says what it was made from',
    async run(subject) {
      const made = await bundle('decision := 1\n\nother := 2', ['p/other', 'p/decision'])
      await withPolicy(subject, made, async ({ digest, revision, entrypoints }) => {
        const { digest: d, revision: r, entrypoints: e } = made
        expect({ digest, revision, entrypoints }).toEqual({
          digest: d,
          revision: r,
          entrypoints: e,
        })
      })
    },
  },
  {
    name: 'only the entry points of the bundle can be asked for',
    async run(subject) {
      // A rule that depends on an entry point is one to OPA's code generator, and not to a caller.
      const made = bundle('decision := 1\n\nother := decision + 1')
      await withPolicy(subject, made, async (policy) => {
        for (const name of ['p/other', 'p', 'nope', '', '__proto__', 'constructor', 'toString'])
          expect(await refusal(ask(policy, {}, name))).toBe('unknown_entrypoint')
        expect(await ask(policy, {})).toBe(1)
      })
    },
  },
  {
    name: 'a closed policy answers nothing, and closing twice is closing',
    async run(subject) {
      const policy = await (await subject.open()).load(await bundle('decision := 1'))
      expect(await ask(policy, {})).toBe(1)
      await policy.close()
      await policy.close()
      expect(await refusal(ask(policy, {}))).toBe('closed')
    },
  },
  {
    name: 'a bundle that cannot serve is refused when it is loaded',
    async run(subject) {
      const made = await bundle('decision := 1')
      const engine = await subject.open()
      const bad: Bundle[] = [
        { ...made, wasm: new Uint8Array(), plan: null },
        { ...made, wasm: made.wasm.slice(0, 1000), plan: {} },
        { ...made, wasm: new TextEncoder().encode('no module'), plan: [] },
        { ...made, entrypoints: ['p/nowhere'] },
      ]
      for (const one of bad) expect(await refusal(engine.load(one))).toBe('invalid_bundle')
      await withPolicy(subject, made, async (policy) => expect(await ask(policy, {})).toBe(1))
    },
  },
]

export const engineLaws: readonly Law<EngineSubject>[] = [
  ...answers,
  ...isolation,
  ...lifecycle,
  ...differentialLaws,
]

export function engineConformance(subject: EngineSubject): void {
  registerLaws('engine', engineLaws, subject)
}
