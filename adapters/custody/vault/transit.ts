/** Vault's transit engine: the keys themselves. Private keys are made there and never leave. */
import { createPublicKey } from 'node:crypto'
import { fromBase64, fromBase64url, p256FromSpki, toBase64 } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import {
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  type KeyRef,
  type KeyScope,
} from '../../../core/ports/custody.ts'
import { at, numberAt, textAt } from './client.ts'
import type { Deadline } from './deadline.ts'
import { refuse, unexpected } from './failure.ts'
import type { Session } from './session.ts'
import type { Limits } from './states.ts'

export interface TransitKey {
  readonly algorithm: KeyAlgorithm
  /** The newest version. */
  readonly latest: number
  readonly limits: Limits
  /** By version; those below {@link Limits.verifying} are not shown. */
  readonly publicKeys: ReadonlyMap<number, Uint8Array>
}

export interface TransitOptions {
  readonly session: Session
  readonly address: string
  readonly mount: string
  readonly prefix: string
}

export class Transit {
  readonly #options: TransitOptions

  constructor(options: TransitOptions) {
    this.#options = options
  }

  /** Neither a prefix nor a scope has a hyphen, so no two keys have one name. Vault's names do not end in one. */
  nameOf(scope: KeyScope, name: string): string {
    return `${this.#options.prefix}-${scope}-${name}${name.endsWith('-') ? '_' : ''}`
  }

  async read(scope: KeyScope, name: string, deadline: Deadline): Promise<TransitKey | undefined> {
    const path = `keys/${this.nameOf(scope, name)}`
    const { body, status } = await this.#ask('read', path, undefined, true, deadline)
    if (status === 404 && isNone(body)) return undefined
    if (status !== 200) throw this.#unexpected(`read ${path}`, status)
    return keyIn(path, body)
  }

  /** Version 1. Does nothing where there is one, whatever its type. */
  async create(
    scope: KeyScope,
    name: string,
    type: KeyAlgorithm,
    deadline: Deadline,
  ): Promise<void> {
    await this.#write(`keys/${this.nameOf(scope, name)}`, { type }, true, deadline)
  }

  /** One version more. Without an answer there may be: read the key then. */
  async rotate(scope: KeyScope, name: string, deadline: Deadline): Promise<void> {
    await this.#write(`keys/${this.nameOf(scope, name)}/rotate`, {}, false, deadline)
  }

  async limit(scope: KeyScope, name: string, limits: Limits, deadline: Deadline): Promise<void> {
    const body = {
      min_encryption_version: limits.signing,
      min_decryption_version: limits.verifying,
    }
    await this.#write(`keys/${this.nameOf(scope, name)}/config`, body, true, deadline)
  }

  /** Undefined when Vault does not sign with this version. */
  async sign(
    { name, scope, version }: KeyRef,
    algorithm: KeyAlgorithm,
    message: Uint8Array,
    deadline: Deadline,
  ): Promise<Uint8Array | undefined> {
    const path = `sign/${this.nameOf(scope, name)}`
    const ecdsa = { hash_algorithm: 'sha2-256', marshaling_algorithm: 'jws' }
    const input = { input: toBase64(message), key_version: version, prehashed: false }
    const body = algorithm === 'ed25519' ? input : { ...input, ...ecdsa }
    const answer = await this.#ask('write', path, body, true, deadline)
    // 1.14 says 500 to a version below the minimum, and 400 to one that there is not.
    if (answer.status === 400 || answer.status === 500) return undefined
    if (answer.status !== 200) throw this.#unexpected(`write ${path}`, answer.status)
    return signatureIn(textAt(answer.body, 'data', 'signature'), version, algorithm)
  }

  async #write(
    path: string,
    body: Readonly<Record<string, unknown>>,
    repeatable: boolean,
    deadline: Deadline,
  ): Promise<void> {
    const { status } = await this.#ask('write', path, body, repeatable, deadline)
    if (status !== 200) throw this.#unexpected(`write ${path}`, status)
  }

  async #ask(
    verb: 'read' | 'write',
    path: string,
    body: Readonly<Record<string, unknown>> | undefined,
    repeatable: boolean,
    deadline: Deadline,
  ): Promise<{ status: number; body: Json }> {
    const { mount, session } = this.#options
    const question = { verb, path: `${mount}/${path}`, repeatable, ...(body && { body }) }
    return session.ask(question, deadline)
  }

  #unexpected(asked: string, status: number): Error {
    return unexpected(this.#options.address, `${asked} in mount ${this.#options.mount}`, status)
  }
}

/** Whether a 404 is about what is asked for and not about the mount, of which Vault says something. */
export function isNone(body: Json): boolean {
  const errors = at(body, 'errors')
  return Array.isArray(errors) && errors.length === 0
}

function keyIn(path: string, body: Json): TransitKey {
  const type = textAt(body, 'data', 'type')
  const algorithm = KEY_ALGORITHMS.find((known) => known === type)
  if (algorithm === undefined)
    throw refuse('misconfigured', `${path} is of type ${type}; use another prefix or mount`)
  for (const loose of ['derived', 'exportable', 'allow_plaintext_backup'])
    if (at(body, 'data', loose) !== false)
      throw refuse('misconfigured', `${path} is ${loose}; make a key of another name or prefix`)
  const latest = numberAt(body, 'data', 'latest_version')
  const [signing, verifying] = ['min_encryption_version', 'min_decryption_version'].map((each) =>
    Math.max(1, numberAt(body, 'data', each)),
  ) as [number, number]
  const publicKeys = new Map<number, Uint8Array>()
  for (let version = verifying; version <= latest; version++) {
    const text = textAt(body, 'data', 'keys', String(version), 'public_key')
    publicKeys.set(version, publicKeyIn(path, algorithm, text))
  }
  return { algorithm, latest, limits: { signing, verifying }, publicKeys }
}

function publicKeyIn(path: string, algorithm: KeyAlgorithm, text: string): Uint8Array {
  const bytes = algorithm === 'ed25519' ? fromBase64(text) : pointIn(text)
  if (bytes === undefined) throw refuse('corrupt', `${path} shows no public key; see Vault's log`)
  return bytes
}

function pointIn(pem: string): Uint8Array | undefined {
  try {
    const spki = createPublicKey(pem).export({ format: 'der', type: 'spki' })
    return p256FromSpki(Uint8Array.from(spki))
  } catch {
    return undefined
  }
}

/** Empty when it is not of this version. `vault:v<version>:` and base64, or for ECDSA (JWS, RFC 7518 section 3.4) base64url. */
function signatureIn(text: string, version: number, algorithm: KeyAlgorithm): Uint8Array {
  const start = `vault:v${version}:`
  if (!text.startsWith(start)) return new Uint8Array()
  const encoded = text.slice(start.length)
  return (
    (algorithm === 'ed25519' ? fromBase64(encoded) : fromBase64url(encoded)) ?? new Uint8Array()
  )
}
