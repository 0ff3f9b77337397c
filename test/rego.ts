/** One compiler for all tests of a file: it starts with the first policy and stops by itself. */
import { createOpaCompiler, type OpaCompiler } from '../adapters/compiler/opa/index.ts'
import type { Json } from '../core/json.ts'
import type { Bundle, Sources } from '../core/ports/compiler.ts'

export const compiler: OpaCompiler = createOpaCompiler({ deadlineMs: 120_000, ...compiled() })

/** What one test file compiled, the others and the servers that they start need not compile again. */
function compiled(): { readonly compiled?: string } {
  const { ASSAY_COMPILED } = process.env
  return ASSAY_COMPILED === undefined ? {} : { compiled: ASSAY_COMPILED }
}

const bundles = new Map<string, Promise<Bundle>>()

/** Compiles with the trust capabilities, each set of sources once. `rego` alone is one file of package `p`. */
export function bundle(
  rego: string | Sources,
  entrypoints: readonly string[] = ['p/decision'],
  data?: Json,
): Promise<Bundle> {
  const policies = typeof rego === 'string' ? { 'p/p.rego': `package p\n\n${rego}\n` } : rego
  const sources = data === undefined ? policies : { ...policies, 'data.json': JSON.stringify(data) }
  const key = JSON.stringify([sources, entrypoints])
  const known = bundles.get(key)
  if (known !== undefined) return known
  const made = compiler.build(sources, { capabilities: 'trust', entrypoints })
  bundles.set(key, made)
  return made
}
