/** What OPA declares about its built-ins, of those that any capability set of ours has. */
import compat from '../../policies/capabilities/compat.json' with { type: 'json' }

interface Declared {
  readonly name: string
  readonly infix?: string
  readonly decl: { readonly args?: readonly unknown[]; readonly result?: { readonly type: string } }
}
const DECLARED = new Map<string, Declared>(
  (compat.builtins as unknown as readonly Declared[]).map((each) => [each.name, each]),
)

/** Operands of a call; undefined for what is no built-in. */
export function arityOf(name: string): number | undefined {
  const declared = DECLARED.get(name)
  return declared && (declared.decl.args?.length ?? 0)
}

/** `boolean`, `number`, ...; undefined for what is no built-in or gives nothing. */
export function resultOf(name: string): string | undefined {
  return DECLARED.get(name)?.decl.result?.type
}

/** `x == 1` as much as `count(x)`: what stands for it in the tree. */
export function isOperator(name: string): boolean {
  return DECLARED.get(name)?.infix !== undefined || name.startsWith('internal.')
}

/** Names that an author calls without a dot, and the first part of those with one (`json`, `time`). */
export const NAMES: ReadonlySet<string> = new Set(
  [...DECLARED.keys()].filter((name) => !isOperator(name)).map((name) => name.split('.')[0]!),
)
