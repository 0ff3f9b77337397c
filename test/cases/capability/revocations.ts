/** What a scenario says is revoked, as the records of the revocation set. */
import type { Json } from '../../../core/json.ts'
import { readToken } from '../../../formats/cap1/index.ts'
import { pairOf } from '../../tokens.ts'
import { CaseFileError } from '../kind.ts'
import type { Scenario } from './scenario.ts'

type Named = readonly [kind: 'key' | 'lease' | 'tenant' | 'token', id: string]

/**
 * Of the token itself: `@token` (its authority block), `@block1` ... `@block15`, `@last`, `@parent` (the block before that), `@lease`,
 * `@key`, `@tenant`. Otherwise a name: a lease's, a tenant's, a cell's (its key), else some other token's; `lease:L1` says which.
 *
 * @param token as it was made, before anybody tampered with it
 * @throws CaseFileError for another name that begins with `@`
 */
export function revocations(scenario: Scenario, token: string): Readonly<Record<string, Json>> {
  const { revoked = [], revoked_below, revoked_until } = scenario.state
  const readable = readToken(token)
  const issuer = 'problem' in readable ? '' : readable.authority.iss
  const entry = (name: string): readonly [string, Json] => {
    const [kind, id] = named(name, scenario, token)
    const below = kind === 'lease' && revoked_below !== undefined ? { below: revoked_below } : {}
    const until = revoked_until ?? null
    const reach = kind === 'key' || kind === 'tenant' ? '*' : issuer
    const said = { kind, id, at: 0, until, origin: reach, reach, sequence: 1, ...below }
    return [`revoked/${kind}/${reach}/${id}`, said]
  }
  return Object.fromEntries(revoked.map(entry))
}

function named(name: string, { mint, state }: Scenario, token: string): Named {
  if (name.startsWith('@')) return ofToken(name, { mint }, token)
  const [, kind = '', id = ''] = /^(cell|key|lease|tenant|token):(.+)$/.exec(name) ?? []
  if (kind === 'cell' || kind === 'key') return ['key', pairOf(id).publicKey]
  if (kind === 'lease' || kind === 'tenant' || kind === 'token') return [kind, id]
  if (name === mint.lease) return ['lease', name]
  if (name === mint.tenant) return ['tenant', name]
  if (state.registered_cells?.includes(name)) return ['key', pairOf(name).publicKey]
  return ['token', name]
}

function ofToken(name: string, { mint }: Pick<Scenario, 'mint'>, token: string): Named {
  const readable = readToken(token)
  const handles = 'problem' in readable ? [] : readable.blocks.map(({ handle }) => handle)
  const [, block] = /^@(?:attenuation|block)[ :_-]?([0-9]+)$/.exec(name) ?? []
  if (block !== undefined) return ['token', handles[Number(block)] ?? name]
  switch (name) {
    case '@authority':
    case '@token':
      return ['token', handles[0] ?? name]
    case '@last':
      return ['token', handles.at(-1) ?? name]
    case '@ancestor':
    case '@parent':
      return ['token', handles.at(-2) ?? handles[0] ?? name]
    case '@lease':
      return ['lease', String(mint.lease)]
    case '@issuer':
    case '@key':
      return ['key', pairOf(String(mint.issuer)).publicKey]
    case '@tenant':
      return ['tenant', String(mint.tenant)]
    default:
      throw new CaseFileError(`nobody knows what is revoked: "${name}"`)
  }
}
