import { BUILTINS, type Builtin } from '../builtins/index.ts'
import { parseValue, toJson } from '../value/json.ts'
import { writeTerm } from '../value/term.ts'
import type { Value } from '../value/value.ts'
import { JsonText } from './builtins/operand.ts'
import { HOST_BUILTINS } from './builtins.ts'

/** The shared library's, or as long as it has none, this engine's own. */
export function builtinNamed(name: string): Builtin | undefined {
  const host = HOST_BUILTINS.get(name)
  const shared = BUILTINS.get(name)
  if (shared !== undefined || host === undefined) return shared
  return (context, ...operands) => {
    const given = operands.map((operand) => ({
      json: () => toJson(operand) as never,
      term: () => writeTerm(operand).replaceAll(', ', ','),
    }))
    const { now } = context
    const value = host(given, { now: now === undefined ? undefined : Number(now / 1_000_000_000n) })
    if (value instanceof JsonText) return parseValue(value.text)
    return value as Value | undefined
  }
}
