/** The files of a folder of keys: which there are, what is in each, and writing one. What was read stays in memory as long as its file does not change. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyRef, KeyScope } from '../../../core/ports/custody.ts'
import { guarded, refuse } from './failure.ts'
import {
  checkFolder,
  isTemporary,
  makeFolder,
  readSecret,
  type Stamp,
  stampAt,
  writeSecret,
} from './files.ts'
import { type FolderKey, headerStamp } from './header.ts'
import { decodeKey, encodeKey, type StoredKey } from './key.ts'
import { isSealed, openFile, sealFile } from './sealedfile.ts'

const FILE_NAME = /^([a-z0-9][a-z0-9-]{0,62})\.([1-9][0-9]{0,8})\.json$/

export interface Loaded extends StoredKey {
  readonly stamp: Stamp
}

export class KeyFiles {
  readonly #folder: string
  readonly #scopes: readonly KeyScope[]
  readonly #folderKey: FolderKey | undefined
  /** By path. Never leaves this object but for one who signs. */
  readonly #loaded = new Map<string, Loaded>()
  /** The path that a public key belongs to. */
  readonly #owners = new Map<string, string>()

  /** @param folderKey undefined: they are not encrypted */
  constructor(folder: string, scopes: readonly KeyScope[], folderKey: FolderKey | undefined) {
    this.#folder = folder
    this.#scopes = scopes
    this.#folderKey = folderKey
  }

  forget(): void {
    this.#loaded.clear()
    this.#owners.clear()
  }

  /** @throws CustodyError `duplicate_key`, and whatever a file is refused for */
  loadAll(): KeyRef[] {
    const refs = this.#scopes.flatMap((scope) => this.refs(scope))
    for (const ref of refs) this.load(ref)
    return refs
  }

  /** By name and version. */
  refs(scope: KeyScope): KeyRef[] {
    const folder = join(this.#folder, scope)
    checkFolder(this.#folder)
    if (!existsSync(folder)) return []
    checkFolder(folder)
    const refs = guarded(folder, () => readdirSync(folder)).flatMap((file): KeyRef[] => {
      const [, name, version] = FILE_NAME.exec(file) ?? []
      return name === undefined ? [] : [{ scope, name, version: Number(version) }]
    })
    return refs.sort((a, b) =>
      a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1,
    )
  }

  /** From memory as long as the file is the same, and as safe, as when it was read. @throws CustodyError `unknown_key`, `corrupt` ... */
  load(ref: KeyRef): Loaded {
    const path = this.#pathOf(ref)
    const known = this.#loaded.get(path)
    const stamp = this.#stampOf(ref)
    if (stamp === undefined) throw refuse('unknown_key', `there is no ${labelOf(ref)}`)
    if (known?.stamp === stamp) return known
    const file = readSecret(path)
    const key = this.#decode(path, ref, file.bytes)
    if (known) checkSuccessor(path, known, key)
    this.#claim(path, key)
    const loaded = { ...key, stamp: file.stamp }
    this.#loaded.set(path, loaded)
    return loaded
  }

  /** @throws CustodyError `misconfigured`: the folder was encrypted with something else since it was opened */
  write(ref: KeyRef, key: StoredKey): void {
    this.#checkHeader()
    const folder = join(this.#folder, ref.scope)
    makeFolder(folder)
    const plain = encodeKey(key)
    const bytes = this.#folderKey === undefined ? plain : sealFile(this.#folderKey.key, ref, plain)
    writeSecret(folder, fileOf(ref), bytes)
    plain.fill(0)
  }

  /** What a crash left half written. */
  sweep(): void {
    for (const place of ['', ...this.#scopes]) {
      const folder = join(this.#folder, place)
      guarded(folder, () => {
        if (!existsSync(folder)) return
        for (const file of readdirSync(folder)) if (isTemporary(file)) rmSync(join(folder, file))
      })
    }
  }

  #decode(path: string, ref: KeyRef, bytes: Uint8Array): StoredKey {
    const plain = this.#opened(path, ref, bytes)
    const key = decodeKey(path, plain)
    plain.fill(0)
    return key
  }

  #opened(path: string, ref: KeyRef, bytes: Uint8Array): Uint8Array {
    const { key, previous } = this.#folderKey ?? {}
    if (!isSealed(bytes)) {
      if (key === undefined || previous === 'plain') return bytes
      bytes.fill(0)
      throw refuse('corrupt', `${path} is not encrypted, and the others are; remove it`)
    }
    for (const one of [key, previous]) {
      const opened = typeof one === 'object' ? openFile(one, ref, bytes) : undefined
      if (opened !== undefined) return opened
    }
    this.#checkHeader()
    throw refuse('corrupt', `${path} does not open as ${labelOf(ref)}; restore it`)
  }

  #checkHeader(): void {
    if (headerStamp(this.#folder) !== this.#folderKey?.stamp)
      throw refuse(
        'misconfigured',
        `${this.#folder} was encrypted since it was opened; start again with the new secret`,
      )
  }

  #stampOf(ref: KeyRef): Stamp | undefined {
    const folder = join(this.#folder, ref.scope)
    checkFolder(this.#folder)
    if (!existsSync(folder)) return undefined
    checkFolder(folder)
    return stampAt(this.#pathOf(ref))
  }

  /** A key has one scope, one name and one version. */
  #claim(path: string, { publicKey }: StoredKey): void {
    const id = Buffer.from(publicKey).toString('hex')
    const owner = this.#owners.get(id)
    if (owner !== undefined && owner !== path && existsSync(owner))
      throw refuse('duplicate_key', `${path} holds the key of ${owner}; remove one of them`)
    this.#owners.set(id, path)
  }

  #pathOf(ref: KeyRef): string {
    return join(this.#folder, ref.scope, fileOf(ref))
  }
}

const fileOf = ({ name, version }: KeyRef): string => `${name}.${version}.json`
export const labelOf = ({ scope, name, version }: KeyRef): string =>
  `key ${scope}/${name} version ${version}`

/** Another process may have moved the state on; nothing else about a version ever changes. */
function checkSuccessor(path: string, known: StoredKey, now: StoredKey): void {
  if (Buffer.compare(known.publicKey, now.publicKey) !== 0)
    throw refuse('corrupt', `${path} holds another key than before; restore it`)
  if (known.state === 'revoked' && now.state !== 'revoked')
    throw refuse('corrupt', `${path} was revoked and is ${now.state} now; restore it`)
}
