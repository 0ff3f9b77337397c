import { deepStrictEqual } from 'node:assert/strict'
import { KernelError } from '../../../core/error.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined for what is not UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** As text whatever it is: for parsers that are handed strings. */
export const looseText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** What `parse` gives, or undefined when it refused with an error of one of `kinds`; any other error is thrown on. */
export function parsed<T>(
  parse: () => T,
  ...kinds: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
): { readonly value: T } | undefined {
  try {
    return { value: parse() }
  } catch (error) {
    if (kinds.some((kind) => error instanceof kind)) return undefined
    throw error
  }
}

export { deepStrictEqual as same, KernelError }
