/**
 * The facts about who signed a call, the same for every plugin that takes calls. They are a field of evidence: `check` is `valid`, `absent`
 * (nobody signed), `cell_unknown` (no such cell is enrolled) or `signature_invalid`. How old a call may be and which states of a key count
 * is said in Rego (policies/lib/call).
 */
import { verifyEd25519 } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type Call, callMessage, NAME, NONCE } from './call.ts'
import { importKey } from './keys.ts'
import { type NonceState, nonceKey, nonceState } from './nonces.ts'

export interface Caller {
  readonly cell: string
  readonly check: 'absent' | 'cell_unknown' | 'signature_invalid' | 'valid'
  /** State of the key that signed; `none` unless the signature is valid. */
  readonly key_state: 'active' | 'grace' | 'none' | 'retired' | 'revoked'
  readonly nonce: string
  readonly nonce_state: NonceState
  /** Unix seconds, as the call says. */
  readonly time: number
}

export const callerSchema: Schema<Caller> = schema.object({
  cell: schema.string({ maxLength: 128 }),
  check: schema.literal('absent', 'cell_unknown', 'signature_invalid', 'valid'),
  key_state: schema.literal('active', 'grace', 'none', 'retired', 'revoked'),
  nonce: schema.string({ maxLength: 22 }),
  nonce_state: schema.literal('fresh', 'full', 'seen'),
  time: schema.integer({ min: 0 }),
})

/** The effect that keeps an accepted call's nonce; plan it with {@link withNonce}. */
export const heardMembers: {
  readonly cell: Schema<string>
  readonly nonce: Schema<string>
  readonly time: Schema<number>
} = { cell: NAME, nonce: NONCE, time: schema.integer({ min: 0 }) }

/** As the plugin `enrolment` keeps a cell; other members do not matter here. */
interface CellRecord {
  readonly keys: readonly {
    readonly public_key: string
    readonly state: Exclude<Caller['key_state'], 'none'>
  }[]
}

export interface CallerReads {
  /** enrolment's record `cell/<cell>`, guarded. */
  cell(sort: string): Promise<Json | undefined>
  /** The plugin's own record of nonces, guarded. Read only once the signature holds. */
  nonces(sort: string): Promise<Json | undefined>
  /** announce's record `revoked/key/…`, guarded. Read only once the signature holds. */
  revoked(sort: string): Promise<Json | undefined>
}

export const NO_CALLER: Caller = {
  cell: '',
  check: 'absent',
  key_state: 'none',
  nonce: '',
  nonce_state: 'fresh',
  time: 0,
}

/**
 * Whether a key is in announce's revocation set, by a word that counts everywhere, or by its cell's own. Its enrolment may not say so.
 *
 * @param read announce's records, guarded
 * @param cell whose key it is, if a cell's
 */
export async function keyIsRevoked(
  read: (sort: string) => Promise<Json | undefined>,
  publicKey: string,
  cell: string | undefined,
  now: number,
): Promise<boolean> {
  for (const reach of cell === undefined ? ['*'] : [cell, '*']) {
    const entry = (await read(`revoked/key/${reach}/${publicKey}`)) as
      | { readonly until: number | null }
      | undefined
    if (entry !== undefined && (entry.until === null || entry.until > now)) return true
  }
  return false
}

/** Who signed `body` as a call of `action`. `now`: Unix seconds. */
export async function callerOf(
  call: Call | undefined,
  { action, body }: { readonly action: string; readonly body: Json },
  reads: CallerReads,
  now: number,
): Promise<Caller> {
  if (call === undefined) return NO_CALLER
  const { cell, nonce, signature, time } = call
  const said = { cell, key_state: 'none', nonce, nonce_state: 'fresh', time } as const
  const record = (await reads.cell(`cell/${cell}`)) as CellRecord | undefined
  if (record === undefined) return { ...said, check: 'cell_unknown' }
  const message = callMessage({ action, body, cell, nonce, time })
  const signer = record.keys.find(({ public_key }) => {
    const key = importKey(public_key)
    return typeof key === 'object' && verifyEd25519(key, message, signature)
  })
  if (signer === undefined) return { ...said, check: 'signature_invalid' }
  const nonces = await reads.nonces(nonceKey(call))
  const revoked = await keyIsRevoked((sort) => reads.revoked(sort), signer.public_key, cell, now)
  return {
    ...said,
    check: 'valid',
    key_state: revoked ? 'revoked' : signer.state,
    nonce_state: nonceState(nonces, nonce, now),
  }
}
