/**
 * Sorts sources into policies, tests and data the way an OPA bundle does: `*.rego` are modules, `data.json` is the document of the folder
 * that it lies in (`access/data.json` is `data.access`), and the documents of all folders are one tree without overlaps.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format
 */
import { JsonError } from '../../../core/error.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import type { Problem, Sources } from '../../../core/ports/compiler.ts'

export interface Sorted {
  /** What a bundle is made of. */
  readonly policies: Sources
  readonly tests: Sources
  readonly data: Json
  readonly problems: readonly Problem[]
}

const DATA_LIMITS = { maxBytes: 64 * 1024 * 1024, maxDepth: 64 }

export function sortSources(sources: Sources): Sorted {
  const policies: Record<string, string> = {}
  const tests: Record<string, string> = {}
  const problems: Problem[] = []
  let data: Json = {}
  for (const path of Object.keys(sources).sort()) {
    const text = sources[path]!
    const name = path.slice(path.lastIndexOf('/') + 1)
    const misplaced = pathProblem(path, name, text)
    if (misplaced !== undefined) problems.push({ ...misplaced, file: path })
    else if (name.endsWith('_test.rego')) tests[path] = text
    else if (name.endsWith('.rego')) policies[path] = text
    else data = mount(data, path, text, problems)
  }
  return { policies, tests, data, problems }
}

function pathProblem(path: string, name: string, text: string): Problem | undefined {
  const segments = path.split('/')
  if (!path.isWellFormed() || segments.some((segment) => /^\.{0,2}$|[\\\0]/.test(segment)))
    return { code: 'invalid_path', message: 'a path is relative, with / between its names' }
  if (!name.endsWith('.rego') && name !== 'data.json')
    return {
      code: 'unknown_file',
      message: 'policies are *.rego and data is data.json: rename it or take it out',
    }
  if (!text.isWellFormed()) return { code: 'invalid_text', message: 'half a surrogate pair' }
  return undefined
}

function mount(data: Json, path: string, text: string, problems: Problem[]): Json {
  const refuse = (code: string, message: string): Json => {
    problems.push({ code, message, file: path })
    return data
  }
  let document: Json
  try {
    document = parseJson(text, DATA_LIMITS)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return refuse('invalid_data', error.message)
  }
  const folder = path.split('/').slice(0, -1)
  const mounted = folder.reduceRight<Json>((value, name) => objectOf([[name, value]]), document)
  if (!isObject(mounted)) return refuse('invalid_data', 'the root document is an object')
  const merged = merge(data, mounted, '')
  return 'conflict' in merged
    ? refuse('data_conflict', `another data.json has a value at ${merged.conflict}`)
    : merged.value
}

type Merged = { readonly value: Json } | { readonly conflict: string }

function merge(a: Json, b: Json, at: string): Merged {
  if (!isObject(a) || !isObject(b)) return { conflict: at }
  const members = new Map<string, Json>(Object.entries(a))
  for (const [name, value] of Object.entries(b)) {
    const there = members.get(name)
    const merged: Merged = there === undefined ? { value } : merge(there, value, `${at}/${name}`)
    if ('conflict' in merged) return merged
    members.set(name, merged.value)
  }
  return { value: objectOf(members) }
}

/** Object.fromEntries defines members, so that `__proto__` is one like any other. */
function objectOf(members: Iterable<readonly [string, Json]>): Json {
  return Object.fromEntries(members)
}

function isObject(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
