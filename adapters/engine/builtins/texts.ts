/** Built-ins of strings alone, bytes of strings, and integers of 64 bits. */
import type { Value } from '../value/value.ts'
import type { Builtin, Context } from './builtin.ts'
import { wrongType } from './operands.ts'

/** The first operand that is no string is an error of type. */
export function onTexts(of: (context: Context, ...texts: string[]) => Value | undefined): Builtin {
  return (context, ...operands) => {
    for (const [i, operand] of operands.entries())
      if (typeof operand !== 'string') return wrongType(context, i + 1, operand, 'string')
    return of(context, ...(operands as string[]))
  }
}

/** A number as an integer of 64 bits; undefined where it is none. */
export function int64(value: Value | undefined): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? int64(BigInt(value)) : undefined
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : undefined
}

export const MAX_INT64: bigint = 2n ** 63n - 1n

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Rego's strings hold any bytes, JavaScript's do not: what is not UTF-8 becomes U+FFFD, as it does in OPA's own answers. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
