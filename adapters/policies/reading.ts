/**
 * A folder of policy sources: `*.rego` and `*.json`, in subfolders too. What begins with a dot is left out, and so is `capabilities/` at
 * the top, which the compiler reads, and so are tables of cases (`*_cases.json`, `*_cases.yaml`), which only tests read. Links lead only to files within the folder, which is how Kubernetes mounts a ConfigMap.
 */
import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { ConfigError } from '../../core/error.ts'
import type { Sources } from '../../core/ports/compiler.ts'

const MAX_FILES = 4096
const MAX_DEPTH = 32
/** Of all files together. */
const MAX_BYTES = 64 * 1024 * 1024

/** YAML is taken along so that the compiler can say that it is not read: silence would leave its rules without data. */
const SOURCE = /(\.rego|(?<!_cases)\.json)$|^data\.ya?ml$/
const CASES = /_cases\.(json|ya?ml)$/

/** One source file as the file system describes it. */
export interface Entry {
  /** Relative to the folder, with `/`. */
  readonly path: string
  /** Where its bytes lie, links resolved. */
  readonly file: string
  readonly bytes: number
  /** Another text after most changes, without reading the file. */
  readonly stamp: string
}

/**
 * Reads the folder. Paths are relative and use `/`.
 *
 * @throws ConfigError `not_found`: the folder, or a file that was there a moment ago; `invalid_config`: more than 4,096 files, 64 MiB or
 *   32 levels, a link that leads out, what is not a file, bytes that are not UTF-8
 */
export async function loadFolder(dir: string): Promise<Sources> {
  return readSources(await listFolder(dir))
}

/** Tables of cases for the policies of a folder. @throws ConfigError as {@link loadFolder} does */
export async function loadCases(dir: string): Promise<Sources> {
  return readSources(await listFolder(dir, 'cases'))
}

/** The sources' content as one text, whatever the file system says about the files. */
export function contentDigest(sources: Sources): string {
  const hash = createHash('sha256')
  for (const path of Object.keys(sources).sort()) hash.update(JSON.stringify([path, sources[path]]))
  return hash.digest('hex')
}

/** What of a folder is meant: what is compiled, the tables of cases, or both. */
export type Part = 'all' | 'cases' | 'sources'

export async function listFolder(dir: string, part: Part = 'sources'): Promise<readonly Entry[]> {
  const root = await guarded(dir, () => realpath(dir))
  const found: Entry[] = []
  await walk(root, root, 0, (name) => isOf(part, name), found)
  const bytes = found.reduce((sum, entry) => sum + entry.bytes, 0)
  if (bytes > MAX_BYTES) throw invalid(dir, `its sources are more than ${MAX_BYTES} bytes`)
  return found
}

export async function readSources(entries: readonly Entry[]): Promise<Sources> {
  const sources: Record<string, string> = {}
  for (const { path, file } of entries) {
    const bytes = await guarded(path, () => readFile(file))
    if (bytes.length > MAX_BYTES) throw invalid(path, `it is more than ${MAX_BYTES} bytes`)
    try {
      sources[path] = decoder.decode(bytes)
    } catch {
      throw invalid(path, 'it is not UTF-8')
    }
  }
  return sources
}
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isOf(part: Part, name: string): boolean {
  return (part !== 'cases' && SOURCE.test(name)) || (part !== 'sources' && CASES.test(name))
}

async function walk(
  root: string,
  folder: string,
  depth: number,
  wanted: (name: string) => boolean,
  found: Entry[],
): Promise<void> {
  if (depth > MAX_DEPTH) throw invalid(relative(root, folder), `it is below ${MAX_DEPTH} folders`)
  const listed = await guarded(folder, () => readdir(folder, { withFileTypes: true }))
  for (const item of listed.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (item.name.startsWith('.') || (depth === 0 && item.name === 'capabilities')) continue
    const at = join(folder, item.name)
    if (item.isDirectory()) await walk(root, at, depth + 1, wanted, found)
    else if (wanted(item.name)) found.push(await describe(root, at, item))
    else if (item.isSymbolicLink() && (await guarded(at, () => stat(at))).isDirectory())
      throw invalid(relative(root, at), 'it links to a folder')
    if (found.length > MAX_FILES) throw invalid(root, `it has more than ${MAX_FILES} sources`)
  }
}

async function describe(root: string, at: string, item: Dirent): Promise<Entry> {
  const path = relative(root, at).split(sep).join('/')
  const file = item.isSymbolicLink() ? await guarded(at, () => realpath(at)) : at
  if (!file.startsWith(root + sep)) throw invalid(path, 'it links to something outside the folder')
  const status = await guarded(at, () => stat(file, { bigint: true }))
  if (!status.isFile()) throw invalid(path, 'it is not a file')
  const stamp = [file, status.ino, status.size, status.mtimeNs, status.ctimeNs].join(' ')
  return { path, file, bytes: Number(status.size), stamp }
}

async function guarded<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    if (code === 'ENOENT') throw new ConfigError('not_found', `policies: ${what} does not exist`)
    if (code === 'ENOTDIR') throw invalid(what, 'it is a file: name the folder that it lies in')
    throw invalid(what, `it cannot be read (${code})`)
  }
}

function invalid(what: string, why: string): ConfigError {
  return new ConfigError('invalid_config', `policies: ${what}: ${why}`)
}
