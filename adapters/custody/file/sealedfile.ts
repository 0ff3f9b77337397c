/** A key's file in an encrypted folder: what its plain file would say, sealed for this scope, name and version alone. */
import type { KeyObject } from 'node:crypto'
import { type Json, parseJson } from '../../../core/json.ts'
import type { KeyRef } from '../../../core/ports/custody.ts'
import { seal, unseal } from './sealed.ts'

const FORMAT = 'assay-key-1'
const purposeOf = ({ name, scope, version }: KeyRef): string =>
  `${FORMAT} ${scope}/${name}.${version}`

export function sealFile(key: KeyObject, ref: KeyRef, plain: Uint8Array): Uint8Array {
  const sealed = seal(key, purposeOf(ref), plain)
  return Buffer.from(`${JSON.stringify({ format: FORMAT, sealed })}\n`)
}

/** Whether it says that it is one; a plain key does not. */
export const isSealed = (bytes: Uint8Array): boolean => sealedIn(bytes) !== undefined

/** The plain file, which the caller overwrites; undefined when the key is another, or the file of another one. */
export function openFile(key: KeyObject, ref: KeyRef, bytes: Uint8Array): Uint8Array | undefined {
  const sealed = sealedIn(bytes)
  return sealed === undefined ? undefined : unseal(key, purposeOf(ref), sealed)
}

function sealedIn(bytes: Uint8Array): string | undefined {
  try {
    const value: Json = parseJson(bytes, { maxDepth: 2 })
    const { format, sealed, ...rest } = value as Readonly<Record<string, Json | undefined>>
    if (format !== FORMAT || typeof sealed !== 'string' || Object.keys(rest).length > 0)
      return undefined
    return sealed
  } catch {
    // Whatever it is, it is not sealed; whoever reads it as a plain key says so.
    return undefined
  }
}
