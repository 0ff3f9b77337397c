/** The wasm engine, broken on purpose: each mutant must fail in the law that it names. */
import { createWasmEngine } from '../../../adapters/engine/wasm/index.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import type { Policy, PolicyInput } from '../../../core/ports/engine.ts'
import { type EngineSubject, engineLaws } from '../engine.ts'
import type { Law, Mutant } from '../laws.ts'

type Evaluate = (entrypoint: string, input: PolicyInput) => Json | undefined
type Members = { readonly [name: string]: Json }

/** Every policy with something of it replaced. */
function broken(
  change: (policy: Policy, evaluate: Evaluate, bundle: Bundle) => Partial<Policy>,
): EngineSubject {
  const engine = createWasmEngine()
  const load = async (bundle: Bundle): Promise<Policy> => {
    const policy = await engine.load(bundle)
    const { digest, revision, entrypoints } = policy
    const evaluate: Evaluate = (name, input) => policy.evaluate(name, input) as Json | undefined
    const patch: Policy['patch'] = (operations, next) => policy.patch(operations, next)
    const close = (): Promise<void> => policy.close()
    const original = { digest, revision, entrypoints, evaluate, patch, close }
    return { ...original, ...change(policy, evaluate, bundle) }
  }
  return { name: 'engine/wasm', open: () => ({ name: 'engine/wasm', load }) }
}

/** Another answer for the same question. */
function answering(
  change: (value: Json | undefined, input: Members) => Json | undefined,
): EngineSubject {
  return broken((_, evaluate) => ({
    evaluate: (name, input) => change(evaluate(name, input), input.value as Members),
  }))
}

/** Another question. */
function asking(change: (input: PolicyInput) => Json): EngineSubject {
  return broken((_, evaluate) => ({
    evaluate(name, input) {
      const value = change(input)
      return evaluate(name, { value, text: JSON.stringify(value) })
    },
  }))
}

function loading(change: (bundle: Bundle) => Bundle): EngineSubject {
  const engine = createWasmEngine()
  return {
    name: 'engine/wasm',
    open: () => ({ name: 'engine/wasm', load: (bundle) => engine.load(change(bundle)) }),
  }
}

function depth(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce((most: number, item) => Math.max(most, depth(item)), 0)
}

function truncated(value: Json | undefined): Json | undefined {
  if (typeof value === 'number') return Math.fround(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value as Members)
  return Object.fromEntries(entries.map(([name, member]) => [name, truncated(member)!]))
}

const failing: readonly Mutant<EngineSubject>[] = [
  {
    name: 'throws what the policy throws, not an EngineError',
    law: 'conflicting rules fail, and the next answer is right',
    subject: broken((_, evaluate) => ({
      evaluate(name, input) {
        try {
          return evaluate(name, input)
        } catch {
          throw 'var assignment conflict'
        }
      },
    })),
  },
  {
    name: 'never recovers from a failure',
    law: 'conflicting rules fail, and the next answer is right',
    subject: broken((_, evaluate) => {
      let failure: unknown
      return {
        evaluate(name, input) {
          if (failure !== undefined) throw failure
          try {
            return evaluate(name, input)
          } catch (error) {
            failure = error
            throw error
          }
        },
      }
    }),
  },
  {
    name: 'takes U+FFFD for half a surrogate pair',
    law: 'half a surrogate pair fails or is kept, and the next answer is right',
    subject: asking(
      ({ text }) => JSON.parse(text.toWellFormed().replaceAll('\\ud800', '\ufffd')) as Json,
    ),
  },
  {
    name: 'walks the input until the stack ends',
    law: 'deep input is answered or fails, and the next answer is right',
    subject: asking(({ value }) => (depth(value) > 0 ? value : {})),
  },
  {
    name: 'refuses what it has no room for',
    law: 'large input is answered, and the next answer is right',
    subject: broken((_, evaluate) => ({
      evaluate: (name, input) => (input.text.length > 1e6 ? undefined : evaluate(name, input)),
    })),
  },
  {
    name: 'prints when a policy fails',
    law: 'nothing is printed',
    subject: broken((_, evaluate) => ({
      evaluate(name, input) {
        try {
          return evaluate(name, input)
        } catch (error) {
          console.error('policy failed')
          throw error
        }
      },
    })),
  },
]

