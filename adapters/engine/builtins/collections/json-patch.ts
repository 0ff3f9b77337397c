/**
 * `json.patch`: JSON Patch for any value, sets too, whose elements are their own keys. Edits are laid over the source, which stays as it
 * is, and written out once.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6902, OPA's internal/edittree
 */
import { equal } from '../../value/order.ts'
import { entriesOf, get, isArray, isObject, RegoSet, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import { EditTree, Refused } from './edit-tree.ts'
import { pathOf } from './paths.ts'

const patch: Builtin = (context, source: Value, operations: Value) => {
  if (!isArray(operations)) return wrongType(context, 2, operations, 'array')
  const tree = new EditTree(context, source)
  try {
    for (const operation of operations) if (!apply(context, tree, operation)) return undefined
    const patched = tree.render()
    return patched === undefined ? fail(context, 'the whole value was removed') : patched
  } catch (error) {
    if (error instanceof Refused) return fail(context, error.message)
    throw error
  }
}

/** False after a failure. */
function apply(context: Context, tree: EditTree, operation: Value): boolean {
  if (!isObject(operation)) return refuse(context, 'each operation must be an object')
  const op = get(operation, 'op')
  if (typeof op !== 'string') return refuse(context, "attribute 'op' must be a string")
  const path = attributePath(context, operation, 'path')
  if (path === undefined) return false
  context.spend(1 + path.length)
  switch (op) {
    case 'add':
      tree.insertAt(path, attribute(operation, 'value'))
      return true
    case 'remove':
      tree.deleteAt(path)
      return true
    case 'replace':
      tree.deleteAt(path)
      tree.insertAt(path, attribute(operation, 'value'))
      return true
    case 'test':
      if (equal(tree.renderAt(path), attribute(operation, 'value'))) return true
      throw new Refused('the value is not the one that the test expects')
    case 'copy':
    case 'move':
      return transfer(context, tree, operation, path)
    default:
      throw new Refused('unrecognized op')
  }
}

function transfer(
  context: Context,
  tree: EditTree,
  operation: Value,
  path: readonly Value[],
): boolean {
  const from = attributePath(context, operation, 'from')
  if (from === undefined) return false
  const chunk = tree.renderAt(from)
  if (get(operation, 'op') === 'move') tree.deleteAt(from)
  else countParts(context, chunk)
  tree.insertAt(path, chunk)
  return true
}

/** A copy shares its parts, so that a value whose copies go into itself grows twofold each time and takes no room until it is written. */
function countParts(context: Context, value: Value): void {
  context.spend(1)
  if (isArray(value)) for (const item of value) countParts(context, item)
  else if (value instanceof RegoSet) for (const item of value.values()) countParts(context, item)
  else if (isObject(value))
    for (const [key, item] of entriesOf(value)) {
      countParts(context, key)
      countParts(context, item)
    }
}

function attributePath(
  context: Context,
  operation: Value,
  name: string,
): readonly Value[] | undefined {
  return pathOf(context, attribute(operation, name))
}

function attribute(operation: Value, name: string): Value {
  const value = get(operation, name)
  if (value === undefined) throw new Refused(`missing required attribute '${name}'`)
  return value
}

function refuse(context: Context, message: string): false {
  fail(context, message)
  return false
}

export const JSON_PATCH: Family = { 'json.patch': patch }
