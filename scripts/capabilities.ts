/** Which built-ins each capability set allows, and why not the others. The files keep OPA's format, so `opa build --capabilities` takes them. */
import { CLOCK_AND_CHANCE, REFUSED } from '../adapters/engine/builtins/index.ts'
import type { Json } from '../core/json.ts'
import type { CapabilitySet } from '../core/ports/compiler.ts'

interface Builtin {
  readonly name: string
  readonly deprecated?: boolean
  readonly [member: string]: Json | undefined
}

/** The compiler replaces these itself: no engine ever sees them. */
export const COMPILED_AWAY: readonly string[] = [
  'assign',
  'eq',
  'rego.metadata.chain',
  'rego.metadata.rule',
]
/** The language as it is today: no keyword or version that OPA still calls future. */
const FEATURES = ['keywords_in_refs', 'rego_v1', 'template_strings']

type Why = readonly [which: (builtin: Builtin) => boolean, why: string]
const named =
  (...names: readonly string[]) =>
  ({ name }: Builtin): boolean =>
    names.includes(name)

/** What no policy that decides may call. */
const NOWHERE: readonly Why[] = [
  [({ deprecated }) => deprecated === true, "deprecated: today's Rego refuses it"],
  [
    named('print', 'internal.print', 'internal.test_case', 'trace'),
    'for tests: a build takes it out',
  ],
  [({ name }) => REFUSED.has(name), 'reaches out, or tells of the process that decides'],
  [
    ({ name }) => CLOCK_AND_CHANCE.has(name) && name !== 'time.now_ns',
    'chance: nobody could decide the same again',
  ],
  [
    named('io.jwt.encode_sign', 'io.jwt.encode_sign_raw'),
    'signs, which takes chance and a key: effects sign, with keys of custody',
  ],
]

/** What no rule about trust may call besides. */
const NOT_IN_TRUST: readonly Why[] = [
  [
    ({ name }) => /^(?:crypto|io)\./.test(name),
    'cryptography: plugins check signatures and hashes, and what they find is a fact',
  ],
  [
    ({ name }) => name.startsWith('time.'),
    'the clock and the time zones of a machine: the time of a decision is the fact `now`, in seconds',
  ],
]

/** Why a built-in is not in a set; undefined where it is, as far as an engine has it. */
export function leftOut(builtin: Builtin, set: CapabilitySet): string | undefined {
  const whys = set === 'trust' ? [...NOWHERE, ...NOT_IN_TRUST] : NOWHERE
  return whys.find(([which]) => which(builtin))?.[1]
}

/** Everything that OPA declares. */
export function declaredIn(capabilities: Json): readonly Builtin[] {
  return (capabilities as unknown as { readonly builtins: readonly Builtin[] }).builtins
}

/**
 * `trust`: deterministic, and the same in every engine, on any machine, at any time. `compat` adds, for policies from elsewhere, tokens,
 * hashes and time; its clock is a fact. Nothing is in a set that would only fail when it is called.
 */
export function makeCapabilities(
  capabilities: Json,
  library: ReadonlySet<string>,
): Readonly<Record<CapabilitySet, string>> {
  const there = new Set([...library, ...COMPILED_AWAY])
  const known = declaredIn(capabilities).filter(({ name }) => there.has(name))
  const set = (name: CapabilitySet): string =>
    text(
      capabilities,
      known.filter((builtin) => leftOut(builtin, name) === undefined),
    )
  return { compat: set('compat'), trust: set('trust') }
}

/** For people: what is in neither set, or in `compat` alone, and why. */
export function leftOutText(capabilities: Json): string {
  const rows = declaredIn(capabilities).flatMap((builtin) => {
    const [trust, compat] = (['trust', 'compat'] as const).map((set) => leftOut(builtin, set))
    if (trust === undefined) return []
    return [`| \`${builtin.name}\` | ${compat === undefined ? 'in' : 'out'} | ${trust} |`]
  })
  return `${INTRODUCTION}\n| built-in | compat | why not in trust |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

const INTRODUCTION = `# What Rego may call

\`trust.json\` and \`compat.json\` are capability files of OPA, made by \`scripts/make-capabilities.ts\` from what OPA declares and what the
engines have. Policies that decide about trust are compiled with \`trust\`: all that is deterministic, and the same in every engine, on any
machine, at any time. \`compat\` is for policies that come from OPA. Everything that is not listed here is in both.
`

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
