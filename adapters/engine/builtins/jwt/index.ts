/** JSON Web Tokens: read, checked and made, with keys that the policy names. */
import { bytesToHex } from '@noble/hashes/utils.js'
import { get, isObject, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { marshal } from '../json/index.ts'
import { wrongType } from '../operands.ts'
import { onTexts, textOf } from '../texts.ts'
import { ALGORITHMS } from './keys.ts'
import { sign } from './sign.ts'
import { decodeHeader, decodePart, objectIn, split } from './token.ts'
import { decodeVerify, verifyMac, verifySignature } from './verify.ts'

/** Nothing is checked. Of a token within a token the innermost is given. */
function decode(context: Context, text: string): Value | undefined {
  for (let inner = text; ; ) {
    const token = split(context, inner)
    const header = token && decodeHeader(context, token)
    const payload = header && decodePart(context, token.payload)
    if (token === undefined || header === undefined || payload === undefined) return undefined
    const cty = get(header, 'cty')
    if (cty !== undefined && typeof cty !== 'string') return fail(context, 'cty is no string')
    if (cty !== 'JWT') {
      const members = objectIn(context, textOf(payload))
      const signature = members && decodePart(context, token.signature)
      return members && signature && [header, members, bytesToHex(signature)]
    }
    inner = textOf(payload).replace(/^["']+|["']+$/g, '')
  }
}

/** The three are objects; they are written as JSON with their members in order. */
const encodeSign: Builtin = (context, header: Value, payload: Value, key: Value) => {
  for (const [i, operand] of [header, payload, key].entries())
    if (!isObject(operand)) return wrongType(context, i + 1, operand, 'object')
  return sign(context, marshal(header), marshal(payload), marshal(key))
}

const encodeSignRaw: Builtin = (context, header: Value, payload: Value, key: Value) => {
  if (typeof key !== 'string') return wrongType(context, 3, key, 'string')
  if (typeof header !== 'string') return wrongType(context, 1, header, 'string')
  if (typeof payload !== 'string') return wrongType(context, 2, payload, 'string')
  return sign(context, header, payload, key)
}

export const JWT: Family = {
  'io.jwt.decode': onTexts((context, text = '') => decode(context, text)),
  'io.jwt.decode_verify': decodeVerify,
  'io.jwt.encode_sign': encodeSign,
  'io.jwt.encode_sign_raw': encodeSignRaw,
  ...Object.fromEntries(
    ALGORITHMS.map((alg) => [
      `io.jwt.verify_${alg.toLowerCase()}`,
      alg.startsWith('HS') ? verifyMac(alg) : verifySignature(alg),
    ]),
  ),
}
