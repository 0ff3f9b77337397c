/** A token through its PKCS #11 library: every call is synchronous and may take as long as the library likes, so this runs in a process of its own. */
import { createHash } from 'node:crypto'
import type { Handle, PKCS11, Template } from 'pkcs11js'
import type { KeyAlgorithm } from '../../../core/ports/custody.ts'
import type { Failure, Operations, Signed, TokenKey } from './protocol.ts'

type Sdk = typeof import('pkcs11js')

/** PKCS #11 3.1, which the SDK does not name yet. */
const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055
const CKM_EDDSA = 0x1057
const CKM_EC_KEY_PAIR_GEN = 0x1040
const CKM_ECDSA = 0x1041

interface Kind {
  readonly generating: number
  readonly signing: number
  /** DER of the curve's object identifier. */
  readonly curve: Buffer
  /** Of a public key without what it is wrapped in. */
  readonly length: number
}
const KINDS: Readonly<Record<KeyAlgorithm, Kind>> = {
  ed25519: {
    generating: CKM_EC_EDWARDS_KEY_PAIR_GEN,
    signing: CKM_EDDSA,
    curve: Buffer.from('06032b6570', 'hex'),
    length: 32,
  },
  'ecdsa-p256': {
    generating: CKM_EC_KEY_PAIR_GEN,
    signing: CKM_ECDSA,
    curve: Buffer.from('06082a8648ce3d030107', 'hex'),
    length: 65,
  },
}
const ALGORITHMS = Object.keys(KINDS) as readonly KeyAlgorithm[]

export class TokenFailure extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.kind)
    this.failure = failure
  }
}

export class Token {
  readonly algorithms: readonly KeyAlgorithm[]
  readonly #sdk: Sdk
  readonly #library: PKCS11
  readonly #session: Handle

  /** Loads the library, looks for the token by its label and logs in. */
  constructor(sdk: Sdk, { module, pin, token }: Operations['open']['takes']) {
    this.#sdk = sdk
    this.#library = new sdk.PKCS11()
    try {
      this.#library.load(module)
    } catch {
      throw new TokenFailure({ kind: 'no_module' })
    }
    this.#library.C_Initialize()
    const slot = this.#slotOf(token)
    const offered = this.#library.C_GetMechanismList(slot)
    this.algorithms = ALGORITHMS.filter((one) => {
      const { generating, signing } = KINDS[one]
      return offered.includes(generating) && offered.includes(signing)
    })
    const flags = sdk.CKF_RW_SESSION | sdk.CKF_SERIAL_SESSION
    this.#session = this.#library.C_OpenSession(slot, flags)
    this.#library.C_Login(this.#session, sdk.CKU_USER, pin)
  }

