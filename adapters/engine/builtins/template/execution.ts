/** Carries a template out. */
import type { Context } from '../builtin.ts'
import { type Datum, isList, isMap, isTrue, keysOf, shown } from './datum.ts'
import { FUNCTIONS } from './functions.ts'
import { Refused } from './lexer.ts'
import type { Node, Pipe, Template, Term } from './parser.ts'

/** Templates in templates deeper than this are refused: one may name itself. */
const MAX_DEPTH = 200

/** Pieces of the result that are put together at a time. */
const MANY = 1024

type Ending = 'break' | 'continue' | undefined

/** What a block begins with, and what a loop gives its variables. */
type Round = readonly [key: Datum, value: Datum]

/** @throws Refused */
export function executed(context: Context, template: Template, dot: Datum): string {
  const execution = new Execution(context, template)
  execution.run(template.body, dot, 0)
  return execution.text
}

class Execution {
  readonly #context: Context
  readonly #template: Template
  #variables: { readonly name: string; value: Datum }[] = []
  #text = ''
  #pieces: string[] = []

  constructor(context: Context, template: Template) {
    this.#context = context
    this.#template = template
  }

  get text(): string {
    this.#text += this.#pieces.join('')
    this.#pieces = []
    return this.#text
  }

  /** Adding piece by piece, JavaScript would keep each of millions as an object. */
  #write(text: string): void {
    if (this.#pieces.push(text) < MANY) return
    this.#text += this.#pieces.join('')
    this.#pieces = []
  }

  /** A template of its own: only `$` is known. */
  run(nodes: readonly Node[], dot: Datum, depth: number): void {
    if (depth > MAX_DEPTH) throw new Refused('templates are too deep')
    const outer = this.#variables
    this.#variables = [{ name: '$', value: dot }]
    this.#nodes(nodes, dot, depth)
    this.#variables = outer
  }

