/** The plugin `enrolment`: whose key is whose, for what, and in which state. See README.md. */
import { fromBase64url, type VerifyKey, verifyEd25519 } from '../../core/crypto.ts'
import { JsonError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import {
  bindMessage,
  type Call,
  callerOf,
  handOverMessage,
  importKey,
  keyIsRevoked,
  NO_CALLER,
  type Owner,
  openCall,
} from '../../formats/call/index.ts'
import { enrolmentEffects } from './effects.ts'
import { ANNOUNCE, CONTROLLER, keyRecord, ownerRecord, RELEASE } from './keys.ts'
import { Records } from './records.ts'
import {
  actions,
  type Body,
  bodies,
  type EnrolmentFacts,
  enrolmentSchema,
  type KeyRecord,
  type OwnedKey,
  type OwnerRecord,
} from './schema.ts'

type Key = EnrolmentFacts['key']

async function facts(
  request: Request,
  read: ReadPorts,
  now: UnixSeconds,
  signal: AbortSignal,
): Promise<EnrolmentFacts> {
  signal.throwIfAborted()
  const asked = readPayload(request)
  if ('problem' in asked) return { ...NOTHING, payload: malformed(asked.problem) }
  const { body, call } = asked
  const wanted = ownerOf(request.action, body)
  const said = { ...NOTHING, ...reported(body, wanted) }
  const imported = body.public_key === undefined ? undefined : importKey(body.public_key)
  if (imported === 'malformed') return { ...NOTHING, payload: malformed('/public_key') }
  if (imported === 'weak_key') return { ...said, key: { ...said.key, check: 'weak_key' } }
  const proof = proofOf(body, wanted, imported)
  // Nothing is looked up for a signature that does not hold.
  if (proof.check === 'signature_invalid') return { ...said, proof }
  const records = new Records(read, signal)
  const caller = await callerOf(call, { action: request.action, body: asked.signed }, records, now)
  if (caller.check !== 'absent' && caller.check !== 'valid') return { ...said, caller, proof }
  const key = await keyFacts(body.public_key, records)
  const owner = await ownerFacts(wanted ?? registeredOwner(key), records)
  // What a new key replaces is written with it.
  const newest = owner.keys.at(-1)
  if (newest !== undefined) await records.own(keyRecord(newest.public_key))
  const check = handOverOf(body, wanted, newest)
  const key_revoked = check === 'valid' && (await isRevoked(wanted, newest, records, now))
  return { ...said, caller, hand_over: { check, key_revoked }, key, owner, proof }
}

interface Asked {
  readonly body: Body
  readonly call?: Call
  /** The body as it came. */
  readonly signed: Json
}

function readPayload({ action, payload }: Request): Asked | { readonly problem: string } {
  try {
    const opened = openCall(payload.json())
    if ('problem' in opened) return opened
    const { body: signed, ...call } = opened
    const problem = bodies[action]?.problem(signed, '')
    if (problem !== undefined) return { problem: problem.slice(0, MAX_PROBLEM) }
    return { body: signed as Body, signed, ...call }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}
/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 1024

/** Whose key it is to be. Undefined for a transition, which is about whoever has it. */
function ownerOf(action: string, { cell, owner, scope, tenant }: Body): Owner | undefined {
  if (cell !== undefined) return { owner: cell, scope: 'cell' }
  if (tenant !== undefined) return { owner: tenant, scope: 'tenant' }
  if (owner !== undefined && scope !== undefined) return { owner, scope }
  return action === 'enrolment.pin-controller'
    ? { owner: CONTROLLER, scope: 'controller' }
    : undefined
}

function proofOf(
  { proof }: Body,
  owner: Owner | undefined,
  key: VerifyKey | undefined,
): EnrolmentFacts['proof'] {
  if (proof === undefined || owner === undefined || key === undefined) return { check: 'absent' }
  return { check: holds(key, bindMessage(owner), proof) }
}

function handOverOf(
  { hand_over, public_key }: Body,
  owner: Owner | undefined,
  newest: OwnedKey | undefined,
): EnrolmentFacts['hand_over']['check'] {
  if (hand_over === undefined || owner === undefined || public_key === undefined) return 'absent'
  const key = newest && importKey(newest.public_key)
  if (typeof key !== 'object') return 'signature_invalid'
  return holds(key, handOverMessage(owner, public_key), hand_over)
}

/** Of a controller's key its pin alone decides. */
async function isRevoked(
  owner: Owner | undefined,
  newest: OwnedKey | undefined,
  records: Records,
  now: UnixSeconds,
): Promise<boolean> {
  if (owner === undefined || newest === undefined || owner.scope === CONTROLLER) return false
  const cell = owner.scope === 'cell' ? owner.owner : undefined
  return keyIsRevoked((sort) => records.revoked(sort), newest.public_key, cell, now)
}

function holds(
  key: VerifyKey,
  message: Uint8Array,
  signature: string,
): 'signature_invalid' | 'valid' {
  const bytes = fromBase64url(signature)
  return bytes !== undefined && verifyEd25519(key, message, bytes) ? 'valid' : 'signature_invalid'
}

async function keyFacts(publicKey: string | undefined, records: Records): Promise<Key> {
  if (publicKey === undefined) return NOTHING.key
  const known = (await records.own(keyRecord(publicKey))) as unknown as KeyRecord | undefined
  const pinned = await records.foreign(RELEASE, keyRecord(publicKey))
  return {
    check: 'valid',
    pinned_for_release: pinned !== undefined,
    public_key: publicKey,
    registered:
      known === undefined
        ? NOTHING.key.registered
        : { owner: known.owner, scope: known.scope, state: known.state },
  }
}

function registeredOwner({ registered }: Key): Owner | undefined {
  return registered.scope === 'none' ? undefined : registered
}

async function ownerFacts(
  owner: Owner | undefined,
  records: Records,
): Promise<EnrolmentFacts['owner']> {
  if (owner === undefined) return NOTHING.owner
  const sort = ownerRecord(owner)
  const record = sort === undefined ? undefined : await records.own(sort)
  const keys = (record as unknown as OwnerRecord | undefined)?.keys ?? []
  return { keys, name: owner.owner, scope: owner.scope as EnrolmentFacts['owner']['scope'] }
}

/** What a readable body says, before anything was looked up. */
function reported(
  { custody = '', public_key = '', replaces = '', state = 'none', verification }: Body,
  owner: Owner | undefined,
): Pick<EnrolmentFacts, 'claimed' | 'key' | 'owner' | 'payload'> {
  const { by, reference } = verification ?? NOTHING.claimed.verification
  return {
    claimed: { verification: { by, reference } },
    key: { ...NOTHING.key, public_key },
    owner: {
      keys: [],
      name: owner?.owner ?? '',
      scope: (owner?.scope ?? 'none') as EnrolmentFacts['owner']['scope'],
    },
    payload: { check: 'valid', custody, replaces, state },
  }
}

function malformed(problem: string): EnrolmentFacts['payload'] {
  return { ...NOTHING.payload, problem }
}

const NOTHING: EnrolmentFacts = {
  caller: NO_CALLER,
  claimed: { verification: { by: '', reference: '' } },
  hand_over: { check: 'absent', key_revoked: false },
  key: {
    check: 'absent',
    pinned_for_release: false,
    public_key: '',
    registered: { owner: '', scope: 'none', state: 'none' },
  },
  owner: { keys: [], name: '', scope: 'none' },
  payload: { check: 'malformed', custody: '', replaces: '', state: 'none' },
  proof: { check: 'absent' },
}

export const enrolment: Plugin<EnrolmentFacts> = {
  name: 'enrolment',
  actions,
  schema: enrolmentSchema,
  reads: [ANNOUNCE, RELEASE],
  effects: enrolmentEffects,
  facts,
}
