/** The built-ins of Rego, one library for all engines. Deterministic all, but for what {@link CLOCK_AND_CHANCE} lists. */
import type { Builtin, Family } from './builtin.ts'
import { CHANCE } from './chance.ts'
import { COLLECTIONS } from './collections/index.ts'
import { DIGESTS } from './crypto/digest.ts'
import { X509 } from './crypto/x509/index.ts'
import { GRAPHQL } from './graphql/index.ts'
import { JSON_TEXT } from './json/index.ts'
import { YAML } from './json/yaml.ts'
import { JWT } from './jwt/index.ts'
import { NET } from './net/index.ts'
import { NUMBERS } from './numbers/index.ts'
import { OBSERVED } from './observed.ts'
import { PATTERNS } from './patterns/index.ts'
import { JSON_SCHEMA } from './schema/index.ts'
import { SEMVER } from './semver.ts'
import { STRINGS } from './strings/index.ts'
import { TEMPLATE } from './template/index.ts'
import { TIME } from './time/index.ts'
import { URI } from './uri.ts'
import { UUID } from './uuid.ts'

export type { Builtin, Context, Failure } from './builtin.ts'

const FAMILIES: readonly Family[] = [
  COLLECTIONS,
  NUMBERS,
  PATTERNS,
  STRINGS,
  TEMPLATE,
  CHANCE,
  DIGESTS,
  GRAPHQL,
  JSON_SCHEMA,
  JSON_TEXT,
  JWT,
  NET,
  OBSERVED,
  SEMVER,
  TIME,
  URI,
  UUID,
  X509,
  YAML,
]

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map(
  FAMILIES.flatMap((family) => Object.entries(family)),
)

/** Declared by OPA and refused when a policy is loaded: they reach out, or tell of the process that runs them. */
export const REFUSED: ReadonlySet<string> = new Set([
  'http.send',
  'net.lookup_ip_addr',
  'opa.runtime',
  'providers.aws.sign_req',
  'rego.parse_module',
])

/** Answers that differ between two evaluations of one input: only `time.now_ns` may stand in a policy that decides, where it is the `now` fact. */
export const CLOCK_AND_CHANCE: ReadonlySet<string> = new Set([
  'rand.intn',
  'time.now_ns',
  'uuid.rfc4122',
])
