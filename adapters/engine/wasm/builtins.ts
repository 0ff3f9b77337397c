/** The built-ins that OPA's WebAssembly runtime asks its host for, as far as this engine has them. Deterministic, all of them. */
import { HASH } from './builtins/hash.ts'
import { JSON_VALUES } from './builtins/json.ts'
import type { HostBuiltin } from './builtins/operand.ts'
import { TEXT } from './builtins/text.ts'
import { TIME } from './builtins/time.ts'
import { TOKENS } from './builtins/tokens.ts'
import { sprintf } from './sprintf.ts'

const written: HostBuiltin = ([format, values]) => {
  const text = format!.json()
  const terms = values!.term()
  if (typeof text !== 'string' || !terms.startsWith('[')) return undefined
  return sprintf(text, terms)
}

export const HOST_BUILTINS: ReadonlyMap<string, HostBuiltin> = new Map<string, HostBuiltin>([
  ...HASH,
  ...JSON_VALUES,
  ...TEXT,
  ...TIME,
  ...TOKENS,
  ['sprintf', written],
])
