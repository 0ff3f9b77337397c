/** The file secrets themselves. Nothing that was read stays in memory: values are used rarely, and a file is read in less than a millisecond. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes, toBase64url } from '../../../core/crypto.ts'
import { KEY_TRANSITIONS, type KeyState } from '../../../core/ports/custody.ts'
import {
  MAX_SECRET_BYTES,
  type SealRequest,
  type SecretRef,
  type Secrets,
  type SecretVersion,
} from '../../../core/ports/secrets.ts'
import { guarded } from '../../custody/file/failure.ts'
import {
  checkFolder,
  isTemporary,
  readSecret,
  stampAt,
  writeSecret,
} from '../../custody/file/files.ts'
import { type FolderKey, headerStamp } from '../../custody/file/header.ts'
import { exclusively } from '../../custody/file/lock.ts'
import { sealValue } from '../hpke/index.ts'
import { NAME, refuse } from './failure.ts'
import { decodeSecret, encodeSecret, published, type StoredSecret } from './secret.ts'

const SECRET_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
const FILE_NAME = /^([a-z0-9][a-z0-9-]{0,62})\.([1-9][0-9]{0,8})\.json$/
const RANDOM_BYTES = 32
const NO_SEAL: Readonly<Partial<Record<KeyState, 'not_active' | 'retired'>>> = {
  'pre-active': 'not_active',
  retired: 'retired',
  revoked: 'retired',
}

export class FileSecrets implements Secrets {
  readonly name: string = NAME
  readonly #folder: string
  readonly #folderKey: FolderKey
  /** How long a change waits for one of another process. */
  readonly #lockWaitMs: number
  #closed = false

  constructor(folder: string, folderKey: FolderKey, lockWaitMs: number) {
    this.#folder = folder
    this.#folderKey = folderKey
    this.#lockWaitMs = lockWaitMs
    // What does not open is said at the start.
    this.#list()
  }

  async list(): Promise<readonly SecretVersion[]> {
    this.#assertOpen()
    return this.#list()
  }

  async create(name: string): Promise<SecretVersion> {
    return this.#add(name, Buffer.from(toBase64url(randomBytes(RANDOM_BYTES))))
  }

  async put(name: string, value: Uint8Array): Promise<SecretVersion> {
    return this.#add(name, new Uint8Array(value))
  }

  async transition(secret: SecretRef, state: KeyState): Promise<SecretVersion> {
    this.#assertKnown(secret)
    return exclusively(this.#folder, this.#lockWaitMs, () =>
      this.#with(secret, (stored) => {
        if (!KEY_TRANSITIONS[stored.state].includes(state))
          throw refuse(
            'invalid_transition',
            `${labelOf(secret)} is ${stored.state} and cannot be ${state}`,
          )
        return this.#write(secret, { ...stored, state })
      }),
    )
  }

  async seal(request: SealRequest): Promise<Uint8Array> {
    this.#assertKnown(request)
    const { state, value } = this.#load(request)
    try {
      const code = NO_SEAL[state]
      if (code !== undefined) throw refuse(code, `${labelOf(request)} is ${state}`)
      return await sealValue(NAME, request, value)
    } finally {
      value.fill(0)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** @param value is overwritten */
  #add(name: string, value: Uint8Array<ArrayBuffer>): SecretVersion {
    try {
      this.#assertOpen()
      checkName(name)
      if (value.length < 1 || value.length > MAX_SECRET_BYTES)
        throw refuse('too_large', `a secret has 1 to ${MAX_SECRET_BYTES} bytes`)
      return exclusively(this.#folder, this.#lockWaitMs, () => {
        this.#sweep()
        const versions = this.#refs().filter((ref) => ref.name === name)
        const version = 1 + Math.max(0, ...versions.map((old) => old.version))
        const salt = randomBytes(RANDOM_BYTES)
        return this.#write({ name, version }, { salt, state: 'pre-active', value })
      })
    } finally {
      value.fill(0)
    }
  }

  #write(ref: SecretRef, stored: StoredSecret): SecretVersion {
    this.#checkHeader()
    writeSecret(this.#folder, fileOf(ref), encodeSecret(this.#folderKey.key, ref, stored))
    return published(ref, stored)
  }

  #list(): readonly SecretVersion[] {
    return this.#refs().map((ref) => this.#with(ref, (stored) => published(ref, stored)))
  }

  #with<T>(ref: SecretRef, use: (stored: StoredSecret) => T): T {
    const stored = this.#load(ref)
    try {
      return use(stored)
    } finally {
      stored.value.fill(0)
    }
  }

  #load(ref: SecretRef): StoredSecret {
    checkFolder(this.#folder)
    const path = join(this.#folder, fileOf(ref))
    if (stampAt(path) === undefined) throw refuse('unknown_key', `there is no ${labelOf(ref)}`)
    this.#checkHeader()
    return decodeSecret(path, this.#folderKey.key, ref, readSecret(path).bytes)
  }

  /** By name and version. */
  #refs(): SecretRef[] {
    checkFolder(this.#folder)
    const refs = guarded(this.#folder, () => readdirSync(this.#folder)).flatMap((file) => {
      const [, name, version] = FILE_NAME.exec(file) ?? []
      return name === undefined ? [] : [{ name, version: Number(version) }]
    })
    return refs.sort((a, b) =>
      a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1,
    )
  }

  /** What a crash left half written. */
  #sweep(): void {
    guarded(this.#folder, () => {
      for (const file of readdirSync(this.#folder))
        if (isTemporary(file)) rmSync(join(this.#folder, file))
    })
  }

  #checkHeader(): void {
    if (headerStamp(this.#folder) !== this.#folderKey.stamp)
      throw refuse('misconfigured', `${this.#folder} is encrypted otherwise now; start again`)
  }

  #assertOpen(): void {
    if (this.#closed) throw refuse('closed', 'the secrets were closed; open them again')
  }

  /** Names become paths: nothing else may get there. */
  #assertKnown({ name, version }: SecretRef): void {
    this.#assertOpen()
    checkName(name)
    if (!Number.isSafeInteger(version) || version < 1)
      throw refuse('unknown_key', 'versions are whole numbers from 1 on')
  }
}

function checkName(name: string): void {
  if (!SECRET_NAME.test(name))
    throw refuse('invalid_name', `a secret's name is ${SECRET_NAME.source}`)
}

const fileOf = ({ name, version }: SecretRef): string => `${name}.${version}.json`
const labelOf = ({ name, version }: SecretRef): string => `secret ${name} version ${version}`
