/**
 * Raw deflate (RFC 1951) with a bound that is checked while inflating: what a small body would grow to is never made. Streams of the web
 * platform, since a format does no I/O and has to run where there is no Node.
 */

/** Of what a body may inflate to. */
export const MAX_INFLATED_BYTES = 262_144

export type InflateProblem = 'inflate_failed' | 'inflated_too_large'

/** At most one chunk of the platform's (some 16 KiB) more than {@link MAX_INFLATED_BYTES} is ever in memory. */
export async function inflate(
  body: Uint8Array,
): Promise<Uint8Array | { readonly problem: InflateProblem }> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of through(body, new DecompressionStream('deflate-raw'))) {
      size += chunk.length
      if (size > MAX_INFLATED_BYTES) return { problem: 'inflated_too_large' }
      chunks.push(chunk)
    }
  } catch {
    return { problem: 'inflate_failed' }
  }
  return joined(chunks, size)
}

/** For senders. */
export async function deflate(body: Uint8Array): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of through(body, new CompressionStream('deflate-raw'))) {
    size += chunk.length
    chunks.push(chunk)
  }
  return joined(chunks, size)
}

/** Whoever stops early cancels the stream. */
async function* through(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
): AsyncGenerator<Uint8Array> {
  const writer = stream.writable.getWriter()
  const written = writer.write(Uint8Array.from(bytes)).then(() => writer.close())
  // What breaks a write breaks the reading side too, and is told there.
  written.catch(() => {})
  const reader = stream.readable.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
