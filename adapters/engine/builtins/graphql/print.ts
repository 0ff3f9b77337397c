/** OPA's trees as GraphQL again: policies may give a document as a tree, and the text is what the parser checks. */
import { get, isArray, isObject, type Value } from '../../value/value.ts'

/** Undefined where the tree is not a document's. */
export function printDocument(tree: Value): string | undefined {
  try {
    return [
      ...list(tree, 'Operations').map(operation),
      ...list(tree, 'Fragments').map(fragment),
      ...list(tree, 'Schema').map((node) => schema(node)),
      ...list(tree, 'SchemaExtension').map((node) => `extend ${schema(node)}`),
      ...list(tree, 'Directives').map(directiveDefinition),
      ...list(tree, 'Definitions').map((node) => definition(node)),
      ...list(tree, 'Extensions').map((node) => `extend ${definition(node)}`),
    ].join('\n')
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

class Malformed extends Error {}

function list(node: Value, name: string): readonly Value[] {
  const value = get(node, name) ?? []
  if (value === null) return []
  if (!isArray(value)) throw new Malformed()
  return value
}

function text(node: Value, name: string): string {
  const value = get(node, name) ?? ''
  if (typeof value !== 'string') throw new Malformed()
  return value
}

/** A name stands between other tokens, so it must be no more than a name. */
function name(node: Value, member = 'Name'): string {
  const value = text(node, member)
  if (!/^\w*$/.test(value)) throw new Malformed()
  return value
}

function wrapped(open: string, items: readonly string[], close: string): string {
  return items.length === 0 ? '' : `${open}${items.join(' ')}${close}`
}

function operation(node: Value): string {
  const kind = name(node, 'Operation') || 'query'
  const variables = wrapped('(', list(node, 'VariableDefinitions').map(variable), ')')
  return `${kind} ${name(node)}${variables}${directives(node)}${selections(node)}`
}

function fragment(node: Value): string {
  return `fragment ${name(node)} on ${name(node, 'TypeCondition')}${directives(node)}${selections(node)}`
}

function variable(node: Value): string {
  return `$${name(node, 'Variable')}: ${type(get(node, 'Type'))}${defaultValue(node)}${directives(node)}`
}

function defaultValue(node: Value): string {
  const value = get(node, 'DefaultValue') ?? null
  return value === null ? '' : ` = ${literal(value)}`
}

function selections(node: Value): string {
  return wrapped(' { ', list(node, 'SelectionSet').map(selection), ' }')
}

/** A field has an alias always, an inline fragment has no name. */
function selection(node: Value): string {
  if (get(node, 'Alias') !== undefined) {
    const given = wrapped('(', list(node, 'Arguments').map(argument), ')')
    return `${name(node, 'Alias')}: ${name(node)}${given}${directives(node)}${selections(node)}`
  }
  if (get(node, 'Name') !== undefined) return `...${name(node)}${directives(node)}`
  const condition = name(node, 'TypeCondition')
  return `... ${condition === '' ? '' : `on ${condition}`}${directives(node)}${selections(node)}`
}

function argument(node: Value): string {
  return `${name(node)}: ${literal(get(node, 'Value'))}`
}

function directives(node: Value): string {
  return list(node, 'Directives')
    .map((one) => ` @${name(one)}${wrapped('(', list(one, 'Arguments').map(argument), ')')}`)
    .join('')
}

function type(node: Value | undefined): string {
  if (!isObject(node)) throw new Malformed()
  const inner = get(node, 'Elem') ?? null
  const bare = inner === null ? name(node, 'NamedType') : `[${type(inner)}]`
  return get(node, 'NonNull') === true ? `${bare}!` : bare
}

const KIND = { variable: 0, string: 3, block: 4, list: 8, object: 9 } as const

function literal(node: Value | undefined): string {
  if (!isObject(node)) throw new Malformed()
  const kind = get(node, 'Kind') ?? 0
  const raw = text(node, 'Raw')
  const children = list(node, 'Children')
  if (kind === KIND.list) return `[${children.map((one) => literal(get(one, 'Value'))).join(' ')}]`
  if (kind === KIND.object) return `{${children.map(argument).join(' ')}}`
  if (kind === KIND.string || kind === KIND.block) return JSON.stringify(raw)
  if (!/^[\w.+-]+$/.test(raw)) throw new Malformed()
  return kind === KIND.variable ? `$${raw}` : raw
}

function description(node: Value): string {
  const value = text(node, 'Description')
  return value === '' ? '' : `${JSON.stringify(value)} `
}

function schema(node: Value): string {
  const types = list(node, 'OperationTypes').map(
    (one) => `${name(one, 'Operation')}: ${name(one, 'Type')}`,
  )
  return `${description(node)}schema${directives(node)}${wrapped(' { ', types, ' }')}`
}

const KEYWORDS: Readonly<Record<string, string>> = {
  SCALAR: 'scalar',
  OBJECT: 'type',
  INTERFACE: 'interface',
  UNION: 'union',
  ENUM: 'enum',
  INPUT_OBJECT: 'input',
}

function names(values: readonly Value[]): readonly string[] {
  return values.map((value) => name({ Name: value }))
}

function definition(node: Value): string {
  const keyword = KEYWORDS[text(node, 'Kind')]
  if (keyword === undefined) throw new Malformed()
  const interfaces = names(list(node, 'Interfaces')).join(' & ')
  const members = names(list(node, 'Types')).join(' | ')
  const values = list(node, 'EnumValues').map(
    (one) => `${description(one)}${name(one)}${directives(one)}`,
  )
  return [
    `${description(node)}${keyword} ${name(node)}`,
    interfaces === '' ? '' : ` implements ${interfaces}`,
    directives(node),
    members === '' ? '' : ` = ${members}`,
    wrapped(' { ', list(node, 'Fields').map(field), ' }'),
    wrapped(' { ', values, ' }'),
  ].join('')
}

function field(node: Value): string {
  const given = wrapped('(', list(node, 'Arguments').map(field), ')')
  return `${description(node)}${name(node)}${given}: ${type(get(node, 'Type'))}${defaultValue(node)}${directives(node)}`
}

function directiveDefinition(node: Value): string {
  const given = wrapped('(', list(node, 'Arguments').map(field), ')')
  const repeatable = get(node, 'IsRepeatable') === true ? ' repeatable' : ''
  return `${description(node)}directive @${name(node)}${given}${repeatable} on ${names(list(node, 'Locations')).join(' | ')}`
}
