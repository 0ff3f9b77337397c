/** What custody does for the signer's records. Each may be asked again: what an attempt before has done is found and left as it is. */
import { toBase64url } from '../../../core/base64.ts'
import { CustodyError } from '../../../core/error.ts'
import type {
  Custody,
  KeyAlgorithm,
  KeyRef,
  KeyScope,
  KeyState,
} from '../../../core/ports/custody.ts'
import type { Make, ManagedScope, Move } from './entries.ts'

export type Made =
  | { readonly failed: string }
  | { readonly digest: string; readonly version: number }
  | { readonly public_key: string; readonly version: number }

/** A version as the one who keeps it says: a key has a public half, a secret a digest. */
export type Version = Pick<KeyRef, 'name' | 'version'> & { readonly state: KeyState } & (
    | { readonly publicKey: Uint8Array }
    | { readonly digest: string }
  )
/** What of custody is needed here, for keys and secrets alike. */
export interface Kept {
  list(scope: ManagedScope): Promise<readonly Version[]>
  create(scope: ManagedScope, name: string, algorithm: Make['algorithm']): Promise<Version>
  transition(ref: Pick<Move, 'name' | 'scope' | 'version'>, state: KeyState): Promise<unknown>
}

/** No later attempt comes to anything else. */
const FINAL: ReadonlySet<string> = new Set([
  'algorithm_mismatch',
  'invalid_transition',
  'scope_mismatch',
  'unknown_key',
])

/** @throws CustodyError: try again later */
export async function make(custody: Kept, { after, algorithm, name, scope }: Make): Promise<Made> {
  return unlessFinal(async () => {
    const left = (await custody.list(scope)).find(
      (key) => key.name === name && key.version > after && key.state === 'pre-active',
    )
    const made = left ?? (await custody.create(scope, name, algorithm))
    const { version } = made
    return 'digest' in made
      ? { digest: made.digest, version }
      : { public_key: toBase64url(made.publicKey), version }
  })
}

/** @throws CustodyError: try again later */
export async function move(
  custody: Kept,
  { name, scope, state, version }: Move,
): Promise<{ readonly failed?: string }> {
  return unlessFinal(async () => {
    const key = (await custody.list(scope)).find(
      (each) => each.name === name && each.version === version,
    )
    if (key === undefined) return { failed: 'unknown_key' }
    for (const step of stepsTo(state, key)) await custody.transition({ name, scope, version }, step)
    return {}
  })
}

/** A step that an earlier entry would have taken may still be ahead of it. */
function stepsTo(state: KeyState, key: Version): readonly KeyState[] {
  if (key.state === state) return []
  return state === 'retired' && key.state === 'active' ? ['grace', 'retired'] : [state]
}

/** Custody itself refuses a scope or an algorithm that it does not have. */
export const keptKeys = (custody: Custody): Kept => ({
  list: (scope) => custody.list(scope as KeyScope),
  create: (scope, name, algorithm) =>
    custody.create(scope as KeyScope, name, algorithm as KeyAlgorithm),
  transition: (ref, state) => custody.transition(ref as KeyRef, state),
})

/** What no later attempt would change is an outcome. @throws CustodyError: try again later */
export async function unlessFinal<T>(
  work: () => Promise<T>,
  final: ReadonlySet<string> = FINAL,
): Promise<T | { readonly failed: string }> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CustodyError && final.has(error.code)) return { failed: error.code }
    throw error
  }
}
