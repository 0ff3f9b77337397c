/** Says what a schema refused in words that help: the member, where it stands, what was expected, and a near spelling. */
import type { z } from 'zod'
import type { ConfigProblem } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Located } from './document.ts'
import { BUILT_IN, configJsonSchema } from './schema.ts'
import { didYouMean } from './suggest.ts'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/** One problem a refused member, each at the place that is meant. */
export function describeIssues(
  issues: readonly Issue[],
  located: Located,
  file: string,
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return unknownMembers(issue, located, file)
    if (issue.code === 'invalid_union') {
      const value = valueAt(located.value, issue.path)
      const meant = meantBranch(issue.errors, value)?.map((inner) => ({
        ...inner,
        path: [...issue.path, ...inner.path],
      }))
      if (meant !== undefined) return describeIssues(meant as Issue[], located, file)
    }
    const where = issue.path.length === 0 ? 'the file' : `"${printable(issue.path)}"`
    const missing = valueAt(located.value, issue.path) === undefined
    const message = `${where}: ${missing ? 'is missing' : expectation(issue)}`
    return [{ file, ...located.at(issue.path), message }]
  })
}

function unknownMembers(
  { keys, path }: z.core.$ZodIssueUnrecognizedKeys,
  located: Located,
  file: string,
): ConfigProblem[] {
  const kind = valueAt(located.value, [...path, 'kind'])
  const known = knownMembers(path, kind)
  const kinds = BUILT_IN[path[0] as keyof typeof BUILT_IN] ?? []
  const hint = typeof kind === 'string' && !kinds.includes(kind) ? didYouMean(kind, kinds) : ''
  return keys.map((key) => ({
    file,
    ...located.at(path, key),
    message: `unknown member "${printable([...path, key])}"${hint || didYouMean(key, known)}`,
  }))
}

/** The alternative that the writer meant: the one whose type and `kind` fit. */
function meantBranch(
  branches: readonly (readonly Issue[])[],
  value: Json | undefined,
): readonly Issue[] | undefined {
  const isWord = typeof value !== 'object'
  const misfit = ({ path, code }: Issue): boolean =>
    (path.length === 0 && (code === 'invalid_type' || (code === 'invalid_value' && !isWord))) ||
    (path.length === 1 && path[0] === 'kind')
  return branches.find((issues) => !issues.some(misfit))
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}`
    case 'invalid_union':
      return 'is none of the forms allowed here; see docs/config.schema.json'
    case 'invalid_format':
      return issue.format === 'regex' && issue.pattern !== undefined
        ? `must match ${issue.pattern}`
        : OTHER_FORM
    case 'invalid_key':
      return `is no name that is possible here: it ${issue.issues.map(expectation).join(', ')}`
    default:
      return OTHER_FORM
  }
}
const OTHER_FORM = 'does not have the form that is needed here; see docs/config.schema.json'
const TYPES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a string',
  int: 'an integer',
  number: 'a number',
  boolean: 'true or false',
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  /** Of a mapping whose names the writer chooses. */
  readonly additionalProperties?: SchemaNode | false
  readonly anyOf?: readonly SchemaNode[]
  readonly items?: SchemaNode
  readonly const?: unknown
}

/** Member names of the object at `path`; of the alternative of this `kind` where there are several. */
function knownMembers(path: Path, kind: Json | undefined): string[] {
  let nodes: readonly SchemaNode[] = [configJsonSchema() as SchemaNode]
  const open = (node: SchemaNode): readonly SchemaNode[] => node.anyOf ?? [node]
  for (const step of path)
    nodes = nodes.flatMap((node) => {
      const member = node.properties?.[String(step)] ?? node.additionalProperties
      const next = typeof step === 'number' ? node.items : member
      return next === undefined || next === false ? [] : open(next)
    })
  const ofKind = nodes.filter((node) => node.properties?.kind?.const === kind)
  return (ofKind.length > 0 ? ofKind : nodes).flatMap((node) => Object.keys(node.properties ?? {}))
}

const printable = (path: Path): string =>
  path
    .map(String)
    .join('.')
    .slice(0, 120)
    .replace(/[\p{Cc}\p{Cf}]/gu, '?')

function valueAt(value: Json, path: Path): Json | undefined {
  let here: Json | undefined = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined
    here = (here as unknown as Readonly<Record<PropertyKey, Json>>)[step]
  }
  return here
}
