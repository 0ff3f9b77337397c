/** What the holder of a token with `cnf` signs each time it presents it. */
import { canonicalJson } from '../../core/canonical.ts'
import { sha256Text } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { proofBytes } from './frame.ts'

export interface Presentation {
  /** The token's text, as presented. */
  readonly token: string
  /** The cell that it is presented to. */
  readonly audience: string
  /** Never used twice. */
  readonly nonce: string
  /** Unix seconds. */
  readonly time: number
  /** The operation that is asked for. */
  readonly request: Json
}

/** @throws JsonError when `request` is no JSON value */
export function proofMessage(presentation: Presentation): Uint8Array {
  const { audience, nonce, request, time, token } = presentation
  const said = canonicalJson({ audience, nonce, request, time })
  return proofBytes(sha256Text(token), sha256Text(said))
}
