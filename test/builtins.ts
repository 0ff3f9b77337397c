/** Built-ins beside OPA's own: both sides as the text that OPA prints, so that sets, keys and every digit count. */
import { BUILTINS, type Context } from '../adapters/engine/builtins/index.ts'
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
  const rules = calls.map(({ name, operands }, i) => {
    // What comes out of an object has any type, so that OPA's type checker lets all operands pass.
    const given = operands.map((operand) => `object.get({}, "x", ${formatTerm(operand)})`)
    const call = INFIX.has(name)
      ? `(${given[0]} ${INFIX.get(name)} ${given[1]})`
      : `${name}(${given.join(', ')})`
    return `r${i} := [x | x := ${call}]\n`
  })
  const all = calls.map((_, i) => `r${i}`).join(', ')
  const module = `package p\n\nsaid := [sprintf("%v", [x]) | some x in [${all}]]\n\n${rules.join('')}`
  const [answer] = await compiler.evaluate(
    { 'p.rego': module },
    { capabilities: 'compat', entrypoint: 'p/said', inputs: [null] },
  )
  if (answer?.value === undefined) throw new Error(answer?.problem?.message ?? 'undefined')
  return (answer.value as string[]).map((text) => (text === '[]' ? 'undefined' : text.slice(1, -1)))
}

/** Rego writes these with signs only. */
const INFIX: ReadonlyMap<string, string> = new Map([['internal.member_2', 'in']])
