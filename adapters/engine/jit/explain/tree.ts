/** Places and texts of OPA's syntax tree, as `OpaCompiler.syntax` gives it: members of nodes read with care. */
import type { Json } from '../../../../core/json.ts'

export type Node = { readonly [member: string]: Json }

export function isNode(json: Json | undefined): json is Node {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

export function nodesOf(json: Json | undefined): readonly Node[] {
  return Array.isArray(json) ? json.filter(isNode) : []
}

/** Rows and columns are 1-based; `end` is the first place behind it. */
export interface Span {
  readonly row: number
  readonly col: number
  readonly endRow: number
  readonly endCol: number
  readonly text: string
}

export function spanOf(node: Node): Span {
  const place = node.location
  const { row, col, text } = isNode(place) ? place : { row: 0, col: 0, text: '' }
  const [r, c] = [Number(row ?? 0), Number(col ?? 0)]
  const plain = decoder.decode(bytesOf(typeof text === 'string' ? text : ''))
  const lines = plain.split('\n')
  const last = [...(lines.at(-1) ?? '')].length
  return {
    row: r,
    col: c,
    endRow: r + lines.length - 1,
    endCol: lines.length === 1 ? c + last : last + 1,
    text: plain,
  }
}
const decoder = new TextDecoder()

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

export function covers(span: Span, row: number, col: number): boolean {
  if (row < span.row || (row === span.row && col < span.col)) return false
  return row < span.endRow || (row === span.endRow && col < span.endCol)
}

/** `a.b["c d"]` of a reference's parts after its head. */
export function refText(head: string, keys: readonly (Json | symbol)[]): string {
  return keys.reduce<string>((text, key) => `${text}${keyText(key)}`, head)
}

function keyText(key: Json | symbol): string {
  if (typeof key === 'symbol') return '[_]'
  if (typeof key === 'string' && /^[A-Za-z_]\w*$/.test(key)) return `.${key}`
  return `[${JSON.stringify(key)}]`
}

/** What a reference in the tree names, such as `gt`, `object.union`, `is_owner`; undefined for what is no plain name. */
export function nameOf(ref: Node): string | undefined {
  const parts = nodesOf(ref.value).map((part) => part.value)
  return parts.every((part) => typeof part === 'string') ? parts.join('.') : undefined
}
