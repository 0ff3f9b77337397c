/** Templates as trees. Names of functions and variables are checked here, as Go does. */

import type { Datum } from './datum.ts'
import { type Piece, piecesOf, Refused, type Token, unquoted } from './lexer.ts'

export type Operand =
  | { readonly type: 'dot' }
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'literal'; readonly value: Datum }
  | { readonly type: 'pipe'; readonly pipe: Pipe }
  | { readonly type: 'variable'; readonly name: string }

export interface Term {
  readonly of: Operand
  readonly fields: readonly string[]
}

export interface Pipe {
  /** Variables that the value is given to; two for the key and the value of a range. */
  readonly names: readonly string[]
  /** They must be there already. */
  readonly assigns: boolean
  readonly commands: readonly (readonly Term[])[]
}

export type Node =
  | { readonly type: 'action'; readonly pipe: Pipe }
  | { readonly type: 'break' | 'continue' }
  | {
      readonly type: 'if' | 'range' | 'with'
      readonly pipe: Pipe
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }
  | { readonly type: 'template'; readonly name: string; readonly pipe: Pipe | undefined }
  | { readonly type: 'text'; readonly text: string }

export interface Template {
  readonly body: readonly Node[]
  readonly named: ReadonlyMap<string, readonly Node[]>
}

/** @throws Refused */
export function parseTemplate(text: string, functions: ReadonlySet<string>): Template {
  return new Parser(piecesOf(text), functions).template()
}

/** Blocks in blocks deeper than this are refused. */
const MAX_DEPTH = 100

class Parser {
  readonly #pieces: readonly Piece[]
  readonly #functions: ReadonlySet<string>
  readonly #named = new Map<string, readonly Node[]>()
  #at = 0
  #depth = 0
  #loops = 0
  /** Names that are known here. */
  #variables: string[] = ['$']

  constructor(pieces: readonly Piece[], functions: ReadonlySet<string>) {
    this.#pieces = pieces
    this.#functions = functions
  }

  template(): Template {
    const [body, end] = this.#list()
    if (end !== undefined) throw new Refused('an end without a beginning')
    return { body, named: this.#named }
  }

  /** Up to `else` or `end`, whose tokens come with it. */
  #list(): readonly [readonly Node[], readonly Token[] | undefined] {
    if (++this.#depth > MAX_DEPTH) throw new Refused('blocks are too deep')
    const nodes: Node[] = []
    for (let piece = this.#pieces[this.#at]; piece !== undefined; piece = this.#pieces[this.#at]) {
      this.#at++
      if (piece.type === 'text') {
        nodes.push(piece)
        continue
      }
      const tokens = trimmed(piece.tokens)
      const word = tokens[0]?.type === 'word' ? tokens[0].text : ''
      if (word === 'end' || word === 'else') {
        this.#depth--
        return [nodes, tokens]
      }
      const node = this.#action(word, tokens)
      if (node !== undefined) nodes.push(node)
    }
    this.#depth--
    return [nodes, undefined]
  }

  #action(word: string, tokens: readonly Token[]): Node | undefined {
    const rest = trimmed(tokens.slice(1))
    switch (word) {
      case 'if':
      case 'range':
      case 'with':
        return this.#block(word, rest)
      case 'break':
      case 'continue':
        if (rest.length > 0 || this.#loops === 0) throw new Refused(`${word} outside of a range`)
        return { type: word }
      case 'define':
        return this.#define(rest)
      case 'block':
      case 'template':
        return this.#use(word, rest)
      default:
        return { type: 'action', pipe: this.#pipe(tokens, false) }
    }
  }

  #block(type: 'if' | 'range' | 'with', tokens: readonly Token[]): Node {
    const known = this.#variables.length
    const pipe = this.#pipe(tokens, type === 'range')
    if (type === 'range') this.#loops++
    const [body, end] = this.#list()
    if (type === 'range') this.#loops--
    if (end === undefined) throw new Refused('a block without an end')
    const otherwise = end[0]?.text === 'else' ? this.#otherwise(type, trimmed(end.slice(1))) : []
    if (end[0]?.text === 'end' && end.length > 1) throw new Refused('unexpected token after end')
    this.#variables.length = known
    return { type, pipe, body, otherwise }
  }

  #otherwise(type: 'if' | 'range' | 'with', tokens: readonly Token[]): readonly Node[] {
    const [first] = tokens
    if (first !== undefined) {
      if (first.text !== type || type === 'range') throw new Refused('unexpected token after else')
      // The chain shares its end.
      return [this.#block(type, trimmed(tokens.slice(1)))]
    }
    const [nodes, end] = this.#list()
    if (end?.[0]?.text !== 'end' || end.length > 1) throw new Refused('a block without an end')
    return nodes
  }

  #define(tokens: readonly Token[]): undefined {
    const [name, ...more] = tokens
    if (name?.type !== 'string' || more.length > 0 || this.#depth > 1)
      throw new Refused('a definition that is malformed')
    this.#body(unquoted(name.text))
  }

  #body(name: string): void {
    const variables = this.#variables
    const loops = this.#loops
    this.#variables = ['$']
    this.#loops = 0
    const [nodes, end] = this.#list()
    if (end?.[0]?.text !== 'end') throw new Refused('a definition without an end')
    this.#variables = variables
    this.#loops = loops
    // An empty one gives way.
    const known = this.#named.get(name) ?? []
    if (known.length > 0 && nodes.length > 0) throw new Refused('two definitions of one name')
    if (known.length === 0) this.#named.set(name, nodes)
  }

