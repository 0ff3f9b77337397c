/**
 * Scenarios of capability tokens, as their files have them. A scenario that says what nobody here knows is not judged, and so counts as failed:
 * none rots silently, and none keeps the others from being judged.
 */
import type { Json } from '../../../core/json.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import { CaseFileError, readCaseFile } from '../kind.ts'

const { array, boolean, integer, literal, object, record, string } = schema
const name = string({ maxLength: 65_536 })

/**
 * Of the authority block; `extra_field` stands in it as a member that no token has. Times are Unix seconds. A token may say what no reader
 * takes: anything is minted, and what is absent here the token has not.
 */
export interface Mint {
  readonly audience?: Json
  readonly caveats?: Json
  /** Name of the holder's key. */
  readonly cnf?: string
  readonly exp?: Json
  readonly extra_field?: Json
  readonly generation?: Json
  readonly iat?: Json
  readonly issuer?: Json
  readonly lease?: Json
  readonly resource?: Json
  readonly sealed?: boolean
  readonly tenant?: Json
}
/** Members that are not named here are the operation's. */
export interface Present {
  readonly at: string
  readonly op: string
  /** Null, like an absent one, is none. */
  readonly proof?: ProofAsked | null
  readonly resource: string
  readonly time: number
  readonly [member: string]: unknown
}
/**
 * By the key of this name. `time`: when it was made, if not now. `audience`: for which cell, if not the one that asks. `corrupt`: with one bit
 * flipped. Members that are not named here are those of the operation that it was made for, where that is not the one that is asked for.
 */
export interface ProofAsked {
  readonly audience?: string
  readonly corrupt?: boolean
  readonly key: string
  readonly nonce: string
  readonly time?: number
  readonly [member: string]: Json | undefined
}
export interface State {
  /** Cells of other kernels, and when their revocations were learned last (null: never). Other cells are of this kernel. */
  readonly foreign?: { readonly [cell: string]: Json }
  readonly fenced?: readonly string[]
  /** Null, or absent: no lease is on record. */
  readonly lease?: LeaseState | null
  readonly nonces?: readonly string[]
  readonly registered_cells?: readonly string[]
  /** See revocations.ts. */
  readonly revoked?: readonly string[]
  /** Tokens of the lease below this generation are revoked. */
  readonly revoked_below?: number
  readonly revoked_until?: number
}
/** `expires_at` defaults to long from now, the rest to what the token says. */
export interface LeaseState {
  readonly cell?: string
  readonly expires_at?: number
  readonly generation?: number
  readonly id?: string
  readonly resource?: string
  /** `active`, `expired`, `freed`, `revoked`, or in other words that it is over. */
  readonly status?: string
  readonly tenant?: string
}
export interface Scenario {
  /** What the case is there to show; the runner holds it for every case. */
  readonly assert?: Json
  readonly attenuate?: readonly (readonly Json[])[]
  readonly expect: 'accept' | 'refuse'
  readonly mint: Mint
  readonly mutate?: string
  readonly name: string
  readonly note?: string
  readonly present: Present
  readonly reason?: string
  readonly state: State
}

/** Members as `known` wants them, and any others. */
function open<T>(
  known: Readonly<Record<string, Schema<unknown>>>,
  needs: readonly string[],
): Schema<T> {
  return {
    json: {},
    problem(value, at) {
      const problem = record(anything).problem(value, at)
      if (problem !== undefined) return problem
      for (const [member, schema] of Object.entries(known)) {
        const given = (value as Readonly<Record<string, unknown>>)[member]
        if (given === undefined && !needs.includes(member)) continue
        const wrong = schema.problem(given, `${at}/${member}`)
        if (wrong !== undefined) return wrong
      }
      return undefined
    },
  }
}
const proof: Schema<ProofAsked> = open(
  { audience: name, corrupt: boolean(), key: name, nonce: name, time: integer() },
  ['key', 'nonce'],
)
const anything: Schema<unknown> = { json: {}, problem: () => undefined }
const optional = (inner: Schema<unknown>): Schema<unknown> => ({
  json: {},
  problem: (value, at) => (value === null ? undefined : inner.problem(value, at)),
})
const mint: Schema<Mint> = object(
  {},
  {
    audience: anything,
    caveats: anything,
    cnf: name,
    exp: anything,
    extra_field: anything,
    generation: anything,
    iat: anything,
    issuer: anything,
    lease: anything,
    resource: anything,
    sealed: boolean(),
    tenant: anything,
  },
) as Schema<Mint>
const present: Schema<Present> = open(
  { at: name, op: name, proof: optional(proof), resource: name, time: integer({ min: 0 }) },
  ['at', 'op', 'resource', 'time'],
)
const lease: Schema<LeaseState> = object(
  {},
  {
    cell: name,
    expires_at: integer(),
    generation: integer(),
    id: name,
    resource: name,
    status: name,
    tenant: name,
  },
)
const state: Schema<State> = object(
  {},
  {
    fenced: array(name),
    foreign: record(anything),
    lease: optional(lease),
    nonces: array(name),
    registered_cells: array(name),
    revoked: array(name),
    revoked_below: integer(),
    revoked_until: integer(),
  },
) as Schema<State>
const scenario = object(
  { expect: literal('accept', 'refuse'), mint, name, present, state },
  {
    assert: anything,
    attenuate: array(array(anything)),
    mutate: name,
    note: anything,
    reason: name,
  },
) as Schema<Scenario>

type Members = { readonly [name: string]: Json }

/** A scenario, or why it cannot be judged. */
export type Reading =
  | { readonly name: string; readonly scenario: Scenario }
  | { readonly name: string; readonly problem: string }
export interface ScenarioFile {
  /** Seconds: the longest life of a token, and how far `iat` may be ahead. Where the file has none, those that ship count. */
  readonly bounds: { readonly max_ttl?: number; readonly skew?: number }
  readonly readings: readonly Reading[]
  /** What the file knows of caveats: the types that the format names, or with `"types": "all"` every one that ships. */
  readonly types: 'all' | 'named'
}

/** A file may have a `base`, which gives what a scenario does not say. @throws CaseFileError when the file is not of this kind */
export async function readScenarios(file: string): Promise<ScenarioFile> {
  const content = await readCaseFile(file)
  const { base = {}, max_ttl, scenarios, skew, types } = (content ?? {}) as Members
  if (!Array.isArray(scenarios)) throw new CaseFileError(`${file}: expected the member scenarios`)
  const readings = scenarios.map((item: Json, i) => reading(over(base as Members, item), i))
  const bounds = {
    ...(typeof max_ttl === 'number' ? { max_ttl } : {}),
    ...(typeof skew === 'number' ? { skew } : {}),
  }
  return { bounds, readings, types: types === 'all' ? 'all' : 'named' }
}

function reading(whole: Json, i: number): Reading {
  const { name: said } = (whole ?? {}) as { readonly name?: Json }
  const named = typeof said === 'string' ? said : `scenario ${i}`
  const problem = scenario.problem(whole, '')
  if (problem !== undefined) return { name: named, problem }
  return { name: named, scenario: whole as unknown as Scenario }
}

/** The scenario's members over the base's, and within `mint`, `present` and `state` theirs. */
function over(base: Members, item: Json): Json {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
  const given = item as Members
  const merged = { ...base, ...given } as { [name: string]: Json }
  for (const part of ['mint', 'present', 'state'])
    if (base[part] !== undefined && given[part] !== undefined)
      merged[part] = { ...(base[part] as Members), ...(given[part] as Members) }
  return merged
}
