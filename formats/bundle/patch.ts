/**
 * `patch.json` of OPA's delta bundles: operations on documents, read as OPA reads them and written so that OPA does. A path is a JSON
 * pointer, with percent escapes besides, and slashes around it do not count.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#delta-bundles
 */
import type { Json } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { checkForm, strictJson } from './json.ts'
import { BundleRefusal } from './refusal.ts'

export const PATCH = 'patch.json'

/** One change; `path` has the names on the way, from a top-level one down. */
export type PatchOperation =
  | { readonly op: 'replace' | 'upsert'; readonly path: readonly string[]; readonly value: Json }
  | { readonly op: 'remove'; readonly path: readonly string[] }

interface Written {
  readonly op: 'remove' | 'replace' | 'upsert'
  readonly path: string
  readonly value?: Json
}
const MAX_OPERATIONS = 1_000_000
const format: Schema<unknown> = schema.object({
  data: schema.array(
    schema.object(
      {
        op: schema.literal('remove', 'replace', 'upsert'),
        path: schema.string({ maxLength: 65_536 }),
      },
      { value: schema.json({ maxDepth: 512 }) },
    ),
    { maxItems: MAX_OPERATIONS },
  ),
})

/** @throws BundleRefusal `invalid_patch` */
export function readPatch(bytes: Uint8Array, maxBytes: number): readonly PatchOperation[] {
  const value = strictJson(PATCH, bytes, 'invalid_patch', { maxBytes, maxDepth: 514 })
  checkForm(PATCH, value, 'invalid_patch', format)
  const { data } = value as unknown as { readonly data: readonly Written[] }
  // OPA takes a bundle without operations for a whole one.
  if (data.length === 0) throw new BundleRefusal('invalid_patch', `${PATCH} changes nothing`)
  return data.map(operation)
}

function operation({ op, path, value }: Written, i: number): PatchOperation {
  const names = namesOf(path)
  if (names === undefined)
    throw new BundleRefusal('invalid_patch', `${PATCH} /data/${i}/path is no path to a document`)
  if (op === 'remove') return { op, path: names }
  if (value !== undefined) return { op, path: names, value }
  throw new BundleRefusal('invalid_patch', `${PATCH} /data/${i} has no value`)
}

/** Undefined where there is none: the root is nobody's to change. */
function namesOf(path: string): readonly string[] | undefined {
  const inner = path.replace(/^\/+|\/+$/g, '')
  if (inner === '') return undefined
  try {
    return inner
      .split('/')
      .map((name) => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return undefined
  }
}

export function writePatch(operations: readonly PatchOperation[]): Uint8Array {
  const data = operations.map((each) => ({ ...each, path: writtenPath(each.path) }))
  return new TextEncoder().encode(`${JSON.stringify({ data })}\n`)
}

function writtenPath(names: readonly string[]): string {
  return pointerOf(names.map((name) => name.replaceAll('%', '%25')))
}

/** A JSON pointer. @see RFC 6901 */
export function pointerOf(names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
