/** Which built-ins each capability set allows. The files keep OPA's format, so `opa build --capabilities` takes them. */
import type { Json } from '../core/json.ts'
import type { CapabilitySet } from '../core/ports/compiler.ts'

interface Builtin {
  readonly name: string
  readonly deprecated?: boolean
  readonly nondeterministic?: boolean
  readonly [member: string]: Json | undefined
}

/** The compiler replaces these itself: no engine ever sees them. */
const COMPILED_AWAY = ['assign', 'eq', 'rego.metadata.chain', 'rego.metadata.rule']
/** The language as it is today: no keyword or version that OPA still calls future. */
const FEATURES = ['keywords_in_refs', 'rego_v1', 'template_strings']

/**
 * `trust`: deterministic, and in every engine that a bundle may run on. `compat` adds the deprecated names that policies from elsewhere
 * contain. Nothing is in a set that would only fail when it is called. `print` is in neither: it is for tests, and a build takes it out.
 */
export function makeCapabilities(
  declared: { readonly capabilities: Json; readonly native: readonly string[] },
  host: ReadonlySet<string>,
): Readonly<Record<CapabilitySet, string>> {
  const { builtins } = declared.capabilities as unknown as { builtins: readonly Builtin[] }
  const there = new Set([...declared.native, ...host, ...COMPILED_AWAY])
  const compat = builtins.filter((one) => there.has(one.name) && one.nondeterministic !== true)
  const trust = compat.filter((one) => one.deprecated !== true)
  return { compat: text(declared.capabilities, compat), trust: text(declared.capabilities, trust) }
}

function text(all: Json, builtins: readonly Builtin[]): string {
  const { wasm_abi_versions } = all as { readonly [name: string]: Json }
  const set = {
    builtins,
    // Empty, not absent: a schema may not refer to another host.
    allow_net: [],
    features: FEATURES,
    future_keywords: [],
    wasm_abi_versions,
  }
  return `${JSON.stringify(set, null, 2)}\n`
}
