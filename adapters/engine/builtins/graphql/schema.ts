/** Schemas: the tree of a type system document. */
import {
  type DefinitionNode,
  type DirectiveDefinitionNode,
  type DocumentNode,
  type EnumValueDefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  type SchemaDefinitionNode,
  type SchemaExtensionNode,
  TokenKind,
  type TypeDefinitionNode,
  type TypeExtensionNode,
} from 'graphql'
import type { PlainObject, Value } from '../../value/value.ts'
import { commentOf, definitionComments, pruned } from './convert.ts'
import { directives, literal, type } from './query.ts'

const KINDS: ReadonlyMap<string, string> = new Map([
  ['ScalarType', 'SCALAR'],
  ['ObjectType', 'OBJECT'],
  ['InterfaceType', 'INTERFACE'],
  ['UnionType', 'UNION'],
  ['EnumType', 'ENUM'],
  ['InputObjectType', 'INPUT_OBJECT'],
])

/** Undefined where a definition is none of a schema's. */
export function schemaDocument({ definitions, loc }: DocumentNode): PlainObject | undefined {
  const lists: Record<string, Value[]> = {
    Schema: [],
    SchemaExtension: [],
    Directives: [],
    Definitions: [],
    Extensions: [],
  }
  for (const node of definitions) {
    const place = placeOf(node)
    if (place === undefined) return undefined
    lists[place[0]]!.push(place[1])
  }
  const comments: Value[] = []
  for (let token = loc?.endToken.prev; token?.kind === TokenKind.COMMENT; token = token.prev)
    comments.unshift({ Value: `#${token.value}` })
  return pruned({ ...lists, Comment: comments.length === 0 ? undefined : { List: comments } })
}

function placeOf(node: DefinitionNode): readonly [list: string, value: Value] | undefined {
  if (node.kind === Kind.SCHEMA_DEFINITION) return ['Schema', schema(node)]
  if (node.kind === Kind.SCHEMA_EXTENSION) return ['SchemaExtension', schema(node)]
  if (node.kind === Kind.DIRECTIVE_DEFINITION) return ['Directives', directive(node)]
  const [, name = '', what] = /^(.*)(Definition|Extension)$/.exec(node.kind) ?? []
  const kind = KINDS.get(name)
  if (kind === undefined) return undefined
  const list = what === 'Definition' ? 'Definitions' : 'Extensions'
  return [list, definition(node as TypeDefinitionNode | TypeExtensionNode, kind)]
}

function schema(node: SchemaDefinitionNode | SchemaExtensionNode): PlainObject {
  return pruned({
    Description: 'description' in node ? (node.description?.value ?? '') : '',
    Directives: directives(node.directives),
    OperationTypes: node.operationTypes?.map((one) =>
      pruned({
        Operation: one.operation,
        Type: one.type.name.value,
        Comment: commentOf(one),
      }),
    ),
    ...definitionComments(node),
  })
}

function definition(node: TypeDefinitionNode | TypeExtensionNode, kind: string): PlainObject {
  const types = 'types' in node ? node.types : undefined
  const interfaces = 'interfaces' in node ? node.interfaces : undefined
  return pruned({
    Kind: kind,
    Description: 'description' in node ? (node.description?.value ?? '') : '',
    Name: node.name.value,
    Directives: directives(node.directives),
    Interfaces: interfaces?.map((one) => one.name.value),
    Fields: 'fields' in node ? (node.fields ?? []).map(field) : [],
    Types: types?.map((one) => one.name.value),
    EnumValues: 'values' in node ? (node.values ?? []).map(enumValue) : [],
    BuiltIn: false,
    ...definitionComments(node),
  })
}

function field(node: FieldDefinitionNode | InputValueDefinitionNode): PlainObject {
  return pruned({
    Arguments: 'arguments' in node ? (node.arguments ?? []).map(input) : [],
    ...input(node),
  })
}

/** Of a directive or a field, or a field of an input. */
function input(node: FieldDefinitionNode | InputValueDefinitionNode): PlainObject {
  const given = 'defaultValue' in node ? node.defaultValue : undefined
  return pruned({
    Description: node.description?.value ?? '',
    Name: node.name.value,
    DefaultValue: given && literal(given),
    Type: type(node.type),
    Directives: directives(node.directives),
    ...innerComments(node),
  })
}

function enumValue(node: EnumValueDefinitionNode): PlainObject {
  return pruned({
    Description: node.description?.value ?? '',
    Name: node.name.value,
    Directives: directives(node.directives),
    ...innerComments(node),
  })
}

function directive(node: DirectiveDefinitionNode): PlainObject {
  return pruned({
    Description: node.description?.value ?? '',
    Name: node.name.value,
    Arguments: node.arguments?.map(input),
    Locations: node.locations.map((location) => location.value),
    IsRepeatable: node.repeatable,
    ...innerComments(node),
  })
}

function innerComments(node: Parameters<typeof definitionComments>[0]): {
  readonly [name: string]: Value | undefined
} {
  return { ...definitionComments(node), EndOfDefinitionComment: undefined }
}
