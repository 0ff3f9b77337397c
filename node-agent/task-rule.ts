/** Which tasks a node carries out. The same rule as policies/task; see set-rule.ts. */
import type { Envelope } from '../formats/dsse/index.ts'
import { type SignatureResult, verifyEnvelope } from '../formats/dsse/index.ts'
import {
  type ReadTask,
  readTask,
  TASK_PAYLOAD_TYPE,
  type Task,
  type TaskType,
} from '../formats/task/index.ts'
import type { KeyRing, RingKey } from './ring.ts'

/** Seconds that a task may live. */
export const MAX_TTL = 3600
/** Seconds that the platform's clock may be ahead of the node's. */
export const MAX_CLOCK_AHEAD = 300

export const TASK_REASONS = [
  'malformed',
  'signature_missing',
  'keyid_missing',
  'key_unknown',
  'signature_invalid',
  'key_not_active',
  'key_grace_over',
  'key_retired',
  'key_revoked',
  'payload_type_not_allowed',
  'audience_mismatch',
  'not_yet_valid',
  'task_expired',
  'ttl_exceeds_max',
  'task_type_unknown',
  'replayed',
] as const
export type TaskReason = (typeof TASK_REASONS)[number]

export interface TaskSetting {
  readonly nodeId: string
  readonly types: readonly TaskType[]
  /** Refuse signatures that do not say which key made them. */
  readonly requireKeyId: boolean
  readonly ring: KeyRing
  /** Names of keys whose grace is over, whatever the clock says now. */
  readonly ended: ReadonlySet<string>
  /** Seconds; {@link MAX_CLOCK_AHEAD}, {@link MAX_TTL}. */
  readonly maxClockAhead: number
  readonly maxTtl: number
}

/** All but whether the task was there before. @param now UNIX seconds */
export function judgeTask(
  envelope: Envelope | undefined,
  setting: TaskSetting,
  now: number,
): TaskReason | Task {
  if (envelope === undefined) return 'malformed'
  const problem = signatureProblem(envelope, setting, now)
  if (problem !== undefined) return problem
  if (envelope.payloadType !== TASK_PAYLOAD_TYPE) return 'payload_type_not_allowed'
  // Only now: nothing is read that no usable key has signed.
  return judgeRead(readTask(envelope.payload, setting.types), setting, now)
}

function judgeRead(read: ReadTask, setting: TaskSetting, now: number): TaskReason | Task {
  if ('problem' in read) return 'malformed'
  const { expires_at, issued_at, node_id } = read.task
  if (node_id !== setting.nodeId) return 'audience_mismatch'
  if (issued_at > now + setting.maxClockAhead) return 'not_yet_valid'
  if (now >= expires_at) return 'task_expired'
  const ttl = expires_at - issued_at
  if (ttl <= 0 || ttl > setting.maxTtl) return 'ttl_exceeds_max'
  return read.known ? read.task : 'task_type_unknown'
}

/** Undefined where a usable key has signed. Of several problems, the one that says most about the keys. */
function signatureProblem(
  envelope: Envelope,
  setting: TaskSetting,
  now: number,
): TaskReason | undefined {
  const { requireKeyId, ring } = setting
  if (envelope.signatures.length === 0) return 'signature_missing'
  const results = verifyEnvelope(envelope, ring.keys)
  const problems = results.map((result) =>
    requireKeyId && result.keyid === '' ? 'keyid_missing' : problemOf(result, setting, now),
  )
  if (problems.includes(undefined)) return undefined
  const told = problems.find((_, i) => results[i]?.check === 'valid')
  return told ?? problems.find((problem) => problem === 'signature_invalid') ?? problems[0]
}

function problemOf(
  result: SignatureResult<RingKey>,
  { ended, maxClockAhead, ring }: TaskSetting,
  now: number,
): TaskReason | undefined {
  const { revoked } = ring
  if (result.check === 'invalid') return 'signature_invalid'
  // A later set need not list it any more.
  if (result.check === 'unknown') return revoked.has(result.keyid) ? 'key_revoked' : 'key_unknown'
  const { entry } = result.key
  if (revoked.has(entry.kid)) return 'key_revoked'
  switch (entry.state) {
    case 'active':
      return (entry.not_before ?? 0) > now + maxClockAhead ? 'key_not_active' : undefined
    case 'grace':
      // By the clock, whether or not a newer set has come.
      return ended.has(entry.kid) ? 'key_grace_over' : undefined
    case 'pre-active':
      return 'key_not_active'
    case 'retired':
      return 'key_retired'
    case 'revoked':
      return 'key_revoked'
  }
}
