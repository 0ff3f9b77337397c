/** UTF-8 bytes of many short texts: they share buffers, since a buffer of its own for each costs more than the encoding. */

const SHARED_BYTES = 262_144
const encoder = new TextEncoder()
let shared = new Uint8Array(SHARED_BYTES)
let used = 0

/** Nobody else gets the same bytes, though others lie in the same `buffer`. */
export function utf8(text: string): Uint8Array {
  // A UTF-16 unit has at most three UTF-8 bytes.
  const most = text.length * 3
  if (most > SHARED_BYTES / 8) return encoder.encode(text)
  if (used + most > SHARED_BYTES) {
    shared = new Uint8Array(SHARED_BYTES)
    used = 0
  }
  const { written } = encoder.encodeInto(text, shared.subarray(used))
  used += written
  return shared.subarray(used - written, used)
}
