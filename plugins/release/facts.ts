/** The plugin `release`: whether an artifact is one that a pinned key released, and which keys those are. See README.md. */
import { fromBase64url } from '../../core/base64.ts'
import { JsonError } from '../../core/error.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import {
  digestsFor,
  familyOf,
  isPlainName,
  keyIdText,
  type MinisignKey,
  publicKeyText,
  readPublicKey,
  readPublicKeyFile,
  readVersion,
  type UnreadableKey,
  versionInName,
} from '../../formats/minisign/index.ts'
import { releaseEffects } from './effects.ts'
import { Reader } from './reader.ts'
import {
  actions,
  type Floor,
  type KeyFact,
  type Payload,
  payloads,
  type ReleaseFacts,
  releaseSchema,
  type SignatureFact,
  type Stated,
} from './schema.ts'
import { ABSENT, digested, signatureFact, whole } from './signatures.ts'

async function facts(
  request: Request,
  read: ReadPorts,
  _now: UnixSeconds,
  signal: AbortSignal,
): Promise<ReleaseFacts> {
  signal.throwIfAborted()
  const payload = readPayload(request)
  if ('problem' in payload) return { ...NOTHING, payload: { check: 'malformed', ...payload } }
  const reader = new Reader(read, signal)
  if (payload.artifact !== undefined) return verifyFacts(payload, payload.artifact, reader)
  return { ...NOTHING, ...(await keyFacts(payload, reader)) }
}

/** Strict JSON in the form that the action expects, its binary members decodable. */
function readPayload({ action, payload }: Request): Payload | { readonly problem: string } {
  try {
    const value = payload.json()
    const problem = payloads[action]?.problem(value, '')
    if (problem !== undefined) return { problem: problem.slice(0, MAX_PROBLEM) }
    const read = value as Payload
    const wrong = BINARY.find((name) => bytesOf(read[name]) === null)
    return wrong === undefined ? read : { problem: `/${wrong}: expected base64url` }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}
/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 1024
const BINARY = [
  'artifact_signature',
  'content',
  'public_key_file',
  'signature',
  'sums',
  'sums_signature',
] as const

/** Null for what is no base64url. */
function bytesOf(text: string | undefined): Uint8Array | null | undefined {
  return text === undefined ? undefined : (fromBase64url(text) ?? null)
}
const given = (text: string | undefined): Uint8Array | undefined => bytesOf(text) ?? undefined

async function verifyFacts(
  payload: Payload,
  artifact: string,
  read: Reader,
): Promise<ReleaseFacts> {
  const { blake2b512 = '', keys = [], minimum = {}, sha256 = '', size = 0 } = payload
  const sums = given(payload.sums)
  const sumsSignature =
    sums === undefined
      ? ABSENT
      : await signatureFact(given(payload.sums_signature), whole(sums), read)
  const signed = digested(blake2b512, given(payload.content))
  const signature = await signatureFact(given(payload.artifact_signature), signed, read)
  const named = versionInName(artifact)
  const family = familyOf(artifact, signature.comment?.version?.text)
  return {
    ...NOTHING,
    artifact: { family, ...(named && { named }), plain: isPlainName(artifact) },
    artifact_signature: signature,
    claimed: { artifact, blake2b512, keys, minimum: floorOf(minimum), sha256, size },
    lineages: await lineagesOf(keys, read),
    recorded: await recorded(signature, family, read),
    // Lines that no pinned key signed say nothing.
    sums: {
      digests: sums && sumsSignature.check === 'valid' ? digestsFor(sums, artifact) : [],
      present: sums !== undefined,
    },
    sums_signature: sumsSignature,
    key: await predecessorOf(signature, read),
  }
}

/** The key whose time may end with this release: so that its record can be written. */
async function predecessorOf({ pin }: SignatureFact, read: Reader): Promise<KeyFact> {
  if (pin?.predecessor === undefined) return NO_KEY
  const before = await read.pin(pin.predecessor)
  return { ...NO_KEY, ...(before && { pin: before }) }
}

async function recorded(
  { check, pin }: SignatureFact,
  family: string,
  read: Reader,
): Promise<Floor> {
  if (check !== 'valid' || pin === undefined) return {}
  const record = await read.version(pin.lineage, family)
  return record === undefined ? {} : floorOf(record)
}

/** A version that cannot be compared is above every other, so that nothing gets past it. */
function floorOf({ timestamp, version }: Stated): Floor {
  const read = version === undefined ? undefined : (readVersion(version) ?? beyond(version))
  return { ...(timestamp !== undefined && { timestamp }), ...(read && { version: read }) }
}
const beyond = (text: string): Floor['version'] => ({
  order: [[Number.MAX_SAFE_INTEGER], 1, []],
  text,
})

async function lineagesOf(keys: readonly string[], read: Reader): Promise<readonly string[]> {
  const lineages = new Set<string>()
  for (const text of keys) {
    const { pin, public_key } = await keyFact(readPublicKey(text), read)
    if (pin?.public_key === public_key) lineages.add(pin.lineage)
  }
  return [...lineages].sort()
}

async function keyFacts(
  payload: Payload,
  read: Reader,
): Promise<Pick<ReleaseFacts, 'hand_over' | 'key'>> {
  const file = given(payload.public_key_file)
  if (file === undefined) {
    const key = await keyFact(readPublicKey(payload.public_key ?? ''), read)
    return { hand_over: ABSENT, key }
  }
  const signature = await signatureFact(given(payload.signature), whole(file), read)
  // What nobody signed is not read.
  const key = signature.check === 'valid' ? await keyFact(readPublicKeyFile(file), read) : NO_KEY
  return { hand_over: signature, key }
}

async function keyFact(key: MinisignKey | UnreadableKey, read: Reader): Promise<KeyFact> {
  if ('problem' in key) return { ...NO_KEY, check: key.problem }
  const { publicKey } = key.key
  const keyId = keyIdText(key.keyId)
  const pin = await read.pin(keyId)
  const known = await read.key(publicKey)
  const scope = await read.scope(publicKey)
  return {
    check: 'valid',
    key_id: keyId,
    known: known !== undefined,
    ...(pin && { pin }),
    public_key: publicKeyText({ keyId: key.keyId, publicKey }),
    ...(scope && { scope }),
  }
}

const NO_KEY: KeyFact = { check: 'absent', key_id: '', known: false, public_key: '' }
const NOTHING: ReleaseFacts = {
  artifact: { family: '', plain: false },
  artifact_signature: ABSENT,
  claimed: { artifact: '', blake2b512: '', keys: [], minimum: {}, sha256: '', size: 0 },
  hand_over: ABSENT,
  key: NO_KEY,
  lineages: [],
  payload: { check: 'valid' },
  recorded: {},
  sums: { digests: [], present: false },
  sums_signature: ABSENT,
}

export const release: Plugin<ReleaseFacts> = {
  name: 'release',
  actions,
  schema: releaseSchema,
  reads: ['enrolment'],
  effects: releaseEffects,
  facts,
}