  #use(word: 'block' | 'template', tokens: readonly Token[]): Node {
    const [name, ...more] = tokens
    if (name?.type !== 'string') throw new Refused('a template without a name')
    const rest = trimmed(more)
    const pipe = rest.length === 0 ? undefined : this.#pipe(rest, false)
    if (word === 'block') {
      if (pipe === undefined) throw new Refused('a block without a value')
      this.#body(unquoted(name.text))
    }
    return { type: 'template', name: unquoted(name.text), pipe }
  }

  #pipe(tokens: readonly Token[], forRange: boolean): Pipe {
    const sign = tokens.findIndex(({ type, text }) => type === 'sign' && /^:?=$/.test(text))
    const names = sign < 0 ? [] : declared(tokens.slice(0, sign))
    const assigns = sign >= 0 && tokens[sign]?.text === '='
    if (names.length > (forRange ? 2 : 1)) throw new Refused('too many declarations')
    if (assigns) for (const name of names) this.#known(name)
    const reader = new Operands(trimmed(tokens.slice(sign + 1)), (term) => this.#check(term))
    const commands = reader.commands()
    if (!assigns) this.#variables.push(...names)
    return { names, assigns, commands }
  }

  #check({ of }: Term): void {
    if (of.type === 'variable') this.#known(of.name)
    if (of.type === 'function' && !this.#functions.has(of.name))
      throw new Refused('a function that is not defined')
  }

  #known(name: string): void {
    if (!this.#variables.includes(name)) throw new Refused('a variable that is not defined')
  }
}

function declared(tokens: readonly Token[]): readonly string[] {
  const names = tokens.filter(({ type }) => type === 'variable')
  const others = tokens.filter(
    ({ type, text }) => type !== 'variable' && type !== 'space' && text !== ',',
  )
  if (names.length === 0 || others.length > 0) throw new Refused('a declaration that is malformed')
  return names.map(({ text }) => text)
}

function trimmed(tokens: readonly Token[]): readonly Token[] {
  const start = tokens[0]?.type === 'space' ? 1 : 0
  const end = tokens.at(-1)?.type === 'space' ? tokens.length - 1 : tokens.length
  return tokens.slice(start, Math.max(start, end))
}

