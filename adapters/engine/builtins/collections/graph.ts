/** Graphs as objects: each node a key, its edges an array or a set of nodes. A node that is no key is not in the graph. */
import { type Key, keyOf } from '../../value/key.ts'
import { type AnyObject, get, isArray, isObject, RegoSet, type Value } from '../../value/value.ts'
import type { Builtin, Context, Family } from '../builtin.ts'
import { elementsOf, wrongType } from '../operands.ts'

const reachable: Builtin = (context, graph: Value, initial: Value) => {
  if (!isObject(graph)) return wrongType(context, 1, graph, 'object')
  const queue = startsOf(context, initial)
  if (queue === undefined) return undefined
  const reached = new RegoSet()
  const { members } = reached
  for (let next = 0; next < queue.length; next++) {
    context.spend(1)
    const node = queue[next] as Value
    const key = keyOf(node)
    if (members.has(key)) continue
    const edges = get(graph, node)
    if (edges === undefined) continue
    members.set(key, node)
    for (const neighbour of neighboursIn(edges)) queue.push(neighbour)
  }
  return reached
}

/** The caller's own array. */
function startsOf(context: Context, initial: Value): Value[] | undefined {
  const elements = elementsOf(initial)
  return elements === undefined ? wrongType(context, 2, initial, 'array', 'set') : [...elements]
}

function neighboursIn(edges: Value): Iterable<Value> {
  if (isArray(edges)) return edges
  return edges instanceof RegoSet ? edges.values() : []
}

const reachablePaths: Builtin = (context, graph: Value, initial: Value) => {
  if (!isObject(graph)) return wrongType(context, 1, graph, 'object')
  const starts = startsOf(context, initial)
  if (starts === undefined) return undefined
  const paths = new RegoSet()
  for (const start of starts) {
    const edges = get(graph, start)
    if (edges === undefined) continue
    const neighbours = elementsOf(edges) ?? []
    if (neighbours.length === 0) paths.add([start])
    else new Trail(context, graph, paths).follow(start, neighbours)
  }
  return paths
}

interface Step {
  readonly key: Key
  /** Whether the trail passes the node for the first time here. */
  readonly first: boolean
  readonly neighbours: readonly Value[]
  next: number
}

/** Depth first without recursion: a path may be as long as the graph has nodes. Each path ends at a dead end or where it would close a circle. */
class Trail {
  readonly #context: Context
  readonly #graph: AnyObject
  readonly #paths: RegoSet
  readonly #path: Value[] = []
  readonly #passed = new Set<Key>()
  readonly #steps: Step[] = []

  constructor(context: Context, graph: AnyObject, paths: RegoSet) {
    this.#context = context
    this.#graph = graph
    this.#paths = paths
  }

  follow(start: Value, neighbours: readonly Value[]): void {
    this.#enter(start, neighbours)
    for (let step = this.#steps.at(-1); step !== undefined; step = this.#steps.at(-1)) {
      this.#context.spend(1)
      if (step.next === step.neighbours.length) this.#leave()
      else this.#try(step.neighbours[step.next++] as Value)
    }
  }

  #try(node: Value): void {
    // As in OPA, the start may be its own neighbour once.
    const closes = this.#steps.length > 1 && this.#passed.has(keyOf(node))
    const edges = closes ? undefined : get(this.#graph, node)
    const neighbours = edges === undefined ? [] : (elementsOf(edges) ?? [])
    if (edges !== undefined) this.#enter(node, neighbours)
    if (neighbours.length === 0) this.#commit()
  }

  #enter(node: Value, neighbours: readonly Value[]): void {
    const key = keyOf(node)
    const first = !this.#passed.has(key)
    this.#passed.add(key)
    this.#path.push(node)
    this.#steps.push({ key, first, neighbours, next: 0 })
  }

  #leave(): void {
    const step = this.#steps.pop()
    if (step?.first === true) this.#passed.delete(step.key)
    this.#path.pop()
  }

  #commit(): void {
    this.#context.spend(this.#path.length)
    this.#paths.add([...this.#path])
  }
}

export const GRAPH: Family = {
  'graph.reachable': reachable,
  'graph.reachable_paths': reachablePaths,
}