const wrong: readonly Mutant<EngineSubject>[] = [
  {
    name: 'says null for undefined',
    law: 'an entry point without a value is undefined',
    subject: answering((value) => value ?? null),
  },
  {
    name: 'says nothing for false',
    law: 'false, null, zero and empty are values, in answers and in inputs',
    subject: answering((value) => value || undefined),
  },
  {
    name: 'divides by zero',
    law: 'division by zero is undefined, not an error',
    subject: answering((value, input) => (input.n === 0 ? { n: null } : value)),
  },
  {
    name: 'normalizes texts',
    law: 'any JSON that goes in comes out, from its text or its value',
    subject: asking(({ text }) => JSON.parse(text.normalize('NFKC').replaceAll(' ', '')) as Json),
  },
  {
    name: 'keeps numbers in four bytes',
    law: 'integers are exact up to 2^53 - 1, and longer ones as strings',
    subject: answering(truncated),
  },
  {
    name: 'assigns members one by one',
    law: 'names that JavaScript knows are names like any other',
    subject: asking(({ text }) =>
      JSON.parse(text, (name, value: Json) => (name === '__proto__' ? undefined : value)),
    ),
  },
  {
    name: 'remembers answers by the length of the question',
    law: 'the same input has the same answer, whatever came between',
    subject: broken((_, evaluate) => {
      const known = new Map<number, Json | undefined>()
      return {
        evaluate(name, input) {
          if (known.size > 1) return [...known.values()].at(-1)
          known.set(input.text.length, evaluate(name, input))
          return known.get(input.text.length)
        },
      }
    }),
  },
  {
    name: 'counts UTF-16 units',
    law: "answers as OPA's evaluator does: strings by code point",
    subject: answering((value, { s }) =>
      value === undefined ? value : { ...(value as Members), count: (s as string).length },
    ),
  },
  {
    name: 'goes through objects in an order of its own',
    law: "answers as OPA's evaluator does: objects",
    subject: answering((value) => {
      if (value === undefined) return value
      const { values, ...rest } = value as {
        readonly values: Json[]
        readonly [name: string]: Json
      }
      return { ...rest, values: values.toReversed() }
    }),
  },
  {
    name: 'writes sets in the order it finds them in',
    law: "answers as OPA's evaluator does: the text of messages",
    subject: answering((value) => {
      const { set, ...rest } = value as { readonly set: string; readonly [name: string]: Json }
      return { ...rest, set: `{${set.slice(1, -1).split(', ').reverse().join(', ')}}` }
    }),
  },
]

let first: Bundle | undefined

const careless: readonly Mutant<EngineSubject>[] = [
  {
    name: 'has one data document for all policies',
    law: 'policies do not see each other: not their rules, not their data',
    subject: loading((bundle) => {
      first ??= bundle
      return { ...bundle, data: first.data }
    }),
  },
  {
    name: 'hands out what it keeps',
    law: 'what the caller changes afterwards reaches neither policy nor data nor the next answer',
    subject: broken((_, evaluate) => {
      let kept: Json | undefined
      return { evaluate: (name, input) => (kept ??= evaluate(name, input)) }
    }),
  },
  {
    name: 'reads inherited members',
    law: 'a polluted Object.prototype allows nothing, and the next answer is right',
    subject: asking(({ value }) => {
      const { action } = value as Members
      return action === undefined ? value : { action }
    }),
  },
  {
    name: 'says another digest',
    law: 'a policy says what it was made from',
    subject: broken((_, __, { wasm }) => ({ digest: `sha256:${wasm.length}` })),
  },
  {
    name: 'answers for every entry point of the module',
    law: 'only the entry points of the bundle can be asked for',
    subject: loading((bundle) => {
      const { plans } = (bundle.plan as { plans: { plans: { name: string }[] } }).plans
      return { ...bundle, entrypoints: plans.map(({ name }) => name) }
    }),
  },
  {
    name: 'answers when it is closed',
    law: 'a closed policy answers nothing, and closing twice is closing',
    subject: broken(() => ({ close: async () => undefined })),
  },
  {
    name: 'looks at a bundle when it is asked first',
    law: 'a bundle that cannot serve is refused when it is loaded',
    subject: {
      name: 'engine/wasm',
      open: () => ({
        name: 'engine/wasm',
        load: async (bundle) => {
          const late = createWasmEngine().load(bundle)
          late.catch(() => undefined)
          return {
            ...bundle,
            evaluate: async (name, input) => (await late).evaluate(name, input),
            patch: async (operations, next) => (await late).patch(operations, next),
            close: async () => undefined,
          }
        },
      }),
    },
  },
]

export const laws: readonly Law<EngineSubject>[] = engineLaws

export const mutants: readonly Mutant<EngineSubject>[] = [...failing, ...wrong, ...careless]
