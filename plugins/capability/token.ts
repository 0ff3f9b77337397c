/** What a token says, once every signature on it holds. */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import { importKey } from '../../formats/call/index.ts'
import { type Caveat, readToken, type Token, verifyToken } from '../../formats/cap1/index.ts'
import { cellKey, fitsKey } from './keys.ts'
import type { CellRecord } from './records.ts'
import type { TokenFact } from './schema.ts'

/** A token whose signatures hold. */
export interface Verified {
  readonly token: Token
  readonly issuer: CellRecord
  readonly fact: TokenFact & { readonly check: 'valid' }
}

/**
 * The first thing that is wrong with the text: size, structure, keys, and then the signatures. The issuer's enrolment is the one record that is
 * read before all of them hold: it has the keys.
 */
export async function verifiedToken(
  text: string,
  read: Pick<ReadPorts, 'getFrom'>,
): Promise<Verified | TokenFact> {
  const token = readToken(text)
  if ('problem' in token) return { check: token.problem }
  if (!isWellFormed(token)) return { check: 'malformed' }
  const { iss } = token.authority
  const issuer = (await read.getFrom('enrolment', cellKey(iss))) as CellRecord | undefined
  if (issuer === undefined) return { check: 'issuer_unknown' }
  const signer = issuer.keys.findLast(({ public_key }) => {
    const key = importKey(public_key)
    return typeof key === 'object' && verifyToken(token, [key]) === 'valid'
  })
  if (signer === undefined) return { check: 'signature_invalid' }
  return { token, issuer, fact: describe(token, signer) }
}

/** Records can be named as it says, and it does not end before it begins. */
function isWellFormed({ authority }: Token): boolean {
  const { aud, exp, iat, iss, lease, resource, tenant } = authority
  return iat <= exp && [aud, iss, lease, resource, tenant].every(fitsKey)
}

function describe(
  { authority, blocks, last }: Token,
  signer: CellRecord['keys'][number],
): Verified['fact'] {
  const { aud, cnf, exp, gen, iat, iss, jti, lease, resource, tenant } = authority
  const { caveats, surplus, unsupported } = byType(blocks.flatMap((block) => block.caveats))
  return {
    aud,
    bound: cnf !== undefined,
    caveats,
    check: 'valid',
    exp,
    gen,
    handles: blocks.map(({ handle }) => handle),
    iat,
    iss,
    jti,
    key_state: signer.state,
    lease,
    resource,
    sealed: 'seal' in last,
    signer: signer.public_key,
    surplus,
    tenant,
    unsupported,
  }
}

/** A folder and a Rego rule can be named so. Anything else, `__proto__` and `OP` too, is of no type. */
const TYPE = /^[a-z][a-z0-9_]{0,63}$/

function byType(caveats: readonly Caveat[]): {
  readonly caveats: { readonly [type: string]: readonly Json[] }
  readonly surplus: readonly string[]
  readonly unsupported: number
} {
  // No type is called __proto__, so each is a member of its own.
  const values: { [type: string]: Json[] } = {}
  const surplus: string[] = []
  let unsupported = 0
  for (const caveat of caveats) {
    const { t, v } = caveat
    if (!TYPE.test(t)) unsupported++
    else if (v === undefined || Object.keys(caveat).length !== 2) surplus.push(t)
    else if (Object.hasOwn(values, t)) values[t]!.push(v)
    else values[t] = [v]
  }
  return { caveats: values, surplus, unsupported }
}