  #nodes(nodes: readonly Node[], dot: Datum, depth: number): Ending {
    const known = this.#variables.length
    let ending: Ending
    for (const node of nodes) {
      this.#context.spend(1)
      ending = this.#node(node, dot, depth)
      if (ending !== undefined) break
    }
    this.#variables.length = known
    return ending
  }

  #node(node: Node, dot: Datum, depth: number): Ending {
    switch (node.type) {
      case 'text':
        this.#write(node.text)
        return undefined
      case 'action': {
        const value = this.#pipe(node.pipe, dot)
        if (node.pipe.names.length === 0) this.#write(printed(value))
        return undefined
      }
      case 'break':
      case 'continue':
        return node.type
      case 'template': {
        const body = this.#template.named.get(node.name)
        if (body === undefined) throw new Refused('a template that is not defined')
        this.run(body, node.pipe === undefined ? undefined : this.#pipe(node.pipe, dot), depth + 1)
        return undefined
      }
      default:
        return this.#block(node, dot, depth)
    }
  }

  #block(
    node: Extract<Node, { readonly body: readonly Node[] }>,
    dot: Datum,
    depth: number,
  ): Ending {
    const known = this.#variables.length
    const value = this.#pipe(node.pipe, dot, node.type === 'range')
    let ending: Ending
    if (node.type === 'range') this.#range(node, roundsOf(value, node.pipe), dot, depth)
    else if (!isTrue(value)) ending = this.#nodes(node.otherwise, dot, depth)
    else ending = this.#nodes(node.body, node.type === 'with' ? value : dot, depth)
    this.#variables.length = known
    return ending
  }

  #range(
    node: Extract<Node, { readonly body: readonly Node[] }>,
    rounds: readonly Round[],
    dot: Datum,
    depth: number,
  ): void {
    // A `continue` behind `else` belongs to a loop further out, which Go does not allow either.
    if (rounds.length === 0) this.#nodes(node.otherwise, dot, depth)
    for (const [key, value] of rounds) {
      const known = this.#variables.length
      const { names, assigns } = node.pipe
      const values = names.length === 2 ? [key, value] : [value]
      for (const [i, name] of names.entries()) this.#give(name, values[i], assigns)
      const ending = this.#nodes(node.body, value, depth)
      this.#variables.length = known
      if (ending === 'break') return
    }
  }

  #give(name: string, value: Datum, assigns: boolean): void {
    if (!assigns) {
      this.#variables.push({ name, value })
      return
    }
    this.#variable(name).value = value
  }

  #variable(name: string): { value: Datum } {
    const variable = this.#variables.findLast((one) => one.name === name)
    if (variable === undefined) throw new Refused('a variable that is not defined')
    return variable
  }

  /** @param loops the variables are given in each round instead */
  #pipe(pipe: Pipe, dot: Datum, loops = false): Datum {
    let value: Datum
    for (const [i, command] of pipe.commands.entries())
      value = this.#command(command, dot, i === 0 ? [] : [value])
    if (!loops) for (const name of pipe.names) this.#give(name, value, pipe.assigns)
    return value
  }

  /** @param last what came through the pipe: the last argument */
  #command(terms: readonly Term[], dot: Datum, last: readonly Datum[]): Datum {
    const [first, ...rest] = terms
    if (first?.of.type === 'function') return this.#call(first, rest, dot, last)
    if (first !== undefined && this.#isNowhere(first, dot)) return undefined
    if (first === undefined || rest.length > 0 || last.length > 0)
      throw new Refused('arguments for a value that is no function')
    if (first.of.type === 'literal' && first.of.value === null)
      throw new Refused('nil is not a command')
    return this.#term(first, dot)
  }

  /** A member of what is not there: Go is done with it before it looks at arguments. */
  #isNowhere({ of, fields }: Term, dot: Datum): boolean {
    if (fields.length === 0 || of.type === 'pipe') return false
    return this.#term({ of, fields: fields.slice(0, -1) }, dot) === undefined
  }

  #call(first: Term, rest: readonly Term[], dot: Datum, last: readonly Datum[]): Datum {
    const name = first.of.type === 'function' ? first.of.name : ''
    if (first.fields.length > 0) throw new Refused('a field of a function')
    if (name === 'and' || name === 'or') return this.#until(name === 'or', rest, dot, last)
    const args = [...rest.map((term) => this.#term(term, dot)), ...last]
    const called = FUNCTIONS.get(name)
    if (called === undefined) throw new Refused('a call of a value that is no function')
    return called(this.#context, args)
  }

  /** The first that is as wanted, or the last one. */
  #until(wanted: boolean, terms: readonly Term[], dot: Datum, last: readonly Datum[]): Datum {
    if (terms.length + last.length === 0) throw new Refused('wrong number of arguments')
    let value: Datum
    for (const term of terms) {
      value = this.#term(term, dot)
      if (isTrue(value) === wanted) return value
    }
    return last.length > 0 ? last[0] : value
  }

  #term(term: Term, dot: Datum): Datum {
    return term.fields.reduce<Datum>((value, name) => field(value, name), this.#operand(term, dot))
  }

  #operand({ of }: Term, dot: Datum): Datum {
    switch (of.type) {
      case 'dot':
        return dot
      case 'literal':
        return of.value
      case 'variable':
        return this.#variable(of.name).value
      case 'pipe':
        return this.#pipe(of.pipe, dot)
      default:
        return this.#call({ of, fields: [] }, [], dot, [])
    }
  }
}

/** Of nothing there is nothing; of what has no members there is an error. */
function field(value: Datum, name: string): Datum {
  if (value === undefined) return undefined
  if (!isMap(value)) throw new Refused('a field of a value that has none')
  return value.get(name)
}

function printed(value: Datum): string {
  return value === undefined || value === null ? '<no value>' : shown(value)
}

function roundsOf(value: Datum, { names }: Pipe): readonly Round[] {
  if (value === undefined || value === null) return []
  if (isList(value)) return value.map((element, i) => [BigInt(i), element] as const)
  if (isMap(value)) return keysOf(value).map((key) => [key, value.get(key)] as const)
  if (typeof value !== 'bigint' || names.length > 1)
    throw new Refused('a range over a value that has no elements')
  if (value > MAX_ROUNDS) throw new Refused('a range that is too long')
  return Array.from({ length: Math.max(0, Number(value)) }, (_, i) => [BigInt(i), BigInt(i)])
}
const MAX_ROUNDS = 1_000_000n
