/** What `# METADATA` says of a rule, from every scope that reaches it. @see https://www.openpolicyagent.org/docs/policy-language#annotations */
import type { Json } from '../../../../core/json.ts'
import type { RuleText } from './explanation.ts'
import { isNode, type Node, nodesOf } from './tree.ts'

export type Notes = Pick<RuleText, 'custom' | 'description' | 'labels' | 'title'>

/** What holds for a package: its own annotations, and those of packages above it whose scope is `subpackages`. */
export interface PackageNotes {
  readonly path: string
  readonly notes: readonly Node[]
}

export function packageNotes(path: string, annotations: Json | undefined): PackageNotes {
  const notes = nodesOf(annotations).filter((each) => SCOPES.has(String(each.scope)))
  return { path, notes }
}
const SCOPES = new Set(['package', 'subpackages'])

/**
 * Titles and descriptions are of the definition itself (scopes `rule` and `document`): that of a package would say the same of each of its
 * rules. Labels and custom members are merged over all scopes, the inner one wins.
 */
export function notesOf(
  path: string,
  own: Json | undefined,
  packages: readonly PackageNotes[],
): Notes {
  const rules = nodesOf(own).toSorted((a, b) => rank(a) - rank(b))
  const outer = packages
    .filter((one) => one.path === path || path.startsWith(`${one.path}.`))
    .toSorted((a, b) => a.path.length - b.path.length)
    .flatMap((one) => one.notes.filter((note) => one.path === path || note.scope !== 'package'))
  const all = [...outer, ...rules]
  return {
    ...text('title', rules),
    ...text('description', rules),
    ...merged('labels', all),
    ...merged('custom', all),
  }
}

function rank(note: Node): number {
  return note.scope === 'document' ? 0 : 1
}

function text(member: 'description' | 'title', notes: readonly Node[]): Partial<Notes> {
  const found = notes.map((note) => note[member]).findLast((one) => typeof one === 'string')
  return found === undefined ? {} : { [member]: (found as string).trim() }
}

function merged(member: 'custom' | 'labels', notes: readonly Node[]): Partial<Notes> {
  const members = notes.map((note) => note[member]).filter(isNode)
  return members.length === 0 ? {} : { [member]: Object.assign({}, ...members) }
}
