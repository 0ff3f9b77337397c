/** JSON pointers. @see RFC 6901 */

/** The names on the way, unescaped; undefined where `text` is no pointer. */
export function readPointer(text: string): readonly string[] | undefined {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text) || !text.isWellFormed()) return undefined
  return text
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}
