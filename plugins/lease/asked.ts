/** From a payload to what it asks for: strict JSON in the form that the action expects, with keys that somebody can sign for. */
import { canonicalJson } from '../../core/canonical.ts'
import { fromBase64url, isWeakEncoding } from '../../core/crypto.ts'
import { JsonError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Request } from '../../core/request.ts'
import { type Call, openCall } from '../../formats/call/index.ts'
import { type Asked, type LeaseFacts, MAX_CAVEATS_BYTES, payloads } from './schema.ts'

export interface Readable {
  readonly asked: Asked
  readonly body: Json
  readonly call?: Call
  readonly payload: LeaseFacts['payload']
}

/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 512

export function readPayload({ action, payload }: Request): Readable | { readonly problem: string } {
  try {
    const opened = openCall(payload.json())
    if ('problem' in opened) return opened
    const problem = payloads[action]?.problem(opened.body, '')
    if (problem !== undefined) return { problem: problem.slice(0, MAX_PROBLEM) }
    return { ...opened, ...describe(opened.body as Asked) }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}

function describe(asked: Asked): {
  readonly asked: Asked
  readonly payload: LeaseFacts['payload']
} {
  const { caveats, cnf, epoch, generation, jti, nk, ok, ttl } = asked
  const text = caveats === undefined ? undefined : canonicalJson(caveats as Json)
  const problem = tooLarge(text) ?? notKeys({ cnf, nk })
  if (problem !== undefined) return { asked: {}, payload: { check: 'malformed', problem } }
  const payload = defined({
    // Read back from its canonical form, the order of members is the same however they were written.
    caveats: text === undefined ? undefined : JSON.parse(text),
    check: weak({ cnf, nk }) ? 'weak_key' : 'valid',
    cnf,
    epoch,
    generation,
    jti,
    nk,
    ok,
    ttl,
  })
  return { asked, payload: payload as LeaseFacts['payload'] }
}

type Keys = { readonly cnf: string | undefined; readonly nk: string | undefined }

const tooLarge = (caveats: string | undefined): string | undefined =>
  caveats !== undefined && encoder.encode(caveats).length > MAX_CAVEATS_BYTES
    ? `/caveats: expected at most ${MAX_CAVEATS_BYTES} bytes`
    : undefined
const encoder = new TextEncoder()

function notKeys(keys: Keys): string | undefined {
  for (const [name, key] of Object.entries(keys))
    if (key !== undefined && fromBase64url(key) === undefined)
      return `/${name}: expected 32 bytes in base64url`
  return undefined
}

const weak = (keys: Keys): boolean =>
  Object.values(keys).some(
    (key) => key !== undefined && isWeakEncoding(fromBase64url(key) ?? new Uint8Array()),
  )

/** Without the members that are not there. */
export function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
