/** What a decision says about a lease, in members that may be shown: a token is named by its handles, and never shown itself. */
import { fromBase64url, sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { LeafReason } from '../../core/log/leaves.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Peer } from '../../core/request.ts'
import { readToken } from '../../formats/cap1/index.ts'
import type { Life } from './life.ts'
import { asMembers, bodyOf, type Members, membersOf, type Opened } from './opened.ts'

export interface LeaseEvent {
  /** Of the leaf, decimal. */
  readonly index: string
  readonly decision: string
  readonly time: UnixSeconds
  readonly action: string
  readonly allow: boolean
  readonly reasons: readonly LeafReason[]
  /** Who asked; the kernel asks nobody. */
  readonly peer?: Peer
  /** What was found of each signature and other evidence: the `check` of each fact that has one. */
  readonly checks: { readonly [fact: string]: string }
  /** Kinds of what the policy had done, in order. */
  readonly effects: readonly string[]
  /** What was asked for, and what came of it. */
  readonly said: Members
  /** After it. */
  readonly after: Life
}

export function eventOf(one: Opened, after: Life): LeaseEvent {
  const { index, leaf } = one
  const { action, allow, id, reasons, time } = leaf
  const { peer } = membersOf(one, 'request')
  return {
    index: `${index}`,
    decision: id,
    time,
    action,
    allow,
    reasons,
    ...(peer === undefined ? {} : { peer: peer as unknown as Peer }),
    checks: checksOf(one),
    effects: effectsOf(one).map(({ kind }) => String(kind)),
    said: { ...withoutToken(bodyOf(one)), ...outputOf(one) },
    after,
  }
}

function checksOf(one: Opened): { readonly [fact: string]: string } {
  const facts = Object.keys(one.openings).filter((field) => field.startsWith('facts.'))
  const checks = facts.flatMap((field) => {
    const { check } = membersOf(one, field)
    return typeof check === 'string' ? [[field.slice('facts.'.length), check] as const] : []
  })
  return Object.fromEntries(checks)
}

/** What the policy asked for; the kernel carried it out unless it says in its own reasons that it did not. */
export function effectsOf(one: Opened): readonly Members[] {
  const { effects } = membersOf(one, 'verdict')
  return Array.isArray(effects) ? effects.map((effect: Json) => asMembers(effect)) : []
}

/** Handles of the blocks of a token that was presented, whatever it is worth; and the lease that it names. */
export function presented(one: Opened): { readonly lease: string; readonly handles: string[] } {
  const { token } = bodyOf(one)
  const read = typeof token === 'string' ? readToken(token) : { problem: 'malformed' as const }
  if ('problem' in read) return { lease: '', handles: [] }
  return { lease: read.authority.lease, handles: read.blocks.map(({ handle }) => handle) }
}

/** The handle of a token that was signed here; undefined where none was. */
export function issuedHandle(one: Opened): string | undefined {
  const { action } = one.leaf
  if (action !== 'lease.grant' && action !== 'lease.renew') return undefined
  const { signature } = membersOf(one, 'output')
  const bytes = typeof signature === 'string' ? fromBase64url(signature) : undefined
  return bytes && sha256Hex(bytes)
}

function withoutToken({ token, ...rest }: Members): Members {
  if (typeof token !== 'string') return token === undefined ? rest : { ...rest, token }
  const read = readToken(token)
  const name = 'problem' in read ? read.problem : read.blocks.map(({ handle }) => handle)
  return { ...rest, token: name }
}

/** Of a token that was signed its handle; of everything else what the caller got. */
function outputOf(one: Opened): Members {
  const handle = issuedHandle(one)
  const { payload: _, signature: __, ...rest } = membersOf(one, 'output')
  return handle === undefined ? membersOf(one, 'output') : { ...rest, token: handle }
}
