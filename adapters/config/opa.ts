/** What a configuration file says about OPA policies of the user's own: `opa`. */
import { z } from 'zod'
import { type OpaKeyConfig, opaKeySchema } from './policies.ts'

/** A bundle file, or a folder laid out like one. */
export interface OpaConfig {
  readonly bundle?: string
  /** With it, a bundle must be signed. */
  readonly key?: OpaKeyConfig
  readonly dir?: string
  readonly entrypoints?: readonly string[]
}
/** With nothing left open; the path is absolute. */
export interface OpaPlace {
  readonly kind: 'bundle' | 'dir'
  readonly path: string
  readonly key?: OpaKeyConfig
  readonly entrypoints: readonly string[]
}

const path = z.string().min(1).max(4096)
const entrypoints = z
  .array(z.string().regex(/^[^/]+(?:\/[^/]+)*$/))
  .max(1024)
  .describe('Rules or packages that may be queried besides the annotated ones, such as app/allow')
  .exactOptional()

export const opaSchema: z.ZodType<OpaConfig> = z
  .union([
    z.strictObject({
      bundle: path.describe('An OPA bundle, *.tar.gz'),
      key: opaKeySchema.describe('What opa sign signed it with').exactOptional(),
      entrypoints,
    }),
    z.strictObject({ dir: path.describe('A folder laid out like an OPA bundle'), entrypoints }),
  ])
  .describe("OPA policies of your own, served through OPA's API")

export function completeOpa(
  opa: OpaConfig | undefined,
  at: (path: string) => string,
): { readonly opa?: OpaPlace } {
  const { bundle, dir, entrypoints = [], key } = opa ?? {}
  const signed = key === undefined ? {} : { key: { ...key, file: at(key.file) } }
  if (bundle !== undefined)
    return { opa: { kind: 'bundle', path: at(bundle), ...signed, entrypoints } }
  return dir === undefined ? {} : { opa: { kind: 'dir', path: at(dir), entrypoints } }
}
