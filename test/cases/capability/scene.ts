/** From a scenario to a request and the records that it meets: tokens of real keys, one for each cell's and each holder's name. */
import { toBase64url } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import { proofMessage, readToken } from '../../../formats/cap1/index.ts'
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
import { MUTATIONS, type Original } from './mutations.ts'
import type { Mint, ProofAsked, Scenario, State } from './scenario.ts'

/** As long as anything here is on record. */
const LONG = 4_000_000_000

export interface Scene {
  readonly payload: Json
  readonly records: Records
}

/** @throws CaseFileError for a mutation that nobody knows */
export function sceneOf(scenario: Scenario): Scene {
  const original = mint(scenario)
  const token = mutated(scenario, original)
  const { at, proof, time, ...operation } = scenario.present
  const payload = { at, operation, token } as { [member: string]: Json }
  if (proof !== undefined)
    payload.proof = prove(proof, { audience: at, operation: operation as Json, time, token })
  return { payload, records: recordsOf(scenario, tokenText(original.made)) }
}

function mint({ attenuate, mint: asked }: Scenario): Original {
  const authority = authorityOf(asked)
  const build: Original['build'] = (payload, { issuer = pairOf(asked.issuer) } = {}) => {
    let made = granted(payload, issuer)
    for (const [i, caveats] of attenuate.entries()) {
      const nk = linkOf(i + 1).publicKey
      const added = canonicalBytes({ caveats, nk })
      made = extended(made, added, linkOf(i), linkOf(i + 1))
    }
    return asked.sealed === true ? sealed(made) : made
  }
  return { authority, build, made: build(canonicalBytes(authority)) }
}

function authorityOf(mint: Mint): Original['authority'] {
  const { audience, caveats, cnf, exp, extra_field, generation, iat, issuer } = mint
  return {
    aud: audience,
    caveats,
    ...(cnf === undefined ? {} : { cnf: pairOf(cnf).publicKey }),
    exp,
    ...(extra_field === undefined ? {} : { extra_field }),
    gen: generation,
    iat,
    iss: issuer,
    jti: 'jti',
    lease: mint.lease,
    nk: linkOf(0).publicKey,
    resource: mint.resource,
    tenant: mint.tenant,
  }
}

function mutated({ mutate }: Scenario, original: Original): string {
  if (mutate === undefined) return tokenText(original.made)
  const mutation = Object.hasOwn(MUTATIONS, mutate) ? MUTATIONS[mutate] : undefined
  if (mutation === undefined) throw new CaseFileError(`no mutation "${mutate}"`)
  return mutation(original)
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
  return {
    announce: { ...revocations(scenario, token), ...feeds(state) },
    capability: nonces(asked, state),
    enrolment: Object.fromEntries(
      state.registered_cells.map((cell) => [`cell/${cell}`, cellRecord(cell, state)]),
    ),
    lease: leases(asked, state),
  }
}

function cellRecord(cell: string, { foreign = {} }: State): Json {
  const keys = [{ public_key: pairOf(cell).publicKey, state: 'active' }]
  return { cell, keys, local: !Object.hasOwn(foreign, cell) }
}

function leases(asked: Mint, { fenced, lease }: State): Readonly<Record<string, Json>> {
  const resource = lease?.resource ?? asked.resource
  const held = {
    resource,
    cell: lease?.cell ?? asked.issuer,
    state: fenced.includes(resource) ? 'fenced' : 'leased',
    lease: lease?.id ?? asked.lease,
    since: 0,
    epoch: 1,
  }
  if (lease === null) return { [`resource/${resource}`]: held }
  const record = {
    lease: lease.id,
    cell: held.cell,
    tenant: lease.tenant ?? asked.tenant,
    resource,
    generation: lease.generation,
    state: lease.status,
    expires_at: lease.expires_at ?? LONG,
    granted_at: 0,
    caveats: [],
  }
  return { [`lease/${lease.id}`]: record, [`resource/${resource}`]: held }
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

function revocations({ mint, state }: Scenario, token: string): Readonly<Record<string, Json>> {
  const { registered_cells, revoked, revoked_below, revoked_until } = state
  const readable = readToken(token)
  const handles = 'problem' in readable ? [] : readable.blocks.map(({ handle }) => handle)
  const named = (name: string): readonly [kind: string, id: string] => {
    const [, block] = /^@block[ :-]?([0-9]+)$/.exec(name) ?? []
    if (name === '@token') return ['token', handles[0] ?? name]
    if (block !== undefined) return ['token', handles[Number(block)] ?? name]
    if (name === '@last') return ['token', handles.at(-1) ?? name]
    if (name === '@lease' || name === mint.lease) return ['lease', mint.lease]
    if (name === '@tenant' || name === mint.tenant) return ['tenant', mint.tenant]
    if (name === '@key') return ['key', pairOf(mint.issuer).publicKey]
    if (registered_cells.includes(name)) return ['key', pairOf(name).publicKey]
    return ['token', name]
  }
  const entry = (name: string): readonly [string, Json] => {
    const [kind, id] = named(name)
    const below = kind === 'lease' && revoked_below !== undefined ? { below: revoked_below } : {}
    const until = revoked_until ?? null
    return [`revoked/${kind}/${id}`, { kind, id, at: 0, until, origin: 'x', sequence: 1, ...below }]
  }
  return Object.fromEntries(revoked.map(entry))
}
