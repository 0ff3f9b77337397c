/**
 * GraphQL: documents parsed and checked by the reference implementation, their trees in OPA's form.
 *
 * @see https://spec.graphql.org
 */
import {
  buildASTSchema,
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  isTypeDefinitionNode,
  isTypeExtensionNode,
  Kind,
  parse,
  type TypeDefinitionNode,
  validate,
  validateSchema,
  visit,
} from 'graphql'
import { isObject, type PlainObject, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { onTexts } from '../texts.ts'
import { printDocument } from './print.ts'
import { queryDocument } from './query.ts'
import { schemaDocument } from './schema.ts'

const MAX_TOKENS = 100_000

function parsed(context: Context, text: string): DocumentNode | undefined {
  context.spend(Math.ceil(text.length / 100))
  // The parser wants a definition; OPA takes a document without any.
  const source = /^(?:[\s,\ufeff]|#[^\n\r]*)*$/.test(text) ? undefined : text
  if (source === undefined) return { kind: Kind.DOCUMENT, definitions: [] }
  try {
    return parse(source, { maxTokens: MAX_TOKENS, experimentalFragmentArguments: true })
  } catch (error) {
    // A stack overflow is a document nested too deep.
    if (error instanceof GraphQLError || error instanceof RangeError) return undefined
    throw error
  }
}

function parseQuery(context: Context, text: string): DocumentNode | undefined {
  const document = parsed(context, text)
  const isQuery = document?.definitions.every(
    ({ kind }) => kind === Kind.OPERATION_DEFINITION || kind === Kind.FRAGMENT_DEFINITION,
  )
  return document && isQuery && !hasMore(document) ? document : undefined
}

/** What gqlparser does not take: arguments where a fragment is used (variables it may have), and braces with nothing in them. */
function hasMore(document: DocumentNode): boolean {
  let found = false
  visit(document, {
    [Kind.FRAGMENT_SPREAD]: (node) => {
      found ||= (node.arguments ?? []).length > 0
    },
    [Kind.SELECTION_SET]: (node) => {
      found ||= node.selections.length === 0
    },
  })
  return found
}

interface SchemaTree {
  readonly document: DocumentNode
  readonly tree: PlainObject
}

function parseSchema(context: Context, text: string): SchemaTree | undefined {
  const document = parsed(context, text)
  const tree = document && schemaDocument(document)
  return document && tree && { document, tree }
}

/** A text, or the tree of one. */
function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value
  return isObject(value) ? printDocument(value) : undefined
}

/** Undefined for a schema that is not valid. One without queries is. */
function schemaOf({ document }: SchemaTree): GraphQLSchema | undefined {
  try {
    const whole = withoutLooseExtensions(document)
    const schema = buildASTSchema(whole)
    const missing = schema.getQueryType() ? 0 : 1
    return validateSchema(schema).length > missing
      ? undefined
      : buildASTSchema(whole, { assumeValid: true })
  } catch {
    // Whatever it says, these definitions do not make a schema.
    return undefined
  }
}

/** What is extended and defined nowhere is defined by its first extension. */
function withoutLooseExtensions(document: DocumentNode): DocumentNode {
  const defined = new Set(
    document.definitions.flatMap((one) => (isTypeDefinitionNode(one) ? [one.name.value] : [])),
  )
  const definitions = document.definitions.map((one): DefinitionNode => {
    if (!isTypeExtensionNode(one) || defined.has(one.name.value)) return one
    defined.add(one.name.value)
    return { ...one, kind: one.kind.replace('Extension', 'Definition') } as TypeDefinitionNode
  })
  return { ...document, definitions }
}

interface Checked {
  readonly query: PlainObject
  readonly schema: PlainObject
}

/** Undefined where one of the two cannot be parsed, or the query does not fit the schema. */
function checked(context: Context, query: Value, schema: Value): Checked | undefined {
  const [queryText, schemaText] = [textOf(query), textOf(schema)]
  const document = queryText === undefined ? undefined : parseQuery(context, queryText)
  if (document === undefined || schemaText === undefined) return undefined
  const definitions = parseSchema(context, schemaText)
  const types = definitions && schemaOf(definitions)
  if (definitions === undefined || types === undefined) return undefined
  if (validate(types, document, undefined, { maxErrors: 1 }).length > 0) return undefined
  return { query: queryDocument(document), schema: definitions.tree }
}

const parseBoth: Builtin = (context, query: Value, schema: Value) => {
  for (const [i, operand] of [query, schema].entries())
    if (typeof operand !== 'string' && !isObject(operand))
      return wrongType(context, i + 1, operand, 'string', 'object')
  const both = checked(context, query, schema)
  return both === undefined ? fail(context, 'not valid GraphQL') : [both.query, both.schema]
}

export const GRAPHQL: Family = {
  'graphql.parse': parseBoth,
  'graphql.parse_and_verify': (context, query: Value, schema: Value) => {
    const both = checked(context, query, schema)
    return both === undefined ? [false, {}, {}] : [true, both.query, both.schema]
  },
  'graphql.parse_query': onTexts((context, text = '') => {
    const document = parseQuery(context, text)
    return document === undefined ? fail(context, 'not a GraphQL query') : queryDocument(document)
  }),
  'graphql.parse_schema': onTexts(
    (context, text = '') =>
      parseSchema(context, text)?.tree ?? fail(context, 'not a GraphQL schema'),
  ),
  'graphql.is_valid': (context, query: Value, schema: Value) =>
    checked(context, query, schema) !== undefined,
  'graphql.schema_is_valid': (context, schema: Value) => {
    const text = textOf(schema)
    const definitions = text === undefined ? undefined : parseSchema(context, text)
    return definitions !== undefined && schemaOf(definitions) !== undefined
  },
}
