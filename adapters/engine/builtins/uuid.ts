/** What a UUID says of itself. @see RFC 4122; version 2 as in DCE 1.1 */
import { integer } from '../value/number.ts'
import type { Value } from '../value/value.ts'
import type { Family } from './builtin.ts'
import { onTexts } from './texts.ts'

const DASHED = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** With dashes, as a URN, in any two characters for braces, or bare. */
function hexOf(text: string): string | undefined {
  if (/^[0-9a-f]{32}$/i.test(text)) return text
  const dashed =
    text.length === 45
      ? text.replace(/^urn:uuid:/i, '')
      : text.length === 38
        ? text.slice(1, -1)
        : text
  return DASHED.test(dashed) ? dashed.replaceAll('-', '') : undefined
}

function read(hex: string): Value {
  const at = (start: number, end: number): number =>
    Number.parseInt(hex.slice(start * 2, end * 2), 16)
  const version = at(6, 7) >> 4
  const common = { version, variant: variantOf(at(8, 9)) }
  if (version !== 1 && version !== 2) return common
  const ticks = BigInt(at(0, 4)) + (BigInt(at(4, 6)) << 32n) + (BigInt(at(6, 8) & 0xfff) << 48n)
  const timed = {
    ...common,
    time: integer(BigInt.asIntN(64, (ticks - GREGORIAN) * 100n)),
    nodeid: hex
      .slice(20)
      .toLowerCase()
      .replace(/..(?=.)/g, '$&-'),
    macvariables: MAC[at(10, 11) & 3]!,
    clocksequence: at(8, 10) & 0x3fff,
  }
  return version === 1
    ? timed
    : { ...timed, id: at(0, 4), domain: DOMAINS[at(9, 10)] ?? `Domain${at(9, 10)}` }
}

/** Between 1582-10-15 and 1970, in 100 nanoseconds. */
const GREGORIAN = 122_192_928_000_000_000n
const MAC = ['global:unicast', 'global:multicast', 'local:unicast', 'local:multicast'] as const
const DOMAINS = ['Person', 'Group', 'Org'] as const

function variantOf(byte: number): string {
  if ((byte & 0xc0) === 0x80) return 'RFC4122'
  if ((byte & 0xe0) === 0xc0) return 'Microsoft'
  return (byte & 0xe0) === 0xe0 ? 'Future' : 'Reserved'
}

export const UUID: Family = {
  /** Undefined, and no error, for what is no UUID. */
  'uuid.parse': onTexts((_context, text = '') => {
    const hex = hexOf(text)
    return hex === undefined ? undefined : read(hex)
  }),
}
