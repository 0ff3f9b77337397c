/**
 * Configuration text to plain data with the place of every member. YAML 1.2 core (JSON is a part of it), without what makes YAML
 * surprising: no aliases, no tags, no directives, no second document, no duplicate or non-string key.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml'
import type { Json } from '../../core/json.ts'

/** 1-based. */
export interface Position {
  readonly line: number
  readonly col: number
}
export interface Located {
  readonly value: Json
  /** Of the member at this path, or of its nearest ancestor. `key` names a member of it whose name is meant. */
  at(path: readonly PropertyKey[], key?: string): Position
}
/** What is wrong with the text, and where. */
export interface Problem {
  readonly message: string
  readonly at: Position
}

const MAX_BYTES = 1_048_576
const MAX_DEPTH = 32
const WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the same member stands here twice',
  MULTIPLE_DOCS: 'a second document begins here; one file is one configuration',
}
class Refused extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** The text's data, or every problem that keeps it from being data. */
export function parseDocumentText(text: string): Located | { readonly problems: Problem[] } {
  const lines = new LineCounter()
  const place = (offset: number): Position => lines.linePos(offset)
  const fail = (message: string, offset = 0) => ({ problems: [{ message, at: place(offset) }] })
  if (text.length > MAX_BYTES) return fail(`is larger than ${MAX_BYTES} characters`)
  let document: Document
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      // Not `silent`: that would let a second document pass.
      logLevel: 'error',
    })
  } catch (error) {
    if (error instanceof RangeError) return fail('is nested too deeply')
    throw error
  }
  const found = [...document.errors, ...document.warnings]
  if (found.length > 0)
    return {
      problems: found.map(({ code, message, pos }) => ({
        message: WORDS[code] ?? message,
        at: place(pos[0]),
      })),
    }
  if (document.directives?.yaml.explicit === true) return fail('directives are not supported')
  const positions = new Map<string, number>()
  try {
    const value = plain(document.contents, [], positions)
    return { value, at: (path, key) => place(nearest(positions, path, key)) }
  } catch (error) {
    if (error instanceof Refused) return fail(error.message, error.offset)
    throw error
  }
}

const keyOf = (path: readonly PropertyKey[], key?: string): string =>
  JSON.stringify([path.map(String), key ?? null])

function nearest(
  positions: ReadonlyMap<string, number>,
  path: readonly PropertyKey[],
  key?: string,
): number {
  const named = key === undefined ? undefined : positions.get(keyOf(path, key))
  if (named !== undefined) return named
  for (let length = path.length; length >= 0; length--) {
    const offset = positions.get(keyOf(path.slice(0, length)))
    if (offset !== undefined) return offset
  }
  return 0
}

function plain(node: unknown, path: readonly string[], positions: Map<string, number>): Json {
  if (node === null) return null
  const offset = (node as Node).range?.[0] ?? 0
  positions.set(keyOf(path), offset)
  if (path.length > MAX_DEPTH) throw new Refused('is nested too deeply', offset)
  if (isAlias(node) || (node as { anchor?: string }).anchor !== undefined)
    throw new Refused('anchors and aliases are not supported: write the value out', offset)
  if (isSeq(node)) return node.items.map((item, i) => plain(item, [...path, `${i}`], positions))
  if (isMap(node)) {
    const members: [string, Json][] = []
    for (const { key, value } of node.items) {
      if (!isScalar(key) || typeof key.value !== 'string')
        throw new Refused('a member name must be a string', offset)
      positions.set(keyOf(path, key.value), key.range?.[0] ?? offset)
      members.push([key.value, plain(value, [...path, key.value], positions)])
    }
    return Object.fromEntries(members)
  }
  return scalar(isScalar(node) ? node.value : undefined, offset)
}

function scalar(value: unknown, offset: number): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value
    throw new Refused('a lone surrogate is not text', offset)
  }
  if (typeof value === 'number' && Number.isFinite(value)) {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value
    throw new Refused('the number is too large: write it as a string', offset)
  }
  throw new Refused('the value is not a string, a finite number, a boolean or null', offset)
}
