/** Queries: the tree of an executable document. */
import {
  type ArgumentNode,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  TokenKind,
  type TypeNode,
  type ValueNode,
  type VariableDefinitionNode,
} from 'graphql'
import type { PlainObject, Value } from '../../value/value.ts'
import { commentOf, pruned } from './convert.ts'

export function queryDocument({ definitions }: DocumentNode): PlainObject {
  return pruned({
    Operations: definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION).map(operation),
    Fragments: definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION).map(fragment),
  })
}

function operation(node: OperationDefinitionNode): PlainObject {
  return pruned({
    Operation: node.operation,
    Name: node.name?.value ?? '',
    VariableDefinitions: node.variableDefinitions?.map(variable),
    Directives: directives(node.directives),
    SelectionSet: selections(node.selectionSet),
    // OPA loses the comment of a query that is nothing but its braces.
    Comment: node.loc?.startToken.kind === TokenKind.BRACE_L ? undefined : commentOf(node),
  })
}

function fragment(node: FragmentDefinitionNode): PlainObject {
  return pruned({
    Name: node.name.value,
    VariableDefinition: node.variableDefinitions?.map(variable),
    TypeCondition: node.typeCondition.name.value,
    Directives: directives(node.directives),
    SelectionSet: selections(node.selectionSet),
    Comment: commentOf(node),
  })
}

function variable(node: VariableDefinitionNode): PlainObject {
  return pruned({
    Variable: node.variable.name.value,
    Type: type(node.type),
    DefaultValue: node.defaultValue && literal(node.defaultValue),
    Directives: directives(node.directives),
    Comment: commentOf(node),
    // Found out by validation, which comes after the tree is made.
    Used: false,
  })
}

function selections(node: SelectionSetNode | undefined): readonly Value[] {
  return (node?.selections ?? []).map(selection)
}

function selection(node: SelectionNode): PlainObject {
  const common = { Directives: directives(node.directives), Comment: commentOf(node) }
  if (node.kind === Kind.FRAGMENT_SPREAD) return pruned({ Name: node.name.value, ...common })
  if (node.kind === Kind.INLINE_FRAGMENT)
    return pruned({
      TypeCondition: node.typeCondition?.name.value ?? '',
      SelectionSet: selections(node.selectionSet),
      ...common,
    })
  return pruned({
    Alias: node.alias?.value ?? node.name.value,
    Name: node.name.value,
    Arguments: node.arguments?.map(argument),
    SelectionSet: selections(node.selectionSet),
    ...common,
  })
}

function argument(node: ArgumentNode): PlainObject {
  return pruned({ Name: node.name.value, Value: literal(node.value), Comment: commentOf(node) })
}

export function directives(nodes: readonly DirectiveNode[] | undefined): readonly Value[] {
  return (nodes ?? []).map((node) =>
    pruned({ Name: node.name.value, Arguments: node.arguments?.map(argument), Location: '' }),
  )
}

export function type(node: TypeNode): PlainObject {
  if (node.kind === Kind.NON_NULL_TYPE) return { ...type(node.type), NonNull: true }
  if (node.kind === Kind.LIST_TYPE) return { NamedType: '', Elem: type(node.type), NonNull: false }
  return { NamedType: node.name.value, NonNull: false }
}

/** In the order of gqlparser's numbers. */
const KINDS = [
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  'BlockString',
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
] as const

export function literal(node: ValueNode): PlainObject {
  const kind = node.kind === Kind.STRING && node.block === true ? 'BlockString' : node.kind
  const isContainer = node.kind === Kind.LIST || node.kind === Kind.OBJECT
  return pruned({
    Raw: rawOf(node),
    Children: childrenOf(node),
    Kind: KINDS.indexOf(kind),
    Comment: isContainer ? commentOf(node) : undefined,
    ExpectedTypeHasDefault: false,
  })
}

function rawOf(node: ValueNode): string {
  switch (node.kind) {
    case Kind.VARIABLE:
      return node.name.value
    case Kind.NULL:
      return 'null'
    case Kind.LIST:
    case Kind.OBJECT:
      return ''
    default:
      return String(node.value)
  }
}

function childrenOf(node: ValueNode): readonly Value[] {
  if (node.kind === Kind.LIST)
    return node.values.map((value) => ({ Name: '', Value: literal(value) }))
  if (node.kind !== Kind.OBJECT) return []
  return node.fields.map((field) =>
    pruned({ Name: field.name.value, Value: literal(field.value), Comment: commentOf(field) }),
  )
}
