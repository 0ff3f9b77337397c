/** Keys in base64url, imported once: an import costs a hundred times as much as the lookup. */
import { ed25519Key, fromBase64url, type VerifyKey } from '../../core/crypto.ts'
import { LogError } from '../../core/error.ts'

export type Imported = VerifyKey | 'malformed' | 'weak_key'

/** Two generations of so many: what is asked for again stays. */
const GENERATION = 2048
let young = new Map<string, Imported>()
let old = new Map<string, Imported>()

/**
 * The key, or why it is none: `malformed` is not base64url of 32 bytes, `weak_key` is a small-order or non-canonical one. The same text has
 * the same answer for ever, so this is a function in spite of its memory, which is bounded.
 */
export function importKey(text: string): Imported {
  const known = young.get(text) ?? old.get(text)
  const imported = known ?? readKey(text)
  if (!young.has(text)) {
    if (young.size >= GENERATION) {
      old = young
      young = new Map()
    }
    young.set(text, imported)
  }
  return imported
}

function readKey(text: string): Imported {
  const bytes = text.length === 43 ? fromBase64url(text) : undefined
  if (bytes === undefined) return 'malformed'
  try {
    return ed25519Key(bytes)
  } catch (error) {
    if (error instanceof LogError && error.code === 'weak_key') return 'weak_key'
    throw error
  }
}
