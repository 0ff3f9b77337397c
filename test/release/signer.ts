/** Signs like the minisign program, with keys that follow from a name, and anything that the program would not sign. */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { ed25519PublicKey, sha256Text } from '../../core/crypto.ts'
import {
  globalMessage,
  type MinisignSignature,
  publicKeyFile,
  publicKeyText,
  signatureFile,
} from '../../formats/minisign/index.ts'
import type { Served } from './desk.ts'

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const encoder = new TextEncoder()

export interface SigningOptions {
  readonly algorithm?: 'legacy' | 'prehashed'
  readonly comment?: string | Uint8Array
}

export class Signer {
  readonly keyId: Uint8Array
  readonly publicKey: Uint8Array
  readonly #key: KeyObject

  /** @param keyId of another, for a key that pretends to be that one */
  constructor(name: string, keyId?: Uint8Array) {
    const seed = sha256Text(`release ${name}`)
    this.keyId = keyId ?? sha256Text(`id ${name}`).slice(0, 8)
    this.publicKey = ed25519PublicKey(seed)
    const der = Buffer.concat([PKCS8, seed])
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  }

  /** As `minisign -P` takes it. */
  get text(): string {
    return publicKeyText(this)
  }
  /** A `.pub` file. */
  get file(): Uint8Array {
    return encoder.encode(publicKeyFile(this))
  }

  parts(
    content: Uint8Array,
    { algorithm = 'prehashed', comment = '' }: SigningOptions = {},
  ): MinisignSignature {
    const digest = createHash('blake2b512').update(content).digest()
    const signed = algorithm === 'legacy' ? content : digest
    const trustedComment = typeof comment === 'string' ? encoder.encode(comment) : comment
    const signature = this.raw(signed)
    const globalSignature = this.raw(globalMessage({ signature, trustedComment }))
    return { algorithm, keyId: this.keyId, signature, trustedComment, globalSignature }
  }

  /** A `.minisig` file. */
  sign(content: Uint8Array, options: SigningOptions = {}): Uint8Array {
    return signatureFile(this.parts(content, options))
  }

  raw(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#key))
  }
}

export interface ReleaseOptions {
  readonly artifact?: Uint8Array | string
  readonly name?: string
  readonly version?: string
  readonly timestamp?: number
  /** The artifact's trusted comment. */
  readonly comment?: string
  readonly sums?: string
  readonly sumsComment?: string
  readonly algorithm?: SigningOptions['algorithm']
}

export const TIMESTAMP = 1_767_225_600

/** A whole release; what is not given is what a careful signer would write. */
export function released(signer: Signer, options: ReleaseOptions = {}): Served {
  const { algorithm = 'prehashed', timestamp = TIMESTAMP, version = '1.4.2' } = options
  const { name = `grafos-${version}-x86_64-linux.tar.gz` } = options
  const artifact = bytes(options.artifact ?? `the files of ${name}`)
  const says = (file: string): string =>
    `timestamp:${timestamp} file:${file} version:${version} hashed`
  const { comment = says(name), sumsComment = says('SHA256SUMS') } = options
  const sums = bytes(options.sums ?? sumsLine(artifact, name))
  return {
    name,
    artifact,
    artifactSignature: signer.sign(artifact, { algorithm, comment }),
    sums,
    sumsSignature: signer.sign(sums, { algorithm, comment: sumsComment }),
  }
}

export const bytes = (text: Uint8Array | string): Uint8Array =>
  typeof text === 'string' ? encoder.encode(text) : text

/** As sha256sum writes it. */
export function sumsLine(artifact: Uint8Array, name: string): string {
  return `${createHash('sha256').update(artifact).digest('hex')}  ${name}\n`
}
