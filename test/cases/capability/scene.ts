/** From a scenario to a request and the records that it meets: tokens of real keys, one for each cell's and each holder's name. */
import { toBase64url } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import { proofMessage } from '../../../formats/cap1/index.ts'
import { nonceId } from '../../../plugins/capability/keys.ts'
import type { Records } from '../../enforcement.ts'
import {
  canonicalBytes,
  extended,
  granted,
  linkOf,
  type Pair,
  pairOf,
  sealed,
  tokenText,
} from '../../tokens.ts'
import { CaseFileError } from '../kind.ts'
import { MUTATIONS, type Original, TAKES } from './mutations.ts'
import { revocations } from './revocations.ts'
import type { LeaseState, Mint, ProofAsked, Scenario, State } from './scenario.ts'

/** As long as anything here is on record. */
const LONG = 4_000_000_000

export interface Scene {
  readonly payload: Json
  readonly records: Records
}

/** @throws CaseFileError for a mutation, or something revoked, that nobody knows */
export function sceneOf(scenario: Scenario): Scene {
  const original = mint(scenario, TAKES[scenario.mutate ?? ''] ?? 0)
  const token = mutated(scenario, original)
  const { at, proof, time, ...operation } = scenario.present
  const payload = { at, operation, token } as { [member: string]: Json }
  if (proof !== undefined && proof !== null)
    payload.proof = prove(proof, { audience: at, operation: operation as Json, time, token })
  return { payload, records: storable(recordsOf(scenario, tokenText(original.made))) }
}

/** A token may name what no record can be named after: there is none then. */
function storable(records: Records): Records {
  const fits = (sort: string): boolean => !/\p{Cc}/u.test(sort) && Buffer.byteLength(sort) <= 512
  const kept = (rows: Records[string]): Records[string] =>
    Object.fromEntries(Object.entries(rows).filter(([sort]) => fits(sort)))
  return Object.fromEntries(Object.entries(records).map(([plugin, rows]) => [plugin, kept(rows)]))
}

function mutated({ mutate }: Scenario, original: Original): string {
  if (mutate === undefined) return tokenText(original.made)
  const mutation = Object.hasOwn(MUTATIONS, mutate) ? MUTATIONS[mutate] : undefined
  if (mutation === undefined) throw new CaseFileError(`no mutation "${mutate}"`)
  return mutation(original)
}

/** @param blocks that are there at least: a holder adds ones that say nothing */
function mint({ attenuate = [], mint: asked }: Scenario, blocks: number): Original {
  const authority = authorityOf(asked)
  const lacking = Math.max(0, blocks - attenuate.length)
  const added = [...attenuate, ...Array.from({ length: lacking }, () => [])]
  const build: Original['build'] = (payload, { issuer = pairOf(nameOf(asked.issuer)) } = {}) => {
    let made = granted(payload, issuer)
    for (const [i, caveats] of added.entries()) {
      const nk = linkOf(i + 1).publicKey
      made = extended(made, canonicalBytes({ caveats, nk }), linkOf(i), linkOf(i + 1))
    }
    return asked.sealed === true ? sealed(made) : made
  }
  return { authority, build, made: build(canonicalBytes(authority)) }
}

/** Keys and records have names; what the token says in its place may be anything. */
const nameOf = (said: Json | undefined): string =>
  typeof said === 'string' ? said : JSON.stringify(said ?? null)

function authorityOf(mint: Mint): Original['authority'] {
  const { audience, caveats, cnf, exp, extra_field, generation, iat, issuer } = mint
  const members = {
    aud: audience,
    caveats,
    cnf: cnf === undefined ? undefined : pairOf(cnf).publicKey,
    exp,
    extra_field,
    gen: generation,
    iat,
    iss: issuer,
    jti: 'jti',
    lease: mint.lease,
    nk: linkOf(0).publicKey,
    resource: mint.resource,
    tenant: mint.tenant,
  }
  return Object.fromEntries(
    Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined),
  )
}

function prove(
  asked: ProofAsked,
  about: { audience: string; operation: Json; time: number; token: string },
): Json {
  const { audience = about.audience, corrupt, key, nonce, time = about.time, ...other } = asked
  const pair: Pair = pairOf(key)
  const request = { ...(about.operation as object), ...other } as Json
  const signature = pair.sign(proofMessage({ token: about.token, audience, nonce, time, request }))
  const sent = corrupt === true ? signature.with(0, (signature[0] as number) ^ 1) : signature
  return { key: pair.publicKey, nonce, signature: toBase64url(sent), time }
}

function recordsOf(scenario: Scenario, token: string): Records {
  const { mint: asked, state } = scenario
  const { registered_cells = [] } = state
  return {
    announce: { ...revocations(scenario, token), ...feeds(state) },
    capability: nonces(asked, state),
    enrolment: Object.fromEntries(
      registered_cells.map((cell) => [`cell/${cell}`, cellRecord(cell, state)]),
    ),
    lease: leases(asked, state),
  }
}

function cellRecord(cell: string, { foreign = {} }: State): Json {
  const keys = [{ public_key: pairOf(cell).publicKey, state: 'active' }]
  return { cell, keys, local: !Object.hasOwn(foreign, cell) }
}

function leases(asked: Mint, { fenced = [], lease }: State): Readonly<Record<string, Json>> {
  const resource = lease?.resource ?? nameOf(asked.resource)
  const id = lease?.id ?? nameOf(asked.lease)
  const held = {
    resource,
    cell: lease?.cell ?? nameOf(asked.issuer),
    state: fenced.includes(resource) ? 'fenced' : 'leased',
    lease: id,
    since: 0,
    epoch: 1,
  }
  if (lease === null || lease === undefined) return { [`resource/${resource}`]: held }
  const record = {
    lease: id,
    cell: held.cell,
    tenant: lease.tenant ?? nameOf(asked.tenant),
    resource,
    generation: lease.generation ?? asked.generation ?? 0,
    state: stateOf(lease),
    expires_at: lease.expires_at ?? LONG,
    granted_at: 0,
    caveats: [],
  }
  return { [`lease/${id}`]: record, [`resource/${resource}`]: held }
}

function stateOf({ status = 'active' }: LeaseState): string {
  return ['active', 'expired', 'freed', 'revoked'].includes(status) ? status : 'revoked'
}

function nonces(asked: Mint, { nonces: seen = [] }: State): Readonly<Record<string, Json>> {
  const holder = asked.cnf === undefined ? '' : pairOf(asked.cnf).publicKey
  return Object.fromEntries(
    seen.map((nonce) => [`nonce/${nonceId(holder, nonce)}`, { until: LONG }]),
  )
}

function feeds({ foreign = {} }: State): Readonly<Record<string, Json>> {
  const told = Object.entries(foreign).filter(([, asOf]) => asOf !== null)
  return Object.fromEntries(
    told.map(([cell, as_of]) => [`feed/${cell}`, { cell, sequence: 1, as_of }]),
  )
}
