/** Texts with parts of them exchanged: leftmost first, and the first pattern in order that fits there. */
import { entriesOf, isObject, type Value } from '../../value/value.ts'
import { type Builtin, type Family, typeFailure } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { bytesOf, onTexts, textOf } from '../texts.ts'

type Pair = readonly [old: string, replacement: string]

function replaceAll(text: string, pairs: readonly Pair[]): string {
  const [only] = pairs
  if (only === undefined) return text
  if (pairs.some(([old]) => old === '')) return aroundBytes(text, pairs)
  if (pairs.length === 1) return text.split(only[0]).join(only[1])
  const known = new Map(pairs.toReversed())
  const pattern = new RegExp(pairs.map(([old]) => RegExp.escape(old)).join('|'), 'g')
  return text.replace(pattern, (old) => known.get(old) as string)
}

/** Nothing fits before every byte and at the end, so that here bytes are what counts. */
function aroundBytes(text: string, pairs: readonly Pair[]): string {
  const source = raw(text)
  const table = pairs.map(([old, replacement]) => [raw(old), raw(replacement)] as const)
  let result = ''
  let afterEmpty = false
  let at = 0
  while (at <= source.length) {
    const fit = table.find(([old]) => (old !== '' || !afterEmpty) && source.startsWith(old, at))
    afterEmpty = fit?.[0] === ''
    result += fit?.[1] ?? source.charAt(at)
    at += fit?.[0].length ?? 1
  }
  return textOf(Uint8Array.from(result, (byte) => byte.charCodeAt(0)))
}

/** A character a byte. */
function raw(text: string): string {
  return Array.from(bytesOf(text), (byte) => String.fromCharCode(byte)).join('')
}

const replaceN: Builtin = (context, patterns: Value, text: Value) => {
  if (!isObject(patterns)) return wrongType(context, 1, patterns, 'object')
  if (typeof text !== 'string') return wrongType(context, 2, text, 'string')
  const pairs: Pair[] = []
  for (const [old, replacement] of entriesOf(patterns)) {
    if (typeof old !== 'string' || typeof replacement !== 'string')
      return typeFailure(context, 'operand 1 must be an object of strings')
    pairs.push([old, replacement])
  }
  return replaceAll(text, pairs)
}

export const REPLACE: Family = {
  replace: onTexts((_context, text = '', old = '', replacement = '') =>
    replaceAll(text, [[old, replacement]]),
  ),
  'strings.replace_n': replaceN,
}
