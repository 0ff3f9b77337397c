/** Keys in base64url, imported once: an import costs a hundred times as much as the lookup. */
import { ed25519Key, fromBase64url, type VerifyKey } from '../../core/crypto.ts'
import { LogError } from '../../core/error.ts'
import { Memo } from '../../core/memo.ts'

export type Imported = VerifyKey | 'malformed' | 'weak_key'

const kept = new Memo<Imported>(2048)

/**
 * The key, or why it is none: `malformed` is not base64url of 32 bytes, `weak_key` is a small-order or non-canonical one. The same text has
 * the same answer for ever, so this is a function in spite of its memory, which is bounded.
 */
export const importKey = (text: string): Imported => kept.get(text, () => readKey(text))

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
