/** What comes to a node from its platform: envelopes, tasks, verifier sets, trust documents, enrolment tokens. */
import { createEnvelope, openEnvelope, parseEnvelope } from '../../../formats/dsse/index.ts'
import {
  installPackage,
  readTask,
  readVerifierSet,
  taskPayload,
  verifierSetPayload,
} from '../../../formats/task/index.ts'
import {
  type EnrolmentToken,
  readToken,
  readTrust,
  TRUST_PAYLOAD_TYPES,
  tokenText,
  trustPayload,
} from '../../../formats/trust/index.ts'
import { Platform } from '../../task/platform.ts'
import type { Target } from '../fuzz.ts'
import { same } from './kit.ts'

const encoder = new TextEncoder()
const platform = new Platform()
const [a, b] = [platform.key('a'), platform.key('b')]
const envelopes = [platform.task('t', [a, b]), platform.set(2, [a.grace(9), b.active])]
const [task, set] = envelopes.map((text) => parseEnvelope(text)?.payload) as [
  Uint8Array,
  Uint8Array,
]
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const envelope: Target = {
  name: 'dsse',
  property: 'an envelope is written and read again as the same one',
  files: /formats\/dsse\/envelope\.ts$/,
  seeds: envelopes.map((one) => encoder.encode(one)),
  tokens: ['"payload":', '"payloadType":', '"signatures":', '"sig":', '"keyid":', '==', '-_', '+/'],
  check(bytes) {
    const read = parseEnvelope(bytes)
    if (read === undefined) return false
    same(openEnvelope({ ...createEnvelope(read) }), read)
    return true
  },
}

const tasks: Target = {
  name: 'node-task',
  property: 'a task is written and read again as the same one',
  files: /formats\/task\/(task|types)\.ts$/,
  seeds: [task],
  tokens: ['"params":', '"node_id":', '"version":', 'sha256:', '{}', '1e3'],
  check(bytes) {
    const read = readTask(bytes, [installPackage])
    if ('problem' in read) return false
    same(readTask(taskPayload(read.task), [installPackage]), read)
    return true
  },
}

const sets: Target = {
  name: 'verifier-set',
  property: 'a verifier set is written and read again as the same one',
  files: /formats\/task\/set\.ts$/,
  seeds: [set],
  tokens: ['"state":', '"grace_until":', '"alg":"ecdsa-p256"', '"emergency":true', '"kid":'],
  check(bytes) {
    const read = readVerifierSet(bytes)
    if (read === undefined) return false
    same(readVerifierSet(verifierSetPayload(read)), read)
    return true
  },
}

const anchors = [{ id: 'root-1', state: 'current', value: a.x }] as const
const trust: Target = {
  name: 'trust-document',
  property: 'a trust document is of one kind, and is written and read again as the same one',
  files: /formats\/trust\/document\.ts$/,
  seeds: [trustPayload({ schema: 'verifier-root-trust.v1', version: 1, issued_at: 1, anchors })],
  tokens: ['https-trust.v1', 'node-ca-trust.v1', '"retiring"', '"next"', '"anchors":[]'],
  check(bytes) {
    const { https } = TRUST_PAYLOAD_TYPES
    const type = TRUST_PAYLOAD_TYPES['verifier-root']
    same(readTrust('https', https, bytes), undefined)
    const read = readTrust('verifier-root', type, bytes)
    if (read === undefined) return false
    same(readTrust('verifier-root', type, trustPayload(read)), read)
    return true
  },
}

const about = { control_plane: 'https://x', node_id: 'n', root: 'ab'.repeat(32) }
const genuine: EnrolmentToken = { ...about, secret: 'A'.repeat(43) }
const token: Target = {
  name: 'enrolment-token',
  property: 'a token is written and read again as the same one',
  files: /formats\/trust\/token\.ts$/,
  seeds: [encoder.encode(tokenText(genuine))],
  tokens: ['assay-enrol-v1.', '.', '=', '-'],
  check(bytes) {
    const read = readToken(text(bytes))
    if (read === undefined) return false
    same(readToken(tokenText(read)), read)
    return true
  },
}

export const TASK: readonly Target[] = [envelope, tasks, sets, trust, token]
