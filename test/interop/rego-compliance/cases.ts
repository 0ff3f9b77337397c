/** A case as `go/prepare.go` writes it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { parseValue } from '../../../adapters/engine/value/json.ts'
import {
  isArray,
  objectOf,
  type PlainObject,
  RegoSet,
  type Value,
} from '../../../adapters/engine/value/value.ts'
import type { Json } from '../../../core/json.ts'
import { compiledCases, GROUPS } from './build.ts'

/** Unix nanoseconds: the time of all evaluations, as in `go/wanted.go`. */
export const NOW: bigint = 1_790_000_000_000_000_000n

/** The set of a query's bindings, or OPA's code of the error that ends the evaluation. */
export type Answer = { readonly error: string } | { readonly rows: RegoSet }

export interface Case {
  readonly id: string
  /** The folder of OPA's that it lies in. */
  readonly family: string
  readonly modules: readonly string[]
  readonly query: string
  /** Why it cannot be compiled, and so not be scored. */
  readonly leftOut: string | undefined
  readonly plan: Json
  /** JSON text, every digit kept. */
  readonly data: PlainObject
  readonly input: Value | undefined
  /** Whether OPA's test ends the evaluation where a built-in fails. */
  readonly strict: boolean
  /** Arrays that are bindings are compared as if sorted. */
  readonly sortBindings: boolean
  readonly want: Answer
  /** What it is where a built-in that fails is undefined: {@link want} for all but strict cases. */
  readonly lenient: Answer
  wasm(): Uint8Array<ArrayBuffer>
}

interface Line {
  readonly id: string
  readonly family: string
  readonly modules: readonly string[] | null
  readonly query: string
  readonly leftOut?: string
  readonly strict?: boolean
  readonly sortBindings?: boolean
  readonly wantError?: string
  readonly lenientError?: string
  readonly plan?: Json
  readonly wasmBytes: number
}

let loaded: Promise<readonly Case[]> | undefined

/** All cases, read once in a process. */
export async function loadCases(): Promise<readonly Case[]> {
  loaded ??= compiledCases().then((folder) =>
    Array.from({ length: GROUPS }, (_, group) => loadGroup(folder, group)).flat(),
  )
  return await loaded
}

function loadGroup(folder: string, group: number): readonly Case[] {
  let packed: Buffer | undefined
  const modules = (): Buffer => {
    packed ??= zstdDecompressSync(readFileSync(join(folder, `wasm-${group}.bin.zst`)))
    return packed
  }
  const lines = readFileSync(join(folder, `cases-${group}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  let offset = 0
  return lines.map((text) => {
    const line = JSON.parse(text) as Line
    const [start, end] = [offset, offset + line.wasmBytes]
    offset = end
    return caseOf(line, text, () => Uint8Array.from(modules().subarray(start, end)))
  })
}

function caseOf(line: Line, text: string, wasm: () => Uint8Array<ArrayBuffer>): Case {
  const exact = parseValue(text) as PlainObject
  const want = answer(exact.want, line.wantError)
  return {
    id: line.id,
    family: line.family,
    modules: line.modules ?? [],
    query: line.query,
    leftOut: line.leftOut,
    plan: line.plan ?? null,
    data: exact.data as PlainObject,
    input: exact.input === undefined ? undefined : untyped(exact.input),
    strict: line.strict ?? false,
    sortBindings: line.sortBindings ?? false,
    want,
    lenient: line.strict ? answer(exact.lenient, line.lenientError) : want,
    wasm,
  }
}

function answer(rows: Value | undefined, error: string | undefined): Answer {
  return error === undefined ? { rows: untyped(rows ?? { set: [] }) as RegoSet } : { error }
}

/** Reads what `go/typed.go` writes. */
function untyped(json: Value): Value {
  if (isArray(json)) return json.map(untyped)
  if (typeof json !== 'object' || json === null) return json
  const { set, object } = json as PlainObject
  if (set !== undefined) return RegoSet.of((set as readonly Value[]).map(untyped))
  if (object === undefined) return json
  return objectOf((object as readonly [Value, Value][]).map(([k, v]) => [untyped(k), untyped(v)]))
}
