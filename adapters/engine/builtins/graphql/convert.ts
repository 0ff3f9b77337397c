/** GraphQL's trees in the form that OPA gives them: gqlparser's, without positions and without what is empty. */
import { type ASTNode, type Token, TokenKind } from 'graphql'
import { define, isArray, isObject, type PlainObject, type Value } from '../../value/value.ts'

/** Members as they may be missing; those that are empty are left out. */
type Loose = { readonly [name: string]: Value | undefined }

export function pruned(members: Loose): PlainObject {
  const object: PlainObject = {}
  for (const [name, value] of Object.entries(members))
    if (value !== undefined && !isEmpty(value)) define(object, name, value)
  return object
}

function isEmpty(value: Value): boolean {
  if (value === null) return true
  if (isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}

/** The comments that stand right before a token. */
function before(token: Token | null | undefined): Value | undefined {
  const list: Value[] = []
  for (let one = token?.prev; one?.kind === TokenKind.COMMENT; one = one.prev)
    list.unshift({ Value: `#${one.value}` })
  return list.length === 0 ? undefined : { List: list }
}

export function commentOf(node: ASTNode): Value | undefined {
  return before(node.loc?.startToken)
}

/** Around a definition's description, and before its closing brace. */
export function definitionComments(
  node: ASTNode & { readonly description?: ASTNode | undefined },
): Loose {
  const { description, loc } = node
  let name = description === undefined ? loc?.startToken : description.loc?.endToken.next
  while (name?.kind === TokenKind.COMMENT) name = name.next
  const end = loc?.endToken
  return {
    BeforeDescriptionComment: description === undefined ? undefined : before(loc?.startToken),
    AfterDescriptionComment: before(name),
    EndOfDefinitionComment: end?.kind === TokenKind.BRACE_R ? before(end) : undefined,
  }
}