  list({ prefix }: Operations['list']['takes']): TokenKey[] {
    const { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY } = this.#sdk
    const signing = new Set(this.#find(CKO_PRIVATE_KEY, {}).map((key) => this.#idOf(key)))
    return this.#find(CKO_PUBLIC_KEY, {}).flatMap((key) => {
      const label = this.#labelOf(key)
      if (!label.startsWith(prefix)) return []
      const id = this.#idOf(key)
      return [{ id, label, ...this.#publicOf(key), canSign: signing.has(id) }]
    })
  }

  /** The private half can neither leave the token nor be read, from its first moment. */
  generate({ algorithm, id, label, privateLabel }: Operations['generate']['takes']): void {
    const { CKA_EC_PARAMS, CKA_EXTRACTABLE, CKA_ID, CKA_LABEL, CKA_PRIVATE } = this.#sdk
    const { CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_VERIFY } = this.#sdk
    const { curve, generating } = KINDS[algorithm]
    const both: Template = [
      { type: CKA_TOKEN, value: true },
      { type: CKA_ID, value: Buffer.from(id, 'hex') },
    ]
    const publicHalf: Template = [
      ...both,
      { type: CKA_LABEL, value: label },
      { type: CKA_VERIFY, value: true },
      { type: CKA_EC_PARAMS, value: curve },
    ]
    const privateHalf: Template = [
      ...both,
      { type: CKA_LABEL, value: privateLabel },
      { type: CKA_PRIVATE, value: true },
      { type: CKA_SENSITIVE, value: true },
      { type: CKA_EXTRACTABLE, value: false },
      { type: CKA_SIGN, value: true },
    ]
    const how = { mechanism: generating }
    this.#library.C_GenerateKeyPair(this.#session, how, publicHalf, privateHalf)
  }

  relabel({ id, label }: Operations['relabel']['takes']): void {
    const { CKA_LABEL, CKO_PUBLIC_KEY } = this.#sdk
    const [key] = this.#find(CKO_PUBLIC_KEY, { id })
    if (key === undefined) throw new TokenFailure({ kind: 'odd' })
    this.#library.C_SetAttributeValue(this.#session, key, [{ type: CKA_LABEL, value: label }])
  }

  destroy({ both, id }: Operations['destroy']['takes']): void {
    const { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY } = this.#sdk
    for (const kind of both ? [CKO_PRIVATE_KEY, CKO_PUBLIC_KEY] : [CKO_PRIVATE_KEY])
      for (const key of this.#find(kind, { id })) this.#library.C_DestroyObject(this.#session, key)
  }

  sign({ label, message }: Operations['sign']['takes']): Signed | undefined {
    const { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY } = this.#sdk
    const [known] = this.#find(CKO_PUBLIC_KEY, { label })
    const [key] = known === undefined ? [] : this.#find(CKO_PRIVATE_KEY, { id: this.#idOf(known) })
    if (known === undefined || key === undefined) return undefined
    const { algorithm, publicKey } = this.#publicOf(known)
    // Not every token hashes: SHA-256 is taken here, and what is signed is the digest.
    const data = algorithm === 'ed25519' ? message : createHash('sha256').update(message).digest()
    this.#library.C_SignInit(this.#session, { mechanism: KINDS[algorithm].signing }, key)
    const signature = this.#library.C_Sign(this.#session, Buffer.from(data), Buffer.alloc(64))
    return { algorithm, publicKey, signature: new Uint8Array(signature) }
  }

  #slotOf(label: string): Handle {
    for (const slot of this.#library.C_GetSlotList(true))
      if (this.#library.C_GetTokenInfo(slot).label.trimEnd() === label) return slot
    throw new TokenFailure({ kind: 'no_token' })
  }

  #find(kind: number, { id, label }: { readonly id?: string; readonly label?: string }): Handle[] {
    const { CKA_CLASS, CKA_ID, CKA_LABEL, CKA_TOKEN } = this.#sdk
    const template: Template = [
      { type: CKA_CLASS, value: kind },
      { type: CKA_TOKEN, value: true },
      ...(id === undefined ? [] : [{ type: CKA_ID, value: Buffer.from(id, 'hex') }]),
      ...(label === undefined ? [] : [{ type: CKA_LABEL, value: label }]),
    ]
    this.#library.C_FindObjectsInit(this.#session, template)
    try {
      const found: Handle[] = []
      for (;;) {
        const some = this.#library.C_FindObjects(this.#session, 100)
        if (some.length === 0) return found
        found.push(...some)
      }
    } finally {
      this.#library.C_FindObjectsFinal(this.#session)
    }
  }

  #value(key: Handle, type: number): Buffer {
    const [attribute] = this.#library.C_GetAttributeValue(this.#session, key, [{ type }])
    return attribute?.value as Buffer
  }

  #idOf(key: Handle): string {
    return this.#value(key, this.#sdk.CKA_ID).toString('hex')
  }

  #labelOf(key: Handle): string {
    return this.#value(key, this.#sdk.CKA_LABEL).toString('utf8')
  }

  #publicOf(key: Handle): { readonly algorithm: KeyAlgorithm; readonly publicKey: Uint8Array } {
    const curve = this.#value(key, this.#sdk.CKA_EC_PARAMS)
    const point = this.#value(key, this.#sdk.CKA_EC_POINT)
    const algorithm = ALGORITHMS.find((one) => KINDS[one].curve.equals(curve))
    if (algorithm === undefined) throw new TokenFailure({ kind: 'odd' })
    // A DER octet string as the standard has it, or the bare bytes as some tokens do: the length tells.
    const { length } = KINDS[algorithm]
    if (point.length !== length && point.length !== length + 2)
      throw new TokenFailure({ kind: 'odd' })
    return { algorithm, publicKey: new Uint8Array(point.subarray(-length)) }
  }
}
