/**
 * `SHA256SUMS` as sha256sum writes it: a digest, a space, a space or `*` (read as text or in binary, which is the same), and the file's
 * name. Lines end with LF or CRLF. Lines of another form name no file.
 */

/** The digests, in lower case, of the lines whose file is exactly `name`. What stands there for a digest may be anything. */
export function digestsFor(sums: Uint8Array, name: string): readonly string[] {
  return decoder
    .decode(sums)
    .split('\n')
    .map((line) => LINE.exec(line))
    .flatMap((found) => (found?.[2] === name ? [found[1]?.toLowerCase() ?? ''] : []))
}
/** Not fatal: a name that is not UTF-8 is nobody's. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
/** sha256sum marks a line with a backslash when the name has escapes: not a plain name. */
const LINE = /^([!-[\]-~]{1,256}) [ *]([^\r]*)\r?$/

/** A name that means the same file to everybody: no path, no option, no control character, no white space. 1 to 255 bytes. */
export function isPlainName(name: string): boolean {
  const bytes = encoder.encode(name).length
  return bytes <= 255 && name.isWellFormed() && PLAIN.test(name)
}
const encoder = new TextEncoder()
const PLAIN = /^[^\s\p{C}/\\:*.-][^\s\p{C}/\\:*]*$/u
