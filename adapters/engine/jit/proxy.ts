/** Whether an object is a proxy: only the host can tell. */

interface Host {
  readonly process?: { getBuiltinModule?(name: 'node:util'): { readonly types: Types } }
}
interface Types {
  isProxy(value: unknown): boolean
}

const types = (globalThis as Host).process?.getBuiltinModule?.('node:util').types

/** Always false where the host does not say. */
export function isProxy(value: object): boolean {
  return types?.isProxy(value) === true
}