/** Reads commands: operands between blanks, commands between bars. */
class Operands {
  readonly #tokens: readonly Token[]
  readonly #check: (term: Term) => void
  #at = 0

  constructor(tokens: readonly Token[], check: (term: Term) => void) {
    this.#tokens = tokens
    this.#check = check
  }

  commands(): readonly (readonly Term[])[] {
    const commands = this.#pipeline(0)
    if (this.#at < this.#tokens.length) throw new Refused('unexpected token in an action')
    return commands
  }

  #pipeline(depth: number): readonly (readonly Term[])[] {
    if (depth > MAX_DEPTH) throw new Refused('parentheses are too deep')
    const commands: (readonly Term[])[] = []
    do commands.push(this.#command(depth))
    while (this.#sign('|'))
    if (commands.slice(1).some(([first]) => isConstant(first)))
      throw new Refused('a constant that is called')
    return commands
  }

  #command(depth: number): readonly Term[] {
    const terms: Term[] = []
    for (;;) {
      const blank = this.#blank()
      const token = this.#tokens[this.#at]
      if (token === undefined || (token.type === 'sign' && token.text !== '(')) break
      if (terms.length > 0 && !blank) throw new Refused('operands without a blank between them')
      terms.push(this.#term(depth))
    }
    if (terms.length === 0) throw new Refused('a command without a value')
    return terms
  }

  #term(depth: number): Term {
    const token = this.#tokens[this.#at++] as Token
    const fields: string[] = token.type === 'field' ? [token.text.slice(1)] : []
    const of = this.#operand(token, depth)
    for (let next = this.#tokens[this.#at]; next?.type === 'field'; next = this.#tokens[++this.#at])
      fields.push(next.text.slice(1))
    if (of.type === 'literal' && fields.length > 0) throw new Refused('a field of a literal')
    const term = { of, fields }
    this.#check(term)
    return term
  }

  #operand(token: Token, depth: number): Operand {
    switch (token.type) {
      case 'dot':
      case 'field':
        return { type: 'dot' }
      case 'variable':
        return { type: 'variable', name: token.text }
      case 'word':
        return word(token.text)
      case 'sign': {
        const commands = this.#pipeline(depth + 1)
        if (!this.#sign(')')) throw new Refused('an unclosed parenthesis')
        return { type: 'pipe', pipe: { names: [], assigns: false, commands } }
      }
      default:
        return { type: 'literal', value: literal(token) }
    }
  }

  #blank(): boolean {
    const blank = this.#tokens[this.#at]?.type === 'space'
    if (blank) this.#at++
    return blank
  }

  #sign(text: string): boolean {
    this.#blank()
    const token = this.#tokens[this.#at]
    if (token?.type !== 'sign' || token.text !== text) return false
    this.#at++
    return true
  }
}

function isConstant(term: Term | undefined): boolean {
  return term?.of.type === 'literal' || (term?.of.type === 'dot' && term.fields.length === 0)
}

function word(text: string): Operand {
  if (text === 'true' || text === 'false') return { type: 'literal', value: text === 'true' }
  return text === 'nil' ? { type: 'literal', value: null } : { type: 'function', name: text }
}

function literal({ type, text }: Token): Datum {
  if (type === 'string') return unquoted(text)
  if (type === 'char') {
    const [char = '', ...more] = unquoted(text)
    if (more.length > 0) throw new Refused('a character that is several')
    return BigInt(char.codePointAt(0) ?? 0)
  }
  const digits = text.replaceAll('_', '')
  if (/[.eE]/.test(digits) && !/^[+-]?0[xX]/.test(digits)) return Number(digits)
  const [, sign, magnitude = ''] = /^([+-]?)(.*)$/.exec(digits) ?? []
  const octal = /^0\d+$/.test(magnitude) ? `0o${magnitude.slice(1)}` : magnitude
  if (/^0o.*[89]/.test(octal)) throw new Refused('a number that is not valid')
  return sign === '-' ? -BigInt(octal) : BigInt(octal)
}
