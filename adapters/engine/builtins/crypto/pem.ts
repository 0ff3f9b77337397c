/** Texts around DER. @see RFC 7468 */
import { decode, STANDARD } from '../strings/encoding.ts'

export interface Block {
  readonly type: string
  readonly bytes: Uint8Array
  /** What follows the line of its end. */
  readonly rest: string
}

/** Headers, which only old keys have, are skipped; the body has no character but those of Base64, so that each is looked at once. */
const BLOCK =
  /(?<![^\n])-----BEGIN ([^\n-]*)-----[ \t\r]*\n((?:[^\n:]*:[^\n]*\n)*)([A-Za-z0-9+/=\s]*)-----END ([^\n-]*)-----[ \t]*(?:\r?\n|$)/g

/** The first block that is whole, wherever it stands. */
export function firstBlock(text: string): Block | undefined {
  for (const found of text.matchAll(BLOCK)) {
    const [whole, type = '', , body = '', end] = found
    const bytes = type === end ? decode(body.replace(/[ \t]/g, ''), STANDARD) : undefined
    if (bytes !== undefined) return { type, bytes, rest: text.slice(found.index + whole.length) }
  }
  return undefined
}

/** All blocks, one after the other. */
export function* blocks(text: string): Generator<Block> {
  for (let block = firstBlock(text); block !== undefined; block = firstBlock(block.rest))
    yield block
}
