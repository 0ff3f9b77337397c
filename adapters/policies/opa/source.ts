/**
 * A user's OPA policies: an OPA bundle, packed or as a folder. `*.rego` are modules, `data.json` and `data.yaml` are the documents of
 * their folders, `.manifest` says what belongs to the bundle; any other file is passed over, as OPA does.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { parse } from 'yaml'
import { BundleError, JsonError } from '../../../core/error.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import type { Sources } from '../../../core/ports/compiler.ts'
import { readSignatures, SIGNATURES } from '../../../formats/bundle/signatures.ts'
import { readTar, safePath } from '../../../formats/bundle/tar.ts'
import { type TokenKey, verifyToken } from '../bundle/token.ts'
import { loadFolder } from '../folder.ts'

export type Documents = { readonly [name: string]: Json }
export interface OpaSource {
  /** Tests included. */
  readonly modules: Sources
  /** By top-level name. */
  readonly documents: Documents
  /** What the bundle claims for itself, as paths with slashes; none for a folder, whose documents may be changed. */
  readonly roots: readonly string[]
  readonly revision: string
}

const WHO = 'opa/bundle'
/** Of a packed bundle, and of all that is in it. */
const MAX_BYTES = 64 * 1024 * 1024
const LIMITS = { maxBytes: MAX_BYTES, maxDepth: 32 }
const unzip = promisify(gunzip)

/** @param key of who signed it, where it has to be signed @throws BundleError; BundleRefusal `unsigned`, `signature_invalid`, `corrupted` */
export async function readBundle(file: string, key?: TokenKey): Promise<OpaSource> {
  const packed = await read(file)
  if (packed.length > MAX_BYTES) throw tooLarge()
  const files = new Map(readTar(await unpacked(packed)))
  if (key !== undefined) {
    await verifyToken(files, readSignatures(files.get(SIGNATURES)), key)
    files.delete(SIGNATURES)
  }
  const source = sourceOf(new Map([...files].map(([path, bytes]) => [path, textOf(path, bytes)])))
  return { ...source, roots: source.roots ?? [''] }
}

/** Watched folders are read again as a whole. @throws BundleError; ConfigError, for what is no folder */
export async function readFolder(dir: string): Promise<OpaSource> {
  const files = new Map(Object.entries(await loadFolder(dir)))
  for (const name of ['.manifest', '.signatures.json']) {
    const bytes = await read(join(dir, name), true)
    if (bytes.length > 0) files.set(name, textOf(name, bytes))
  }
  const source = sourceOf(files)
  return { ...source, roots: source.roots ?? [] }
}

async function read(file: string, optional = false): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (optional && code === 'ENOENT') return new Uint8Array()
    throw new BundleError(WHO, 'not_found', `${file} cannot be read (${code})`)
  }
}

/** A small file may unpack to anything: it is stopped at the limit. */
async function unpacked(packed: Uint8Array): Promise<Uint8Array> {
  try {
    return await unzip(packed, { maxOutputLength: MAX_BYTES })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new BundleError(WHO, 'invalid_archive', 'a bundle is a gzipped tar archive')
  }
}

function tooLarge(): BundleError {
  return new BundleError(WHO, 'too_large', `a bundle has at most ${MAX_BYTES} bytes, unpacked too`)
}

const decoder = new TextDecoder('utf-8', { fatal: true })
/** What is not text and not ours to read, such as policy.wasm, is empty. */
function textOf(path: string, bytes: Uint8Array): string {
  if (!/\.(?:rego|json|ya?ml)$|^\.manifest$/.test(path)) return ''
  try {
    return decoder.decode(bytes)
  } catch {
    throw new BundleError(WHO, 'invalid_data', `${path} is not UTF-8`)
  }
}

type Read = Omit<OpaSource, 'roots'> & { readonly roots: readonly string[] | undefined }

function sourceOf(files: ReadonlyMap<string, string>): Read {
  if (files.has('.signatures.json'))
    throw new BundleError(
      WHO,
      'unverified_signature',
      'the bundle is signed and no key to verify it with is configured',
    )
  const manifest = readManifest(files.get('.manifest'))
  const modules: Record<string, string> = {}
  let documents: Documents = {}
  for (const [name, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = safePath(name)
    const file = path.slice(path.lastIndexOf('/') + 1)
    if (file.endsWith('.rego')) modules[path] = text
    else if (/^data\.(?:json|ya?ml)$/.test(file))
      documents = mount(documents, path, readDocument(path, text))
  }
  return { modules, documents, ...manifest }
}

function readManifest(text: string | undefined): Pick<Read, 'revision' | 'roots'> {
  if (text === undefined) return { revision: '', roots: undefined }
  const manifest = readDocument('.manifest', text, 'invalid_manifest')
  const { revision = '', roots, rego_version: version = 1 } = members(manifest)
  if (typeof revision !== 'string' || (roots !== undefined && !isTexts(roots)))
    throw new BundleError(WHO, 'invalid_manifest', 'revision is a text, roots are paths')
  if (version !== 1 || members(manifest).file_rego_versions !== undefined)
    throw new BundleError(
      WHO,
      'unsupported_version',
      'only Rego v1 is read; run `opa fmt --rego-v1`',
    )
  return { revision, roots: roots?.map((root) => root.replace(/^\/+|\/+$/g, '')) }
}

function isTexts(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function readDocument(
  path: string,
  text: string,
  code: 'invalid_data' | 'invalid_manifest' = 'invalid_data',
): Json {
  try {
    return parseJson(/\.ya?ml$/.test(path) ? JSON.stringify(parse(text) ?? {}) : text, LIMITS)
  } catch (error) {
    const why = error instanceof JsonError ? error.code : 'malformed'
    throw new BundleError(WHO, code, `${path} cannot be read: ${why}`)
  }
}

function members(value: Json): Documents {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Documents
  throw new BundleError(WHO, 'invalid_data', 'a document at the root is an object')
}

/** A file's document lies where the file does; two that overlap are refused. */
function mount(documents: Documents, path: string, document: Json): Documents {
  const folders = path.split('/').slice(0, -1)
  const nested = folders.reduceRight<Json>((value, name) => ({ [name]: value }), document)
  return merge(documents, members(nested), path)
}

function merge(a: Documents, b: Documents, path: string): Documents {
  const merged: Record<string, Json> = { ...a }
  for (const [name, value] of Object.entries(b)) {
    if (!Object.hasOwn(a, name)) define(merged, name, value)
    else if (isMembers(a[name]) && isMembers(value))
      define(merged, name, merge(a[name], value, path))
    else throw new BundleError(WHO, 'conflict', `${path}: another file has a value there already`)
  }
  return merged
}

function isMembers(value: Json | undefined): value is Documents {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `__proto__` is a name like any. */
function define(target: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(target, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}
