/** The plugin `signer`: which keys sign, in which state each version is, and who verifies them. See README.md. */
import { canonicalJson } from '../../core/canonical.ts'
import { ed25519Key, fromBase64url, p256Key, sha256Hex } from '../../core/crypto.ts'
import { JsonError, LogError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { signingKeyFacts } from '../../formats/signingkey/index.ts'
import { keyIdOf } from '../../formats/task/index.ts'
import { signerEffects } from './effects.ts'
import {
  approvalRecord,
  DELIVERIES,
  deliveryRecord,
  ELSEWHERE,
  elsewhereRecord,
  managedKey,
  publicKeyRecord,
  ROOT_SCOPE,
  setRecord,
  verifierRecord,
  verifiersOf,
} from './keys.ts'
import { type Said, type SignerFacts, signerSchema } from './report.ts'
import {
  type Approval,
  actions,
  type Body,
  bodies,
  type Delivery,
  type KeyRecord,
  SCOPES,
  type SetRecord,
  type Verifier,
} from './schema.ts'

async function facts(
  request: Request,
  read: ReadPorts,
  now: UnixSeconds,
  signal: AbortSignal,
): Promise<SignerFacts> {
  signal.throwIfAborted()
  const asked = readPayload(request)
  if ('problem' in asked) return { ...NOTHING, payload: { ...NOTHING.payload, ...asked } }
  const { action } = request
  const records = new Records(read, signal)
  const said = { ...NOTHING, payload: { check: 'valid' as const, ...saidBy(asked) } }
  if (action === 'signer.list') return { ...said, keys: await listed(records) }
  if (action === 'signer.expire') return { ...said, delivery: await overdue(records, now) }
  const made = madeOf(asked)
  if (made.check === 'weak_key') return { ...said, made }
  const { name = '', scope = '' } = asked
  const known = (await records.own(managedKey(scope, name))) as KeyRecord | undefined
  const verifiers = await verifiersFor(action, asked, records)
  return {
    approvals: await approvalsOf(action, asked, records),
    delivery: await deliveryOf(action, asked, records),
    key: { known: known === undefined ? [] : [known] },
    keys: [],
    made: { ...made, known: await isKnown(made.public_key, records) },
    payload: said.payload,
    root: await rootOf(known, records),
    set: await newest(scope, name, records),
    verifier: await verifierOf(asked, records),
    verifiers,
  }
}

/** Each record once, and none after the signal has aborted. */
class Records {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  /** As the effects wrote it. */
  own(sort: string): Promise<unknown> {
    this.#signal.throwIfAborted()
    return this.#read.get(sort)
  }

  foreign(plugin: string, sort: string): Promise<Json | undefined> {
    this.#signal.throwIfAborted()
    return this.#read.getFrom(plugin, sort)
  }

  async below<T>(prefix: string): Promise<readonly T[]> {
    this.#signal.throwIfAborted()
    return (await this.#read.listGuarded(prefix)).map(({ value }) => value as unknown as T)
  }

  async belowNamed<T>(prefix: string, name: string): Promise<readonly T[]> {
    this.#signal.throwIfAborted()
    const all = await this.#read.listGuarded(prefix)
    const of = all.filter(({ sort }) => sort.startsWith(`${prefix}${name}/`))
    return of.map(({ value }) => value as unknown as T)
  }
}

function readPayload({ action, payload }: Request): Body | { readonly problem: string } {
  try {
    const body = payload.json()
    const problem = bodies[action]?.problem(body, '')
    return problem === undefined ? (body as Body) : { problem: problem.slice(0, MAX_PROBLEM) }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}
/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 1024

function saidBy({ digest: _d, peer = UNSAID.peer, public_key: _, ...body }: Body): Said {
  return { ...UNSAID, ...body, peer: { id: peer.id, kind: peer.kind } }
}

async function listed(records: Records): Promise<SignerFacts['keys']> {
  const keys = await records.below<KeyRecord>(KEYS)
  return keys.map(({ name, scope }) => ({ name, scope }))
}
const KEYS = 'key/'

function madeOf({ digest, public_key: made }: Body): SignerFacts['made'] {
  if (digest !== undefined && made === undefined)
    return { ...NOTHING.made, check: 'valid', kid: digest }
  const bytes = made === undefined ? undefined : fromBase64url(made)
  if (made === undefined) return NOTHING.made
  const check = bytes !== undefined && isSound(bytes) ? 'valid' : 'weak_key'
  const kid = bytes === undefined ? '' : keyIdOf(bytes)
  return { check, kid, known: false, public_key: made }
}

/** An Ed25519 key has 32 bytes, one of P-256 has 65. */
function isSound(bytes: Uint8Array): boolean {
  try {
    return (bytes.length === 32 ? ed25519Key(bytes) : p256Key(bytes)) !== undefined
  } catch (error) {
    if (error instanceof LogError) return false
    throw error
  }
}

async function isKnown(publicKey: string, records: Records): Promise<boolean> {
  if (publicKey === '') return false
  if ((await records.own(publicKeyRecord(publicKey))) !== undefined) return true
  for (const plugin of ELSEWHERE)
    if ((await records.foreign(plugin, elsewhereRecord(publicKey))) !== undefined) return true
  return false
}

async function rootOf(
  known: KeyRecord | undefined,
  records: Records,
): Promise<SignerFacts['root']> {
  if (known === undefined || known.set.root === '') return NOTHING.root
  const own = async (_: string, sort: string) => (await records.own(sort)) as Json | undefined
  return signingKeyFacts(own, ROOT_SCOPE, known.set.root)
}

/** Of a new one how many there are; of what is asked about that one. */
async function deliveryOf(
  action: string,
  { delivery }: Body,
  records: Records,
): Promise<SignerFacts['delivery']> {
  if (action === 'signer.deliver')
    return { ...NOTHING.delivery, count: (await records.below(DELIVERIES)).length }
  if (delivery === undefined) return NOTHING.delivery
  const known = await records.own(deliveryRecord(delivery))
  return { ...NOTHING.delivery, known: known === undefined ? [] : [known as Delivery] }
}

async function overdue(records: Records, now: UnixSeconds): Promise<SignerFacts['delivery']> {
  const all = await records.below<Delivery>(DELIVERIES)
  const over = all.filter(({ expires_at }) => expires_at <= now).slice(0, MAX_OVERDUE)
  const expired = over.map(({ decision }) => decision)
  // What goes has to be read by its own name.
  for (const decision of expired) await records.own(deliveryRecord(decision))
  return { count: all.length, expired, known: [] }
}
/** Of one decision; the next one takes the rest. */
const MAX_OVERDUE = 50

async function newest(scope: string, name: string, records: Records): Promise<SignerFacts['set']> {
  const set = (await records.own(setRecord(scope, name))) as SetRecord | undefined
  return { version: set?.version ?? 0 }
}

async function verifierOf(
  { name = '', scope, verifier }: Body,
  records: Records,
): Promise<SignerFacts['verifier']> {
  if (scope === undefined || verifier === undefined) return NOTHING.verifier
  const known = await records.own(verifierRecord(scope, name, verifier))
  return { known: known === undefined ? [] : [known as Verifier] }
}

/** Only where they matter: listing them makes a decision wait for everybody who acknowledges meanwhile. */
async function verifiersFor(
  action: string,
  { name = '', scope }: Body,
  records: Records,
): Promise<SignerFacts['verifiers']> {
  if (scope === undefined) return NOTHING.verifiers
  const prefix = verifiersOf(scope)
  if (action === 'signer.register')
    return { count: (await records.below(prefix)).length, known: [] }
  if (action !== 'signer.activate' && action !== 'signer.status') return NOTHING.verifiers
  const known = await records.belowNamed<Verifier>(prefix, name)
  return { count: known.length, known }
}

async function approvalsOf(
  action: string,
  body: Body,
  records: Records,
): Promise<SignerFacts['approvals']> {
  const digest = sha256Hex(encoder.encode(canonicalJson([action, body as Json])))
  const given = (await records.own(approvalRecord(digest))) as readonly Approval[] | undefined
  return { digest, given: given ?? [] }
}
const encoder = new TextEncoder()

const UNSAID: Said = {
  algorithm: 'none',
  auto: false,
  delivery: '',
  failed: '',
  grace_for: 0,
  have: 0,
  name: '',
  override: '',
  peer: { id: '', kind: '' },
  reason: '',
  recipient: '',
  rotate_after: 0,
  scope: 'none',
  sealed: '',
  state: 'none',
  verifier: '',
  version: 0,
}
const NOTHING: SignerFacts = {
  approvals: { digest: '', given: [] },
  delivery: { count: 0, expired: [], known: [] },
  key: { known: [] },
  keys: [],
  made: { check: 'absent', kid: '', known: false, public_key: '' },
  payload: { ...UNSAID, check: 'malformed' },
  root: { kid: '', managed: false, name: '', public_key: '', scope: '', version: 0 },
  set: { version: 0 },
  verifier: { known: [] },
  verifiers: { count: 0, known: [] },
}

export const signer: Plugin<SignerFacts> = {
  name: 'signer',
  actions,
  schema: signerSchema,
  lists: [KEYS, DELIVERIES, ...SCOPES.map(verifiersOf)],
  reads: ELSEWHERE,
  effects: signerEffects,
  facts,
}
