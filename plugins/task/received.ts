/** Facts about what came from the platform: signatures first, and of what nobody signed nothing is read. */
import { sha256Hex } from '../../core/crypto.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import {
  type Envelope,
  type NamedKey,
  openEnvelope,
  type SignatureResult,
  verifyEnvelope,
} from '../../formats/dsse/index.ts'
import {
  describeSet,
  type KnownSets,
  keyIdOf,
  readTask,
  readVerifierSet,
  TASK_PAYLOAD_TYPE,
  type TaskType,
  VERIFIER_SET_PAYLOAD_TYPE,
  type VerifierKey,
  verifyKeyOf,
} from '../../formats/task/index.ts'
import { ROOTS, SET, usedRecord } from './keys.ts'
import type { Payload, SetFact, SignatureFact, TaskFact, TaskFacts } from './schema.ts'

export type Reads = Pick<ReadPorts, 'get' | 'getFrom'>

interface SetKey extends NamedKey {
  readonly entry?: VerifierKey
}
type Received = Partial<Pick<TaskFacts, 'envelope' | 'set' | 'signature' | 'task' | 'used'>>
/** Tasks of a node: id and end. */
export type UsedRecord = readonly (readonly [taskId: string, expiresAt: number])[]

export async function acceptFacts(
  { envelope: sent = null, node_id = '' }: Payload,
  read: Reads,
  types: readonly TaskType[],
): Promise<Received> {
  const envelope = openEnvelope(sent)
  if (envelope === undefined) return MALFORMED
  const known = await knownSets(read)
  const entries = known?.set.keys ?? []
  const keys = imported(
    envelope,
    entries.map((entry) => ({ entry, kid: entry.kid, x: entry.x })),
  )
  const { signature, ...facts } = signed(envelope, keys, new Set(known?.revoked))
  const task = taskFact(envelope, signature, types)
  return { ...facts, signature, task, used: await usedBefore(task, node_id, read) }
}

export async function ingestFacts(
  { envelope: sent = null }: Payload,
  read: Reads,
): Promise<Received> {
  const envelope = openEnvelope(sent)
  if (envelope === undefined) return MALFORMED
  const roots = ((await read.get(ROOTS)) ?? []) as readonly string[]
  const keys = roots.flatMap((x) => {
    const key = verifyKeyOf(x)
    return key === undefined ? [] : [{ key, kid: keyIdOf(key.publicKey) }]
  })
  const facts = signed(envelope, keys, new Set())
  const known = await knownSets(read)
  if (facts.signature.check !== 'valid') return facts
  return { ...facts, set: setFact(envelope, known) }
}

async function knownSets(read: Reads): Promise<KnownSets | undefined> {
  return (await read.get(SET)) as unknown as KnownSets | undefined
}

/** Of the keys only those that a hint names, or all where there is none: each import costs milliseconds. */
function imported(
  { signatures }: Envelope,
  keys: readonly { readonly entry: VerifierKey; readonly kid: string; readonly x: string }[],
): readonly SetKey[] {
  const hints = new Set(signatures.map(({ keyid }) => keyid))
  return keys.flatMap(({ entry, kid, x }) => {
    if (!hints.has('') && !hints.has(kid)) return []
    const key = verifyKeyOf(x)
    return key === undefined ? [] : [{ entry, key, kid }]
  })
}

function signed(
  envelope: Envelope,
  keys: readonly SetKey[],
  revoked: ReadonlySet<string>,
): Required<Pick<TaskFacts, 'envelope' | 'signature'>> {
  const each = verifyEnvelope(envelope, keys).map((result) => signatureFact(result, revoked))
  const all = each.map(({ check }) => check)
  const check = all.find((one) => one === 'valid') ?? all.find((one) => one === 'invalid') ?? all[0]
  return {
    envelope: { check: 'valid', type: envelope.payloadType },
    signature: { check: check ?? 'absent', each },
  }
}

function signatureFact(
  result: SignatureResult<SetKey>,
  revoked: ReadonlySet<string>,
): SignatureFact {
  const { check, keyid } = result
  const hinted = keyid !== ''
  if (result.check !== 'valid') return { check, hinted, revoked: revoked.has(keyid) }
  const { entry } = result.key
  return {
    check,
    ...(entry?.grace_until !== undefined && { grace_until: entry.grace_until }),
    hinted,
    ...(entry?.not_before !== undefined && { not_before: entry.not_before }),
    revoked: revoked.has(result.key.kid),
    ...(entry && { state: entry.state }),
  }
}

function setFact(envelope: Envelope, known: KnownSets | undefined): SetFact {
  const { payload, payloadType } = envelope
  const set = payloadType === VERIFIER_SET_PAYLOAD_TYPE ? readVerifierSet(payload) : undefined
  if (set === undefined) return { ...UNREAD, check: 'malformed' }
  const { active, emergency, endless, misnamed, newness, reactivated, ...rest } = describeSet(
    set,
    payload,
    known,
  )
  const { scope, unpublished, version, weak } = rest
  return {
    ...{ active, check: 'valid', digest: sha256Hex(payload), document: set, emergency, endless },
    ...{ misnamed, newness, reactivated, scope, unpublished, version, weak },
  }
}

function taskFact(
  { payload, payloadType }: Envelope,
  { check }: TaskFacts['signature'],
  types: readonly TaskType[],
): TaskFact {
  if (check !== 'valid' || payloadType !== TASK_PAYLOAD_TYPE)
    return { check: 'absent', known: false }
  const read = readTask(payload, types)
  if ('problem' in read) return { check: 'malformed', known: false }
  return { check: 'valid', document: read.task, known: read.known }
}

async function usedBefore({ document }: TaskFact, nodeId: string, read: Reads): Promise<boolean> {
  if (document === undefined) return false
  const used = (await read.get(usedRecord(nodeId))) as unknown as UsedRecord | undefined
  return used?.some(([id]) => id === document.task_id) ?? false
}

export const UNREAD: SetFact = {
  active: [],
  check: 'absent',
  digest: '',
  emergency: false,
  endless: [],
  misnamed: [],
  newness: 'first',
  reactivated: [],
  scope: '',
  unpublished: [],
  version: 0,
  weak: [],
}
const MALFORMED: Received = { envelope: { check: 'malformed', type: '' } }
