/** What custody does for the signer's records. Each may be asked again: what an attempt before has done is found and left as it is. */
import { toBase64url } from '../../../core/base64.ts'
import { CustodyError } from '../../../core/error.ts'
import type { Custody, KeyState, PublicKey } from '../../../core/ports/custody.ts'
import type { Make, Move } from './entries.ts'

export type Made =
  | { readonly failed: string }
  | { readonly public_key: string; readonly version: number }

/** No later attempt comes to anything else. */
const FINAL: ReadonlySet<string> = new Set([
  'algorithm_mismatch',
  'invalid_transition',
  'scope_mismatch',
  'unknown_key',
])

/** @throws CustodyError: try again later */
export async function make(
  custody: Custody,
  { after, algorithm, name, scope }: Make,
): Promise<Made> {
  return unlessFinal(async () => {
    const left = (await custody.list(scope)).find(
      (key) => key.name === name && key.version > after && key.state === 'pre-active',
    )
    const { publicKey, version } = left ?? (await custody.create(scope, name, algorithm))
    return { public_key: toBase64url(publicKey), version }
  })
}

/** @throws CustodyError: try again later */
export async function move(
  custody: Custody,
  { name, scope, state, version }: Move,
): Promise<{ readonly failed?: string }> {
  return unlessFinal(async () => {
    const key = (await custody.list(scope)).find(
      (each) => each.name === name && each.version === version,
    )
    if (key === undefined) return { failed: 'unknown_key' }
    for (const step of stepsTo(state, key)) await custody.transition(key, step)
    return {}
  })
}

/** A step that an earlier entry would have taken may still be ahead of it. */
function stepsTo(state: KeyState, key: PublicKey): readonly KeyState[] {
  if (key.state === state) return []
  return state === 'retired' && key.state === 'active' ? ['grace', 'retired'] : [state]
}

async function unlessFinal<T>(work: () => Promise<T>): Promise<T | { readonly failed: string }> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CustodyError && FINAL.has(error.code)) return { failed: error.code }
    throw error
  }
}
