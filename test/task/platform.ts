/** Stands for the platform where a test is about what nodes make of its words: keys, sets and tasks, signed for real. */
import { createPrivateKey, sign } from 'node:crypto'
import { ed25519PublicKey, sha256Text, toBase64url } from '../../core/crypto.ts'
import { pae } from '../../formats/dsse/envelope.ts'
import { createEnvelope } from '../../formats/dsse/index.ts'
import {
  keyIdOf,
  TASK_PAYLOAD_TYPE,
  type Task,
  VERIFIER_SET_PAYLOAD_TYPE,
  type VerifierKey,
  type VerifierSet,
  verifierSetPayload,
} from '../../formats/task/index.ts'

/** UNIX seconds. */
export const START = 1_800_000_000

const encoder = new TextEncoder()

/** A key whose private half follows from its name. */
export class PlatformKey {
  readonly x: string
  readonly kid: string
  readonly #private: ReturnType<typeof createPrivateKey>

  constructor(seed: Uint8Array) {
    const publicKey = ed25519PublicKey(seed)
    this.x = toBase64url(publicKey)
    this.kid = keyIdOf(publicKey)
    const jwk = { crv: 'Ed25519', d: toBase64url(seed), kty: 'OKP', x: this.x }
    this.#private = createPrivateKey({ format: 'jwk', key: jwk })
  }

  sign(message: Uint8Array): Uint8Array {
    return Uint8Array.from(sign(null, message, this.#private))
  }

  entry(state: VerifierKey['state'], more: Partial<VerifierKey> = {}): VerifierKey {
    return { alg: 'ed25519', kid: this.kid, state, x: this.x, ...more }
  }
  get active(): VerifierKey {
    return this.entry('active')
  }
  get preActive(): VerifierKey {
    return this.entry('pre-active')
  }
  get retired(): VerifierKey {
    return this.entry('retired')
  }
  get revoked(): VerifierKey {
    return this.entry('revoked', { revoked_at: START })
  }
  grace(until: number): VerifierKey {
    return this.entry('grace', { grace_until: until })
  }
}

export class Platform {
  readonly root: PlatformKey = this.key('root')

  key(name: string): PlatformKey {
    return new PlatformKey(sha256Text(`task ${name}`))
  }

  /** An envelope's text. */
  set(
    version: number,
    keys: readonly VerifierKey[],
    more: Partial<VerifierSet> = {},
    signer: PlatformKey = this.root,
  ): string {
    const set: VerifierSet = {
      schema: 'task-verifiers.v1',
      scope: 'node-task-signing',
      version,
      issued_at: START,
      keys,
      ...more,
    }
    return envelope(VERIFIER_SET_PAYLOAD_TYPE, verifierSetPayload(set), [signer])
  }

  /** An envelope's text, with one signature of each key. */
  task(
    id: string,
    signers: readonly PlatformKey[],
    more: Partial<Task> | { readonly [member: string]: unknown } = {},
    { keyids = true }: { readonly keyids?: boolean } = {},
  ): string {
    const task = {
      type: 'node.install-package',
      version: 1,
      task_id: id,
      node_id: 'node-7',
      issued_at: START - 10,
      expires_at: Number((more as Partial<Task>).issued_at ?? START) + 600,
      nonce: '628b49d96dcde97a430dd4f5',
      params: { name: 'driver', digest: `sha256:${'ab'.repeat(32)}` },
      ...more,
    }
    const bytes = encoder.encode(JSON.stringify(task))
    return envelope(TASK_PAYLOAD_TYPE, bytes, signers, keyids)
  }
}

/** An envelope's text. */
export function envelope(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly PlatformKey[],
  keyids = true,
): string {
  const message = pae(payloadType, payload)
  const signatures = signers.map((key) => ({
    keyid: keyids ? key.kid : '',
    sig: key.sign(message),
  }))
  return JSON.stringify(createEnvelope({ payload, payloadType, signatures }))
}
