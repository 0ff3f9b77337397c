/** Requests that were recorded with what the policy must answer: a bundle brings them under `tests/recorded`, and does not serve if it answers otherwise. */
import type { Json } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'
import type { Files } from './digest.ts'
import { checkForm, strictJson } from './json.ts'

export const RECORDED: RegExp = /^tests\/recorded\/[^/]+\.json$/

export interface Recorded {
  /** The file that it is from. */
  readonly file: string
  /** Such as `assay/access/decision`. */
  readonly entrypoint: string
  /** The whole input of the policy. */
  readonly input: Json
  readonly expect: {
    readonly allow: boolean
    /** Codes, in any order; without it they do not matter. */
    readonly reasons?: readonly string[]
  }
}

const LIMITS = { maxBytes: 64 * 1024 * 1024, maxDepth: 66 }
const format: Schema<unknown> = schema.array(
  schema.object({
    entrypoint: schema.string({ maxLength: 512 }),
    input: schema.json({ maxDepth: 64 }),
    expect: schema.object(
      { allow: schema.boolean() },
      { reasons: schema.array(schema.string({ maxLength: 128 }), { maxItems: 64 }) },
    ),
  }),
  { maxItems: 10_000 },
)

/** A file holds one of them or an array. @throws BundleRefusal `invalid_data` */
export function readRecorded(files: Files): readonly Recorded[] {
  const found: Recorded[] = []
  for (const [file, bytes] of files) {
    if (!RECORDED.test(file)) continue
    const value = strictJson(file, bytes, 'invalid_data', LIMITS)
    const all = Array.isArray(value) ? value : [value]
    checkForm(file, all, 'invalid_data', format)
    for (const each of all as readonly Omit<Recorded, 'file'>[]) found.push({ ...each, file })
  }
  return found
}
