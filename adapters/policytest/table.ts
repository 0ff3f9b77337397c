/** Tables of cases beside the Rego: what goes in, what must come out. `schema.ts` says what a file may hold. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'

type Members = Readonly<Record<string, Json>>

/** What stands for an input: members that are given are put over those of `defaults`, objects member by member. */
interface Given {
  readonly query?: string
  readonly input?: Members
  readonly facts?: Members
  readonly request?: Members
  readonly now?: number
  readonly data?: Members
}
/** Each member must be equal to that of the answer; what is not named is not looked at. */
export interface Expectation {
  readonly allow?: boolean
  readonly reasons?: readonly WantedReason[]
  readonly effects?: readonly Json[]
  readonly obligations?: readonly Json[]
  readonly output?: Json
  /** The whole answer. */
  readonly value?: Json
  readonly undefined?: true
}
export type WantedReason =
  | string
  | { readonly code: string; readonly rule?: string; readonly message?: string }

/** The file as it is written. */
export interface TableFile {
  readonly $schema?: string
  readonly defaults?: Given
  readonly cases: readonly (Given & {
    readonly name: string
    readonly absent?: readonly string[]
    readonly expect: Expectation
  })[]
}

/** One case, ready to be asked. */
export interface Case {
  /** Relative to the folder. */
  readonly file: string
  readonly row: number
  readonly name: string
  /** `assay/access/decision` */
  readonly query: string
  readonly input: Json
  /** Members to put over the folder's data; undefined: none. */
  readonly data: Json | undefined
  readonly expect: Expectation
}

/** @param rowOf of the n-th case @throws RangeError naming the case: there is no default query for a file at the top */
export function casesOf(
  file: string,
  table: TableFile,
  rowOf: (at: number) => number,
): readonly Case[] {
  const { cases, defaults = {} } = table
  return cases.map((one, at) => {
    const query = one.query ?? defaults.query ?? defaultQuery(file)
    if (query === undefined) throw new RangeError(one.name)
    const input = merged(inputOf(defaults), inputOf(one))
    const data = merged(defaults.data ?? {}, one.data ?? {})
    return {
      file,
      row: rowOf(at),
      name: one.name,
      query: query.replace(/^data[./]/, '').replaceAll('.', '/'),
      input: (one.absent ?? []).reduce((value, path) => without(value, path.split('.')), input),
      data: canonicalJson(data) === '{}' ? undefined : data,
      expect: one.expect,
    }
  })
}

function defaultQuery(file: string): string | undefined {
  const [folder, ...rest] = file.split('/')
  return rest.length === 0 ? undefined : `assay/${folder}/decision`
}

function inputOf({ facts, input = {}, now, request }: Given): Json {
  const members = {
    ...(facts && { facts }),
    ...(now !== undefined && { now }),
    ...(request && { request }),
  }
  return merged(input, members)
}

/** `b` over `a`: objects member by member, everything else as a whole. */
export function merged(a: Json, b: Json): Json {
  if (!isObject(a) || !isObject(b)) return b
  const members = new Map<string, Json>(Object.entries(a))
  for (const [name, value] of Object.entries(b)) {
    const before = members.get(name)
    members.set(name, before === undefined ? value : merged(before, value))
  }
  return Object.fromEntries(members)
}

function without(value: Json, [name = '', ...rest]: readonly string[]): Json {
  if (!isObject(value)) return value
  const members = Object.entries(value).flatMap(([key, member]): [string, Json][] => {
    if (key !== name) return [[key, member]]
    return rest.length === 0 ? [] : [[key, without(member, rest)]]
  })
  return Object.fromEntries(members)
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
