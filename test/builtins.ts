/** Built-ins beside OPA's own: both sides as the text that OPA prints, so that sets, keys and every digit count. */
import fc from 'fast-check'
import { BUILTINS, type Context } from '../adapters/engine/builtins/index.ts'
import { numberText, readNumber } from '../adapters/engine/value/number.ts'
import { formatTerm } from '../adapters/engine/value/term.ts'
import type { Value } from '../adapters/engine/value/value.ts'
import { compiler } from './rego.ts'

export interface Call {
  readonly name: string
  readonly operands: readonly Value[]
}

/** Without a bound, unless `steps` is given. @throws RangeError where the steps are spent */
export function contextOf(steps: number = Number.POSITIVE_INFINITY): Context {
  let left = steps
  return {
    now: undefined,
    memo: new Map(),
    failure: undefined,
    spend: (count) => {
      left -= count
      if (left < 0) throw new RangeError('budget')
    },
  }
}

/** `undefined` for undefined and for errors, which OPA does not tell apart here. */
export function ours({ name, operands }: Call): string {
  const builtin = BUILTINS.get(name)
  if (builtin === undefined) throw new Error(`no built-in ${name}`)
  const value = builtin(contextOf(), ...operands)
  return value === undefined ? 'undefined' : formatTerm(value)
}

/** What OPA says to each call, all in one evaluation. */
export async function opaSays(calls: readonly Call[]): Promise<readonly string[]> {
  const [answer] = await compiler.evaluate(
    { 'p.rego': moduleOf(calls) },
    { capabilities: 'compat', entrypoint: 'p/said', inputs: [null] },
  )
  if (answer?.value === undefined) throw new Error(answer?.problem?.message ?? 'undefined')
  return (answer.value as string[]).map((text) =>
    text === '[]' ? 'undefined' : sameNumbers(text.slice(1, -1)),
  )
}

/** The calls to which OPA says something else, in words: none, where all is well. */
export async function differences(calls: readonly Call[]): Promise<readonly string[]> {
  const found: string[] = []
  for (let at = 0; at < calls.length; at += BATCH) {
    const batch = calls.slice(at, at + BATCH)
    for (const [i, said] of (await opaSays(batch)).entries()) {
      const call = batch[i] as Call
      const own = ours(call)
      if (own !== said)
        found.push(`${call.name}(${call.operands.map(formatTerm).join(', ')}): ${said}, not ${own}`)
    }
  }
  return found
}

/** Calls in one module of Rego. */
const BATCH = 400

/** So many calls of each built-in, with operands of these kinds. The same ones for one seed. */
export function callsOf(
  table: Readonly<Record<string, readonly fc.Arbitrary<Value>[]>>,
  count: number,
  seed: number,
): readonly Call[] {
  return Object.entries(table).flatMap(([name, kinds]) =>
    fc.sample(fc.tuple(...kinds), { numRuns: count, seed }).map((operands) => ({ name, operands })),
  )
}

/** OPA keeps how a number was written: `1e2` and `100` are equal, and print as they came. */
export function sameNumbers(text: string): string {
  return text.replace(TOKEN, (token) =>
    token.startsWith('"') ? token : numberText(readNumber(token) ?? 0),
  )
}
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

export function moduleOf(calls: readonly Call[]): string {
  const rules = calls.map(({ name, operands }, i) => {
    // What comes out of an object has any type, so that OPA's type checker lets all operands pass.
    const given = operands.map((operand) => `object.get({}, "x", ${formatTerm(operand)})`)
    const call = SIGNS.get(name)?.(given) ?? `${name}(${given.join(', ')})`
    return `r${i} := [x | x := ${call}]\n`
  })
  const all = calls.map((_, i) => `r${i}`).join(', ')
  return `package p\n\nsaid := [sprintf("%v", [x]) | some x in [${all}]]\n\n${rules.join('')}`
}

/** Rego writes these with signs only. */
const SIGNS: ReadonlyMap<string, (given: readonly string[]) => string> = new Map([
  ['internal.member_2', ([value, all]) => `(${value} in ${all})`],
  ['internal.member_3', ([key, value, all]) => `(${key}, ${value} in ${all})`],
])
