/**
 * Values as terms of Rego: the text that OPA prints, and the one that its WebAssembly runtime reads and writes. JSON, and beyond it sets
 * (`{1, 2}`, `set()`) and keys that are not strings.
 *
 * @see https://pkg.go.dev/strconv#Quote
 */
import { isNumber, numberText, readNumber } from './number.ts'
import { type AnyObject, entriesOf, isArray, objectOf, RegoSet, type Value } from './value.ts'

/** What OPA prints for a value: in messages, in templates, for `%v`. Strings quoted as in Go, sets and objects in Rego's order. */
export function formatTerm(value: Value): string {
  return print(value, quote)
}

/** What OPA's `opa_value_parse` reads. Half a surrogate pair, which UTF-8 cannot say, is U+FFFD. */
export function writeTerm(value: Value): string {
  return print(value, (text) => JSON.stringify(text.toWellFormed()))
}

function print(value: Value, quoted: (text: string) => string): string {
  if (typeof value === 'string') return quoted(value)
  if (isNumber(value)) return numberText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const one = (item: Value): string => print(item, quoted)
  if (isArray(value)) return `[${value.map(one).join(', ')}]`
  if (value instanceof RegoSet)
    return value.size === 0 ? 'set()' : `{${value.sorted().map(one).join(', ')}}`
  const members = entriesOf(value as AnyObject)
  return `{${members.map(([key, member]) => `${one(key)}: ${one(member)}`).join(', ')}}`
}

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(ESCAPED, escaped)}"`
}
/** What most texts are made of. */
const PLAIN = /^[ !#-[\]-~]*$/
/** What Go does not print, or not as it is: everything but letters, marks, numbers, punctuation, symbols and the blank. */
const ESCAPED = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu

const SHORT: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
])

function escaped(char: string): string {
  const short = SHORT.get(char)
  if (short !== undefined) return short
  const point = char.codePointAt(0) as number
  const hex = (digits: number): string => point.toString(16).padStart(digits, '0')
  if (point < 0x80) return `\\x${hex(2)}`
  return point < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`
}

/** Reads what `opa_value_dump` writes. No digit is lost. @throws SyntaxError */
export function parseTerm(text: string): Value {
  const reader = new Reader(text)
  const value = reader.value()
  reader.end()
  return value
}

const BLANKS = /\s*/y
const WORD = /[^\s",:[\]{}]+/y

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): Value {
    if (this.#take('[')) return this.#take(']') ? [] : this.#list(']', () => this.value())
    if (this.#take('{')) return this.#braces()
    if (this.#take('set()')) return new RegoSet()
    return this.#scalar()
  }

  end(): void {
    this.#blanks()
    if (this.#at < this.#text.length) throw new SyntaxError('something follows the term')
  }

  /** `{}` is the empty object; what follows the first item tells the others apart. */
  #braces(): Value {
    if (this.#take('}')) return {}
    const first = this.value()
    if (!this.#take(':')) {
      const rest = this.#take('}') ? [] : this.#after(() => this.value())
      return RegoSet.of([first, ...rest])
    }
    const member = [first, this.value()] as const
    const rest = this.#take('}') ? [] : this.#after(() => this.#member())
    return objectOf([member, ...rest])
  }

  #after<T>(item: () => T): readonly T[] {
    this.#expect(',')
    return this.#list('}', item)
  }

  #member(): readonly [Value, Value] {
    const key = this.value()
    this.#expect(':')
    return [key, this.value()]
  }

  #list<T>(end: string, item: () => T): readonly T[] {
    const items: T[] = []
    do items.push(item())
    while (this.#take(','))
    this.#expect(end)
    return items
  }

  #scalar(): Value {
    this.#blanks()
    if (this.#text[this.#at] === '"') return this.#string()
    WORD.lastIndex = this.#at
    const word = WORD.exec(this.#text)?.[0]
    if (word === undefined) throw new SyntaxError('a term that ends early')
    this.#at += word.length
    if (word === 'null') return null
    if (word === 'true' || word === 'false') return word === 'true'
    // Rego's literals may begin with their point.
    const number = readNumber(word.replace(/^(-?)\./, '$10.'))
    if (number === undefined) throw new SyntaxError('a word that is no term')
    return number
  }

  #string(): string {
    let end = this.#at
    do end = this.#text.indexOf('"', end + 1)
    while (end > 0 && this.#isEscaped(end))
    if (end < 0) throw new SyntaxError('a text that does not end')
    const token = this.#text.slice(this.#at, end + 1)
    this.#at = end + 1
    return JSON.parse(token) as string
  }

  #isEscaped(at: number): boolean {
    let before = at - 1
    while (this.#text[before] === '\\') before--
    return (at - before) % 2 === 0
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new SyntaxError(`a term without its ${token}`)
  }

  #take(token: string): boolean {
    this.#blanks()
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  #blanks(): void {
    BLANKS.lastIndex = this.#at
    this.#at += BLANKS.exec(this.#text)?.[0].length ?? 0
  }
}
