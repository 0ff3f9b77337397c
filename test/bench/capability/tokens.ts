/** What a presented token costs: its signatures, and with the plugin's facts and the policy's verdict. Nothing of commit or seal. */
import { type KeyObject, verify } from 'node:crypto'
import { createJitEngine } from '../../../adapters/engine/jit/index.ts'
import { ed25519Key, type VerifyKey } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import type { ReadPorts } from '../../../core/plugin.ts'
import type { Policy } from '../../../core/ports/engine.ts'
import { Payload, type Request } from '../../../core/request.ts'
import {
  authorityMessage,
  FRESH_KEYS,
  readToken,
  verifyToken,
} from '../../../formats/cap1/index.ts'
import { capability } from '../../../plugins/capability/facts.ts'
import { ENTRYPOINT, tokenBundle } from '../../enforcement.ts'
import { authorityOf, CELL, chain, pairOf, sealed, tokenText } from '../../tokens.ts'
import type { Side } from './measure.ts'

/** What is presented: so many blocks after the authority block, and what stands last. */
export interface Shape {
  readonly added: number
  readonly last: 'seal' | 'seed'
}
export const SHAPES: readonly Shape[] = [0, 1, 3].flatMap((added) => [
  { added, last: 'seal' as const },
  { added, last: 'seed' as const },
])
export const signaturesOf = ({ added, last }: Shape): number => added + (last === 'seal' ? 2 : 1)

/** So many different tokens of a shape take turns. */
const TOKENS = 64
const NOW = authorityOf().iat + 10
export const OPERATION = { bytes: 1, op: 'read', resource: 'gpu-0' }
const CAVEATS = [{ t: 'op', v: ['read', 'submit'] }]
const PEER = { kind: 'embedded', id: 'bench' } as const

/** Different tokens of one shape and one lease; their added blocks limit `max_bytes`. */
export function tokensOf({ added, last }: Shape): readonly string[] {
  return Array.from({ length: TOKENS }, (_, i) => {
    const made = chain(added, { caveats: CAVEATS, jti: `token-${i}` })
    return tokenText(last === 'seal' ? sealed(made) : made)
  })
}

/** One of them after the other. */
export function inTurn<T>(items: readonly T[]): () => T {
  let i = 0
  return () => items[i++ % items.length] as T
}

/** The unit: one verification with a key that is imported already. */
export function bareVerification(): Side {
  const { handle } = issuerKey()
  const signed = inTurn(
    tokensOf({ added: 0, last: 'seed' }).map((text) => {
      const token = readToken(text)
      if ('problem' in token) throw new Error(token.problem)
      const { payload, signature } = token.blocks[0] as (typeof token.blocks)[number]
      return { message: authorityMessage(payload), signature }
    }),
  )
  return () => {
    const { message, signature } = signed()
    if (!verify(null, message, handle as KeyObject, signature)) throw new Error('not verified')
  }
}

const issuerKey = (): VerifyKey => ed25519Key(pinnedKey())
const pinnedKey = (): Uint8Array => Buffer.from(pairOf(CELL).publicKey, 'base64url')

/** `kept`: every key was seen before. `first`: the issuer's was. `cold`: none was. */
export type Keys = 'cold' | 'first' | 'kept'

/** Reading and verifying alone. */
export function verification(shape: Shape, keys: Keys): Side {
  const next = inTurn(tokensOf(shape))
  const kept = [issuerKey()]
  return () => {
    const token = readToken(next())
    if ('problem' in token) throw new Error(token.problem)
    const issuer = keys === 'cold' ? [issuerKey()] : kept
    const verdict =
      keys === 'kept' ? verifyToken(token, issuer) : verifyToken(token, issuer, FRESH_KEYS)
    if (verdict !== 'valid') throw new Error(verdict)
  }
}

/** Records of one cell that leased one resource to one tenant, as their plugins write them. */
export const RECORDS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  announce: {},
  capability: {},
  enrolment: {
    [`cell/${CELL}`]: {
      cell: CELL,
      keys: [{ public_key: pairOf(CELL).publicKey, state: 'active' }],
      local: true,
    },
  },
  lease: {
    'lease/lease-1': {
      cell: CELL,
      expires_at: authorityOf().exp,
      generation: 1,
      granted_at: authorityOf().iat,
      lease: 'lease-1',
      resource: 'gpu-0',
      state: 'active',
      tenant: 'tenant-1',
    },
    'resource/gpu-0': {
      cell: CELL,
      epoch: 1,
      lease: 'lease-1',
      resource: 'gpu-0',
      since: authorityOf().iat,
      state: 'leased',
    },
  },
}

/** The facts, and what the policy says to them. */
export class Verdicts {
  readonly #policy: Policy
  readonly #signal: AbortSignal = new AbortController().signal

  private constructor(policy: Policy) {
    this.#policy = policy
  }

  static async open(): Promise<Verdicts> {
    return new Verdicts(await createJitEngine({ checkInputs: false }).load(await tokenBundle()))
  }

  /** @param read gives what facts read, once a call */
  of(shape: Shape, read: () => ReadPorts): Side {
    const next = inTurn(tokensOf(shape).map(requestOf))
    return async () => {
      const request = next()
      const facts = await capability.facts(request, read(), NOW, this.#signal)
      const verdict = this.#policy.evaluate(ENTRYPOINT, inputOf(request, facts))
      if ((verdict as { readonly allow?: boolean }).allow !== true)
        throw new Error(`not allowed: ${JSON.stringify(verdict)}`)
    }
  }

  close(): Promise<void> {
    return this.#policy.close()
  }
}

/** As a transport hands it over: its JSON is parsed. */
function requestOf(token: string): Request {
  const payload = Payload.fromParsed({ at: CELL, operation: OPERATION, token })
  return { action: 'capability.use', obligations: [], payload, peer: PEER }
}

/** As the kernel writes it. */
function inputOf(
  { action, obligations, peer }: Request,
  facts: object,
): { text: string; value: Json } {
  const value = {
    facts: facts as Json,
    now: NOW,
    request: { action, obligations, peer: { ...peer } },
  }
  return { text: JSON.stringify(value), value }
}

/** Reads of records that lie in memory. */
export function memoryReads(records: typeof RECORDS = RECORDS): ReadPorts {
  const of = (plugin: string, sort: string): Promise<Json | undefined> =>
    Promise.resolve(records[plugin]?.[sort])
  const refuse = (): never => {
    throw new Error('the facts of a token do not read so')
  }
  return {
    get: (sort) => of('capability', sort),
    getFrom: of,
    decided: refuse,
    listGuarded: refuse,
    snapshot: refuse,
  }
}
