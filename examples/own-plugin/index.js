// @ts-check
/**
 * The plugin `deployment`: may this artifact be deployed? A build system signs a statement; this plugin checks the signature over the very
 * bytes with the key that was pinned for that signer, only then reads the statement, and reports. What follows from it stands in
 * policies/decision.rego.
 *
 * @import { Json, Plugin, ReadPorts, Request, UnixSeconds } from 'assay/plugin'
 */
import { ed25519Key, fromBase64, parseJson, schema, verifyEd25519 } from 'assay/plugin'

/**
 * @typedef {{ artifact?: string, check: string, version?: number }} Statement
 * @typedef {{ check: string }} Check
 * @typedef {{ found: boolean, version?: number }} Deployed
 * @typedef {{ found: boolean, id?: string, key?: string }} Signer
 * @typedef {{ deployed: Deployed, payload: Check, signer: Signer, statement: Statement }} Facts
 * @typedef {{ readonly [name: string]: Json }} Members
 */

const PIN = 'deployment.pin'
const DEPLOY = 'deployment.deploy'
const NAME = /^[a-z][a-z0-9-]{0,63}$/

const name = schema.string({ maxLength: 64, pattern: NAME })
const version = schema.integer({ min: 1 })
const key = schema.string({ maxLength: 44 })

/** @type {Plugin<Facts>['schema']} */
const factsSchema = {
  deployed: { trust: 'verified', schema: schema.object({ found: schema.boolean() }, { version }) },
  payload: {
    trust: 'verified',
    schema: schema.object({ check: schema.literal('malformed', 'valid') }),
    evidence: { requiredFor: [PIN, DEPLOY] },
  },
  signer: {
    trust: 'verified',
    schema: schema.object({ found: schema.boolean() }, { id: name, key }),
  },
  statement: {
    trust: 'verified',
    schema: schema.object(
      {
        check: schema.literal(
          'absent',
          'malformed',
          'signature_invalid',
          'unknown_signer',
          'valid',
        ),
      },
      { artifact: name, version },
    ),
    evidence: { requiredFor: [DEPLOY] },
  },
}

/** @type {Facts} */
const NOTHING = {
  deployed: { found: false },
  payload: { check: 'malformed' },
  signer: { found: false },
  statement: { check: 'absent' },
}

/**
 * Never throws on bad input: that is a fact.
 *
 * @param {Request} request
 * @param {ReadPorts} read
 * @param {UnixSeconds} _now
 * @param {AbortSignal} signal
 * @returns {Promise<Facts>}
 */
async function facts(request, read, _now, signal) {
  signal.throwIfAborted()
  const payload = membersOf(() => request.payload.json())
  if (payload === undefined) return NOTHING
  return request.action === PIN
    ? await pinFacts(payload, read)
    : await deployFacts(payload, read, signal)
}

/**
 * @param {Members} payload
 * @param {ReadPorts} read
 * @returns {Promise<Facts>}
 */
async function pinFacts({ key: pinned, signer }, read) {
  if (!isName(signer) || typeof pinned !== 'string' || importKey(pinned) === undefined)
    return NOTHING
  const record = await read.get(`signer/${signer}`)
  const found = record !== undefined
  return { ...NOTHING, payload: { check: 'valid' }, signer: { found, id: signer, key: pinned } }
}

/**
 * @param {Members} payload
 * @param {ReadPorts} read
 * @param {AbortSignal} signal
 * @returns {Promise<Facts>}
 */
async function deployFacts({ signature, signer, statement: text }, read, signal) {
  if (!isName(signer) || typeof text !== 'string' || typeof signature !== 'string') return NOTHING
  const record = await read.get(`signer/${signer}`)
  const pinned = membersOf(() => record ?? null)?.key
  const statement = checked(text, signature, typeof pinned === 'string' ? pinned : undefined)
  const known = { found: record !== undefined, id: signer }
  const signed = { ...NOTHING, payload: { check: 'valid' }, signer: known, statement }
  if (statement.artifact === undefined) return signed
  signal.throwIfAborted()
  return { ...signed, deployed: deployedOf(await read.get(`artifact/${statement.artifact}`)) }
}

/**
 * The signature first, over the bytes as they came; the text is not parsed before.
 *
 * @param {string} text
 * @param {string} signature
 * @param {string | undefined} pinned
 * @returns {Statement}
 */
function checked(text, signature, pinned) {
  const imported = pinned === undefined ? undefined : importKey(pinned)
  if (imported === undefined) return { check: 'unknown_signer' }
  const bytes = fromBase64(signature)
  if (bytes === undefined || !verifyEd25519(imported, new TextEncoder().encode(text), bytes))
    return { check: 'signature_invalid' }
  const { artifact, version: number } = membersOf(() => parseJson(text)) ?? {}
  if (!isName(artifact) || !Number.isSafeInteger(number) || Number(number) < 1)
    return { check: 'malformed' }
  return { artifact, check: 'valid', version: Number(number) }
}

/**
 * @param {Json | undefined} record
 * @returns {Deployed}
 */
function deployedOf(record) {
  const members = membersOf(() => record ?? null)
  return members === undefined
    ? { found: false }
    : { found: true, version: Number(members.version) }
}

/** @param {string} text */
function importKey(text) {
  const bytes = fromBase64(text)
  try {
    return bytes === undefined ? undefined : ed25519Key(bytes)
  } catch {
    return undefined
  }
}

/**
 * @param {() => Json} value
 * @returns {Members | undefined}
 */
function membersOf(value) {
  try {
    const read = value()
    return typeof read === 'object' && read !== null && !Array.isArray(read)
      ? /** @type {Members} */ (read)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * @param {Json | undefined} value
 * @returns {value is string}
 */
function isName(value) {
  return typeof value === 'string' && NAME.test(value)
}

/** @type {Plugin<Facts>} */
const plugin = {
  name: 'deployment',
  actions: [DEPLOY, PIN],
  schema: factsSchema,
  effects: {
    'deployment.pin': {
      onDeny: false,
      schema: schema.object({ kind: schema.literal('deployment.pin'), key, signer: name }),
      plan: ({ key: pinned, signer }) => ({
        writes: [{ put: `signer/${signer}`, value: { key: /** @type {string} */ (pinned) } }],
      }),
    },
    'deployment.record': {
      onDeny: false,
      schema: schema.object({ artifact: name, kind: schema.literal('deployment.record'), version }),
      plan: ({ artifact, version: number }) => ({
        writes: [
          { put: `artifact/${artifact}`, value: { version: /** @type {number} */ (number) } },
        ],
      }),
    },
  },
  facts,
}

export default { plugin, policies: new URL('./policies/', import.meta.url) }
