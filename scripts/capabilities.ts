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
/** What asks for the time gets the decision's own, wherever a policy from elsewhere is asked. */
const CLOCKED: ReadonlySet<string> = new Set(['io.jwt.decode_verify', 'time.now_ns'])
/** The language as it is today: no keyword or version that OPA still calls future. */
const FEATURES = ['keywords_in_refs', 'rego_v1', 'template_strings']

/** OPA's WebAssembly runtime has these and gets them so wrong that nobody should call them: why, by name. */
const BROKEN: Readonly<Record<string, string>> = {
  replace: 'does not end when the text to replace is empty',
}
/** What it answers differently from OPA on input that somebody may have crafted, so that no trust rule may lean on it. */
const LAX: Readonly<Record<string, string>> = {
  'base64.decode': 'accepts what is not base64, and not the empty text',
  'base64.is_valid': 'accepts what is not base64, and not the empty text',
  'base64url.decode': 'accepts what is not base64url, and not the empty text',
  'json.is_valid': 'accepts commas at the end, leading zeros and whatever comes after the value',
  'json.marshal': 'writes members in the order of a hash table',
  'json.unmarshal': 'accepts commas at the end, leading zeros and whatever comes after the value',
}

/** Of what the host brings, only what trust rules need. */
const TRUSTED_HOST: ReadonlySet<string> = new Set(['sprintf'])

/**
 * `trust`: deterministic, and with the same answers in every engine that a bundle may run on. `compat` adds, for policies from elsewhere,
 * what is lax, what the host brings (time, tokens, hashes) and the clock, which is a fact there. Nothing is in a set that would only fail when it is called. `print` is in neither: it is for tests, and a
 * build takes it out. Deprecated names are in neither: today's Rego refuses them anyway.
 */
export function makeCapabilities(
  declared: { readonly capabilities: Json; readonly native: readonly string[] },
  host: ReadonlySet<string>,
): Readonly<Record<CapabilitySet, string>> {
  const { builtins } = declared.capabilities as unknown as { builtins: readonly Builtin[] }
  const there = new Set([...declared.native, ...host, ...COMPILED_AWAY])
  const compat = builtins.filter(
    ({ name, deprecated, nondeterministic }) =>
      there.has(name) &&
      !Object.hasOwn(BROKEN, name) &&
      !deprecated &&
      (!nondeterministic || CLOCKED.has(name)),
  )
  const trust = compat.filter(
    ({ name }) => !Object.hasOwn(LAX, name) && (!host.has(name) || TRUSTED_HOST.has(name)),
  )
  return { compat: text(declared.capabilities, compat), trust: text(declared.capabilities, trust) }
}

function text(all: Json, builtins: readonly Builtin[]): string {
  const { wasm_abi_versions } = all as { readonly [name: string]: Json }
  const set = {
    builtins: builtins.map(({ description: _, categories: __, ...rest }) => rest),
    // Empty, not absent: a schema may not refer to another host.
    allow_net: [],
    features: FEATURES,
    future_keywords: [],
    wasm_abi_versions,
  }
  return `${JSON.stringify(set, null, 2)}\n`
}
