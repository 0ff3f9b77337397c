/**
 * Finds a package from a folder of the operator's, as Node would for a file there: node_modules upwards, then the package's entry
 * point. Node has no stable way to resolve an `import` from somewhere else.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

const CONDITIONS = new Set(['node', 'import', 'module-sync', 'default'])

/** The module behind an npm package's name (`name`, `@scope/name`, with `/subpath`) or an absolute path; undefined when there is none. */
export function resolveModule(specifier: string, folder: string): URL | undefined {
  if (isAbsolute(specifier)) return moduleAt(specifier)
  const [, name, subpath] = specifier.match(/^((?:@[^/]+\/)?[^/]+)(\/.+)?$/) ?? []
  if (name === undefined) return undefined
  const places = createRequire(join(folder, 'package.json')).resolve.paths(name) ?? []
  const found = places.map((place) => join(place, name)).find(isFolder)
  return found === undefined ? undefined : entryPoint(found, `.${subpath ?? ''}`)
}

function moduleAt(path: string): URL | undefined {
  if (isFolder(path)) return entryPoint(path, '.')
  return existsSync(path) ? pathToFileURL(path) : undefined
}

function entryPoint(folder: string, subpath: string): URL | undefined {
  const file = join(folder, 'package.json')
  const manifest = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { exports?: unknown; main?: unknown })
    : {}
  const { exports, main } = manifest
  const entry =
    exports === undefined
      ? subpath === '.' && typeof main === 'string'
        ? main
        : [subpath, `${subpath}.js`, `${subpath}/index.js`].find((path) =>
            isFile(join(folder, path)),
          )
      : exported(exports, subpath)
  if (entry === undefined) return undefined
  const path = resolve(folder, entry)
  return path.startsWith(folder + sep) && isFile(path) ? pathToFileURL(path) : undefined
}

/** The target of one exact subpath: patterns and arrays are for libraries, not for extensions. */
function exported(exports: unknown, subpath: string): string | undefined {
  const table = exports as Record<string, unknown>
  const bySubpath =
    typeof exports === 'object' && exports !== null && Object.keys(table)[0]?.startsWith('.')
  if (!bySubpath) return subpath === '.' ? target(exports) : undefined
  return Object.hasOwn(table, subpath) ? target(table[subpath]) : undefined
}

function target(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  for (const [condition, nested] of Object.entries(value)) {
    const found = CONDITIONS.has(condition) ? target(nested) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
const isFile = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isFile() === true
