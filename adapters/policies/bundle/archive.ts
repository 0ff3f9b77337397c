/** A bundle on its way: gzipped tar, or a folder laid out like one. Both are read within bounds and without following a link. */
import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { BundleError } from '../../../core/error.ts'
import {
  BundleRefusal,
  type Files,
  readTar,
  safePath,
  writeTar,
} from '../../../formats/bundle/index.ts'

export interface Limits {
  /** As it comes. */
  readonly maxBytes: number
  /** All files together. */
  readonly maxUnpackedBytes: number
}
export const DEFAULT_LIMITS: Limits = {
  maxBytes: 64 * 1024 * 1024,
  maxUnpackedBytes: 256 * 1024 * 1024,
}
const MAX_FILES = 4096
const MAX_DEPTH = 32
const inflate = promisify(gunzip)
const deflate = promisify(gzip)
/** The byte of a gzip header that names the system; 255 is "unknown" (RFC 1952). */
const SYSTEM_AT = 9

/** The same files give the same bytes: no time, no owner, no system. OPA finds modules by names with a slash in front. */
export async function pack(files: Files): Promise<Uint8Array> {
  const named = new Map([...files].map(([path, bytes]) => [`/${path}`, bytes]))
  const packed = await deflate(writeTar(named), { level: 9 })
  packed[SYSTEM_AT] = 255
  return packed
}

/**
 * @throws BundleRefusal `too_large`, `unpacks_too_large`, `truncated`, `corrupted`; BundleError `invalid_archive`, `unsafe_path` (links
 *   too), `duplicate_file`, `too_large` (files)
 */
export async function unpack(packed: Uint8Array, limits: Limits): Promise<Files> {
  if (packed.length > limits.maxBytes) throw tooLarge(limits)
  return readTar(await inflated(packed, limits.maxUnpackedBytes))
}

export function tooLarge({ maxBytes }: Limits): BundleRefusal {
  return new BundleRefusal('too_large', `a bundle has at most ${maxBytes} bytes here`)
}

/** A small file may unpack to anything: it is stopped at the limit. */
async function inflated(packed: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  try {
    return await inflate(packed, { maxOutputLength })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new BundleRefusal('unpacks_too_large', `it unpacks to over ${maxOutputLength} bytes`)
    if (code === 'Z_BUF_ERROR')
      throw new BundleRefusal('truncated', 'the archive ends before its end', { cause })
    throw new BundleRefusal('corrupted', 'a bundle is a gzipped tar archive', { cause })
  }
}

/** A file or a folder. @throws as {@link unpack}; BundleError `not_found` */
export async function readBundleAt(path: string, limits: Limits): Promise<Files> {
  const found = await guarded(path, () => stat(path))
  if (found.isDirectory()) return readBundleFolder(path, limits)
  if (found.size > limits.maxBytes) throw tooLarge(limits)
  return unpack(await guarded(path, () => readFile(path)), limits)
}

/** Every file in it, those that begin with a dot too. */
async function readBundleFolder(root: string, limits: Limits): Promise<Files> {
  const files = new Map<string, Uint8Array>()
  let left = limits.maxUnpackedBytes
  const walk = async (folder: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw invalid('unsafe_path', `it is deeper than ${MAX_DEPTH} folders`)
    const items = await guarded(folder, () => readdir(join(root, folder), { withFileTypes: true }))
    for (const item of items) {
      const path = folder === '' ? item.name : `${folder}/${item.name}`
      if (item.isDirectory()) await walk(path, depth + 1)
      else files.set(safePath(path), await take(item, path))
      if (files.size > MAX_FILES) throw invalid('too_large', `over ${MAX_FILES} files`)
    }
  }
  const take = async (item: Dirent, path: string): Promise<Uint8Array> => {
    if (!item.isFile()) throw invalid('unsafe_path', 'a link, or what is no file, is not read')
    left -= (await guarded(path, () => stat(join(root, path)))).size
    if (left < 0)
      throw new BundleRefusal('unpacks_too_large', `it has over ${limits.maxUnpackedBytes} bytes`)
    return guarded(path, () => readFile(join(root, path)))
  }
  await walk('', 0)
  return files
}

async function guarded<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new BundleError('policies/bundle', 'not_found', `${path} cannot be read (${code})`)
  }
}

function invalid(code: 'too_large' | 'unsafe_path', what: string): BundleError {
  return new BundleError('policies/bundle', code, what)
}
