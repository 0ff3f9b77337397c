/** Scenarios of capability tokens, as their files have them. An unknown member is an error: no case rots silently. */
import type { Json } from '../../../core/json.ts'
import { type Schema, schema } from '../../../core/schema.ts'
import { CaseFileError, readCaseFile } from '../kind.ts'

const { array, boolean, integer, json, literal, object, record, string } = schema
const name = string({ maxLength: 4096 })
const caveats = array(json())

/** Of the authority block; `extra_field` stands in it as a member that no token has. Times are Unix seconds. */
export interface Mint {
  readonly audience: string
  readonly caveats: readonly Json[]
  /** Name of the holder's key. */
  readonly cnf?: string
  readonly exp: number
  readonly extra_field?: Json
  readonly generation: number
  readonly iat: number
  readonly issuer: string
  readonly lease: string
  readonly resource: string
  readonly sealed?: boolean
  readonly tenant: string
}
/** Members that are not named here are the operation's. */
export interface Present {
  readonly at: string
  readonly op: string
  readonly proof?: ProofAsked
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
  readonly fenced: readonly string[]
  /** `expires_at` defaults to long from now, the rest to what the token says. Null: no lease is on record. */
  readonly lease: LeaseState | null
  readonly nonces?: readonly string[]
  readonly registered_cells: readonly string[]
  /**
   * `@token` (the authority block), `@block1` ... `@block15`, `@last`, `@lease`, `@key`, `@tenant`, or a name: a lease's, a tenant's, a
   * cell's (its key), else some other token's.
   */
  readonly revoked: readonly string[]
  /** Tokens of the lease below this generation are revoked. */
  readonly revoked_below?: number
  readonly revoked_until?: number
}
export interface LeaseState {
  readonly cell?: string
  readonly expires_at?: number
  readonly generation: number
  readonly id: string
  readonly resource?: string
  readonly status: 'active' | 'expired' | 'freed' | 'revoked'
  readonly tenant?: string
}
export interface Scenario {
  /** What the case is there to show; the runner holds it for every case. */
  readonly assert?: Json
  readonly attenuate: readonly (readonly Json[])[]
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
      const problem = record(json()).problem(value, at)
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
/** Of the authority block anything is minted: a token may say what no reader takes. */
const mint: Schema<Mint> = object(
  {
    audience: name,
    caveats,
    exp: json(),
    generation: json(),
    iat: json(),
    issuer: name,
    lease: name,
    resource: name,
    tenant: name,
  },
  { cnf: name, extra_field: json(), sealed: boolean() },
) as Schema<Mint>
const present: Schema<Present> = open(
  { at: name, op: name, proof, resource: name, time: integer() },
  ['at', 'op', 'resource', 'time'],
)
const lease: Schema<LeaseState> = object(
  {
    generation: integer(),
    id: name,
    status: literal('active', 'expired', 'freed', 'revoked'),
  },
  { cell: name, expires_at: integer(), resource: name, tenant: name },
)
const optionalLease: Schema<LeaseState | null> = {
  json: {},
  problem: (value, at) => (value === null ? undefined : lease.problem(value, at)),
}
const state: Schema<State> = object(
  {
    fenced: array(name),
    lease: optionalLease,
    registered_cells: array(name),
    revoked: array(name),
  },
  {
    foreign: record(json()),
    nonces: array(name),
    revoked_below: integer(),
    revoked_until: integer(),
  },
)
const scenario: Schema<Scenario> = object(
  {
    attenuate: array(caveats),
    expect: literal('accept', 'refuse'),
    mint,
    name,
    present,
    state,
  },
  { assert: json(), mutate: name, note: name, reason: name },
)

type Members = { readonly [name: string]: Json }

const NOTHING: Members = { attenuate: [], state: { fenced: [], lease: null, revoked: [] } }

/** A file may have a `base`, which gives what a scenario does not say. @throws CaseFileError when the file is not of this kind */
export async function readScenarios(file: string): Promise<readonly Scenario[]> {
  const content = await readCaseFile(file)
  const { base = {}, scenarios } = (content ?? {}) as { base?: Members; scenarios?: Json }
  if (!Array.isArray(scenarios)) throw new CaseFileError(`${file}: expected the member scenarios`)
  return scenarios.map((item: Json, i) => {
    const whole = over(over(NOTHING, base) as Members, item)
    const problem = scenario.problem(whole, `/scenarios/${i}`)
    if (problem !== undefined) throw new CaseFileError(`${file}: ${problem}`)
    return whole as unknown as Scenario
  })
}

/** The scenario's members over the base's, and within `mint`, `present` and `state` theirs. */
function over(base: Members, item: Json): Json {
  const given = item as Members
  const merged = { ...base, ...given } as { [name: string]: Json }
  for (const part of ['mint', 'present', 'state'])
    if (base[part] !== undefined && given[part] !== undefined)
      merged[part] = { ...(base[part] as Members), ...(given[part] as Members) }
  return merged
}
