/**
 * Rego's sprintf over arguments in Rego notation, with Go's answers for the verbs %s, %d and %v, an optional width, `-` and `0`: the text
 * of a reason must not depend on the engine. Anything else is refused, never approximated.
 *
 * @see https://pkg.go.dev/fmt
 */
import { elements } from './terms.ts'

export class UnsupportedFormat extends Error {}

/** What Go's sprintf is handed: OPA gives it integers, floats and strings; the rest as text in Rego notation. */
type Argument =
  | { readonly type: 'float64' | 'int64' | 'string'; readonly text: string }
  | { readonly type: 'big'; readonly text: string }

const VERB = /%(-|0)?(\d{1,3})?(.?)/gsu
const INT64_MAX = 2n ** 63n - 1n

/** `terms` is an array in Rego notation, such as `["a",1,{"x"}]`. @throws UnsupportedFormat */
export function sprintf(format: string, terms: string): string {
  const given = elements(terms).map(argument)
  let next = 0
  const text = format.replace(VERB, (all, flag: string, width: string, verb: string) => {
    if (all === '%%') return '%'
    if (verb !== 's' && verb !== 'd' && verb !== 'v') throw new UnsupportedFormat(`verb ${all}`)
    const value = given[next++]
    return value === undefined ? `%!${verb}(MISSING)` : write(verb, flag, Number(width ?? 0), value)
  })
  if (next >= given.length) return text
  const extra = given.slice(next).map((value) => `${typeName(value)}=${value.text}`)
  return `${text}%!(EXTRA ${extra.join(', ')})`
}

function write(verb: 'd' | 's' | 'v', flag: string, width: number, value: Argument): string {
  const integer = value.type === 'int64' || value.type === 'big'
  if (verb === 'd' ? !integer : verb === 's' && value.type !== 'string') {
    if (width > 0) throw new UnsupportedFormat('a width on a mismatch')
    return `%!${verb}(${typeName(value)}=${value.text})`
  }
  if (flag === '0' && !integer) throw new UnsupportedFormat('zeros before a text')
  const missing = width - [...value.text].length
  if (missing <= 0) return value.text
  if (flag === '-') return value.text + ' '.repeat(missing)
  if (flag !== '0') return ' '.repeat(missing) + value.text
  const [, sign = '', digits = ''] = /^(-?)(.*)$/.exec(value.text) ?? []
  return sign + '0'.repeat(missing) + digits
}

function typeName(value: Argument): string {
  if (value.type === 'big') throw new UnsupportedFormat('an integer beyond 64 bits as a mismatch')
  return value.type
}

function argument(term: string): Argument {
  if (term.startsWith('"')) return { type: 'string', text: unquoted(term) }
  if (!/^-?\d/.test(term)) return { type: 'string', text: term }
  if (/[.eE]/.test(term)) return { type: 'float64', text: floatText(Number(term)) }
  const value = BigInt(term)
  const small = value <= INT64_MAX && value >= -INT64_MAX - 1n
  return { type: small ? 'int64' : 'big', text: String(value) }
}

function unquoted(term: string): string {
  try {
    return JSON.parse(term) as string
  } catch {
    throw new UnsupportedFormat('a string that is not JSON')
  }
}

/** Where ECMAScript and Go agree on the shortest text. */
function floatText(value: number): string {
  const size = Math.abs(value)
  if (size < 1e-4 || size >= 1e21) throw new UnsupportedFormat('a number that needs an exponent')
  return String(value)
}
