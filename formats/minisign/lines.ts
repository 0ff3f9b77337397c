/**
 * Lines and base64 exactly as the minisign program reads them: LF or CRLF, the last line end may be missing, nothing else is forgiven. It
 * reads lines into buffers of a fixed size, so that a line which is too long is an error and not a cut.
 */

/** The program's buffers for a comment, a trusted comment, a signature and a global signature; each holds the line's end and a NUL. */
export const BUFFERS = {
  comment: 1024,
  global: 91,
  key: 59,
  signature: 103,
  trusted: 8192,
} as const

const NUL = 0x00
const LF = 0x0a
const CR = 0x0d

/** Reads one line after another. */
export class Lines {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Without its end; undefined at the end of the file, for a NUL, and where no line end comes before `buffer` is full. */
  next(buffer: number): Uint8Array | undefined {
    const line = this.#take(buffer)
    return line.at(-1) === LF && !line.includes(NUL) ? trimmed(line) : undefined
  }

  /** The same, and its end may be missing: the rest of the buffer is then the line, up to a NUL. */
  last(buffer: number): Uint8Array | undefined {
    const line = this.#take(buffer)
    const end = line.indexOf(NUL)
    return line.length === 0 ? undefined : trimmed(end < 0 ? line : line.subarray(0, end))
  }

  #take(buffer: number): Uint8Array {
    const rest = this.#bytes.subarray(this.#at, this.#at + buffer - 1)
    const end = rest.indexOf(LF)
    const line = end < 0 ? rest : rest.subarray(0, end + 1)
    this.#at += line.length
    return line
  }
}

function trimmed(line: Uint8Array): Uint8Array {
  let end = line.length
  while (end > 0 && (line[end - 1] === LF || line[end - 1] === CR)) end--
  return line.subarray(0, end)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Standard alphabet with padding, `length` bytes. Like the program, and unlike `core/base64`, ignores bits of the last group that are left over. */
export function base64Of(text: Uint8Array, length: number): Uint8Array | undefined {
  const characters = latin1(text)
  if (!BASE64.test(characters)) return undefined
  const bytes = Uint8Array.from(atob(characters), (byte) => byte.charCodeAt(0))
  return bytes.length === length ? bytes : undefined
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
