/**
 * Terms in Rego notation, as OPA's WebAssembly runtime dumps them, rewritten the way OPA prints them: a blank after each comma and colon,
 * sets and objects in Rego's order. The runtime dumps both in the order of its hash tables.
 */
export class UnsupportedTerm extends Error {}

type Term =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'array' | 'set'; readonly items: readonly Term[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [Term, Term])[] }

const TOKEN = /"(?:[^"\\]|\\.)*"|set\(\)|[,:[\]{}]|[^",:[\]{}\s]+/g

const SCALAR = /^(?:"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$|(?:true|false|null)$)/

/** The elements of an array term: scalars as they are, the rest as OPA prints it. @throws UnsupportedTerm */
export function elements(terms: string): readonly string[] {
  const array = read(terms.match(TOKEN) ?? [])
  if (array.kind !== 'array') throw new UnsupportedTerm('not an array')
  return array.items.map((item) => (item.kind === 'scalar' ? item.text : print(item)))
}

function read(tokens: readonly string[]): Term {
  let at = 0
  const term = (): Term => {
    const token = tokens[at++]
    if (token === undefined) throw new UnsupportedTerm('a term that ends early')
    if (token === '[') return { kind: 'array', items: list(']') }
    if (token === '{') return braces()
    if (token === 'set()') return { kind: 'set', items: [] }
    if (!SCALAR.test(token)) throw new UnsupportedTerm('a token that is no term')
    return { kind: 'scalar', text: token }
  }
  const list = (end: string): Term[] => {
    const items: Term[] = []
    while (tokens[at] !== end) {
      items.push(term())
      if (tokens[at] === ',') at++
    }
    at++
    return items
  }
  const braces = (): Term => {
    if (tokens[at] === '}') return list('}') && { kind: 'object', members: [] }
    const start = at
    term()
    const isObject = tokens[at] === ':'
    at = start
    if (!isObject) return { kind: 'set', items: list('}') }
    const members: [Term, Term][] = []
    while (tokens[at] !== '}') {
      const key = term()
      at++
      members.push([key, term()])
      if (tokens[at] === ',') at++
    }
    at++
    return { kind: 'object', members }
  }
  return term()
}

function print(term: Term): string {
  switch (term.kind) {
    case 'scalar':
      return quoted(term.text)
    case 'array':
      return `[${term.items.map(print).join(', ')}]`
    case 'set':
      return term.items.length === 0
        ? 'set()'
        : `{${sorted(term.items, itself).map(print).join(', ')}}`
    case 'object': {
      const members = sorted(term.members, ([key]) => key)
      return `{${members.map(([key, value]) => `${print(key)}: ${print(value)}`).join(', ')}}`
    }
  }
}

/** OPA quotes as Go does. The two agree on printable text without escapes. */
function quoted(text: string): string {
  if (text.startsWith('"') && (text.includes('\\') || /[^\P{C}]|[^\P{Z} ]/u.test(text)))
    throw new UnsupportedTerm('a text that OPA would escape in its own way')
  return text
}

const itself = (term: Term): Term => term

function sorted<T>(items: readonly T[], key: (item: T) => Term): readonly T[] {
  return items.length < 2 ? items : [...items].sort((a, b) => compare(key(a), key(b)))
}

/** Rego's order of scalars: null, booleans, numbers, strings by code point. */
function compare(a: Term, b: Term): number {
  if (a.kind !== 'scalar' || b.kind !== 'scalar')
    throw new UnsupportedTerm('an order of composite terms')
  const ranks = rank(a.text) - rank(b.text)
  if (ranks !== 0) return ranks
  if (rank(a.text) === NUMBER) return Number(a.text) - Number(b.text)
  return comparePoints(quoted(a.text), quoted(b.text))
}

const NUMBER = 3
function rank(text: string): number {
  const scalars = ['null', 'false', 'true']
  return scalars.includes(text) ? scalars.indexOf(text) : text.startsWith('"') ? 4 : NUMBER
}

function comparePoints(a: string, b: string): number {
  const left = [...a.slice(1, -1)]
  const right = [...b.slice(1, -1)]
  const differs = left.findIndex((point, i) => point !== right[i])
  if (differs === -1) return left.length - right.length
  return (left[differs]?.codePointAt(0) ?? -1) - (right[differs]?.codePointAt(0) ?? -1)
}
