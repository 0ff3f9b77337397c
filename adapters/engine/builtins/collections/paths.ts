/** Paths into values, as texts (`a/b/0`, with the escapes of JSON Pointer) or arrays of keys, and trees of them. */
import { type Key, keyOf } from '../../value/key.ts'
import { isArray, RegoSet, type Value } from '../../value/value.ts'
import { type Context, typeFailure } from '../builtin.ts'
import { wrongType } from '../operands.ts'

/** Null at the end of a path. */
export type Branch = Tree | null

export interface Tree {
  readonly members: Map<Key, readonly [key: Value, branch: Branch]>
}

export function pathOf(context: Context, value: Value): readonly Value[] | undefined {
  if (isArray(value)) return value
  if (typeof value !== 'string')
    return typeFailure(
      context,
      'operand 2 must be one of {set, array} containing string paths or array of path segments',
    )
  return value === '' ? [] : value.replace(/^\/+/, '').split('/').map(unescaped)
}

function unescaped(segment: string): string {
  return segment.includes('~') ? segment.replaceAll('~1', '/').replaceAll('~0', '~') : segment
}

/** All paths in one tree, where a shorter path hides the longer ones behind it. */
export function treeOf(context: Context, paths: Value): Tree | undefined {
  const list = isArray(paths) ? paths : paths instanceof RegoSet ? paths.sorted() : undefined
  if (list === undefined) return wrongType(context, 2, paths, 'set', 'array')
  const root: Tree = { members: new Map() }
  for (const text of list) {
    const path = pathOf(context, text)
    if (path === undefined) return undefined
    grow(root, path)
  }
  return root
}

function grow(root: Tree, path: readonly Value[]): void {
  let node = root
  for (const [i, segment] of path.entries()) {
    const key = keyOf(segment)
    if (i === path.length - 1) {
      node.members.set(key, [segment, null])
      return
    }
    const known = node.members.get(key)
    if (known?.[1] === null) return
    const next: Tree = known?.[1] ?? { members: new Map() }
    node.members.set(key, [segment, next])
    node = next
  }
}

/** Undefined where the tree has no such branch. */
export function branchAt(tree: Tree, key: Value): Branch | undefined {
  return tree.members.get(keyOf(key))?.[1]
}
