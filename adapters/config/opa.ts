/** What a configuration file says about OPA policies of the user's own: `opa`. */
import { z } from 'zod'

/** A bundle file, or a folder laid out like one. */
export interface OpaConfig {
  readonly bundle?: string
  readonly dir?: string
  readonly entrypoints?: readonly string[]
}
/** With nothing left open; the path is absolute. */
export interface OpaPlace {
  readonly kind: 'bundle' | 'dir'
  readonly path: string
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
    z.strictObject({ bundle: path.describe('An OPA bundle, *.tar.gz'), entrypoints }),
    z.strictObject({ dir: path.describe('A folder laid out like an OPA bundle'), entrypoints }),
  ])
  .describe("OPA policies of your own, served through OPA's API")

export function completeOpa(
  opa: OpaConfig | undefined,
  at: (path: string) => string,
): { readonly opa?: OpaPlace } {
  const { bundle, dir, entrypoints = [] } = opa ?? {}
  if (bundle !== undefined) return { opa: { kind: 'bundle', path: at(bundle), entrypoints } }
  return dir === undefined ? {} : { opa: { kind: 'dir', path: at(dir), entrypoints } }
}
