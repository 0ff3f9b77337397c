/**
 * Reads the files of a tar archive. Only what a bundle is made of is taken: regular files, and folders, which are passed over. Anything
 * else, and any name that could lead out of a folder, is refused.
 *
 * @see POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"
 */
import { BundleError } from '../../core/error.ts'

const BLOCK = 512
const MAX_FILES = 4096

/** @throws BundleError `invalid_archive`, `unsafe_path`, `duplicate_file`, `too_large` (over 4,096 files) */
export function readTar(archive: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  let longName: string | undefined
  for (let at = 0; at < archive.length; ) {
    const header = archive.subarray(at, at + BLOCK)
    if (header.length < BLOCK) throw invalid('it ends within a header')
    if (header.every((byte) => byte === 0)) return files
    checkSum(header)
    const size = octal(header, 124, 12)
    const body = archive.subarray(at + BLOCK, at + BLOCK + size)
    if (body.length < size) throw invalid('it ends within a file')
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const type = String.fromCharCode(header[156] || 0x30)
    if (type === 'x' || type === 'g') {
      const path = paxPath(body)
      if (type === 'g' && path !== undefined) throw invalid('one name for all files')
      longName = path ?? longName
      continue
    }
    const name = longName ?? ustarName(header)
    longName = undefined
    if (type === '5') continue
    if (type !== '0') throw new BundleError(WHO, 'unsafe_path', `a ${kindOf(type)} is not read`)
    const path = safePath(name)
    if (files.has(path)) throw new BundleError(WHO, 'duplicate_file', 'two files have one name')
    if (files.size === MAX_FILES) throw new BundleError(WHO, 'too_large', `over ${MAX_FILES} files`)
    files.set(path, body)
  }
  return files
}
const WHO = 'opa/bundle'

function kindOf(type: string): string {
  return type === '1' || type === '2' ? 'link' : `tar entry of type ${JSON.stringify(type)}`
}

/** Relative, with `/`. OPA writes names with a slash in front. @throws BundleError `unsafe_path` */
export function safePath(name: string): string {
  const path = name.replace(/^(?:\.?\/)+/, '')
  const segments = path.split('/')
  if (segments.some((segment) => /^\.{0,2}$|[\\\p{Cc}]/u.test(segment)) || !path.isWellFormed())
    throw new BundleError(WHO, 'unsafe_path', 'a name leads out of the bundle or is none')
  return path
}

function ustarName(header: Uint8Array): string {
  const isUstar = text(header, 257, 5) === 'ustar'
  const prefix = isUstar ? text(header, 345, 155) : ''
  const name = text(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

/** Records of the form "LENGTH KEY=VALUE\n". */
function paxPath(body: Uint8Array): string | undefined {
  let path: string | undefined
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at)
    const length = Number(decode(body.subarray(at, Math.max(at, space))))
    if (space < 0 || !Number.isSafeInteger(length) || length <= 0 || at + length > body.length)
      throw invalid('a pax record is damaged')
    const record = decode(body.subarray(space + 1, at + length - 1))
    if (record.startsWith('path=')) path = record.slice('path='.length)
    if (/^(size|GNU\.sparse)/.test(record)) throw invalid('a file larger than its header says')
    at += length
  }
  return path
}

function checkSum(header: Uint8Array): void {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0)
  if (sum !== octal(header, 148, 8)) throw invalid('a header does not match its checksum')
}

function octal(header: Uint8Array, at: number, length: number): number {
  const digits = text(header, at, length).trim()
  if (!/^[0-7]{1,11}$/.test(digits)) throw invalid('a number in a header cannot be read')
  return Number.parseInt(digits, 8)
}

function text(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return decode(end < 0 ? field : field.subarray(0, end))
}

const decoder = new TextDecoder('utf-8', { fatal: true })
function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw invalid('a name is not UTF-8')
  }
}

function invalid(why: string): BundleError {
  return new BundleError(WHO, 'invalid_archive', `this is no tar archive that is read here: ${why}`)
}
