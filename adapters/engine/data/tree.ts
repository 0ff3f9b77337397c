/**
 * The data of a policy, by revision, without a copy of all of it for each: one tree, and for every revision but the newest the few changes
 * that lead back to it (after Baker, "Shallow binding makes functional arrays fast", 1991). Asking an older revision for its data brings
 * the tree back to it; a change of one entry among a million costs that entry.
 *
 * Nobody outside holds a part of the tree: what policies answer is copied on its way out.
 */
import type { DataOperation } from '../../../core/ports/engine.ts'
import type { Value } from '../value/value.ts'
import { type Change, pathOfChange, perform, planOperations } from './change.ts'

/** Told of changes, so that what was derived from the data follows it. */
export interface DataWatcher {
  /** `container[key]`, or something below it, is about to change: called for each container on the way down. */
  leaving(container: object, key: number | string): void
  /** It has changed. */
  entered(container: object, key: number | string): void
  /** Elements of `array` moved to other places. */
  shifted(array: object): void
  /** All of it is done; each path names what changed. */
  changed(paths: readonly (readonly string[])[]): void
}

/** What all revisions share. */
interface Tree {
  readonly holder: { value: Value }
  readonly watcher: DataWatcher
  current: DataRevision
}

export class DataRevision {
  /** Of the policy's data: `sha256:` and hex. */
  readonly name: string
  readonly #tree: Tree
  /** Where this is not the tree's current revision: a newer one, and what leads back from it. */
  #back: { readonly from: DataRevision; readonly changes: readonly Change[] } | undefined

  private constructor(name: string, tree: Omit<Tree, 'current'> | Tree) {
    this.name = name
    this.#tree = 'current' in tree ? tree : Object.assign(tree, { current: this })
  }

  /** @param root the tree's own from now on */
  static first(name: string, root: Value, watcher: DataWatcher): DataRevision {
    return new DataRevision(name, { holder: { value: root }, watcher })
  }

  /** The data of this revision. Valid until another revision of the same tree is asked. */
  get root(): Value {
    if (this.#tree.current !== this) this.#return()
    return this.#tree.holder.value
  }

  /**
   * The revision after `operations`, all or none of which take place. This one stays what it is.
   *
   * @throws PatchError
   */
  patch(operations: readonly DataOperation[], name: string): DataRevision {
    if (this.#tree.current !== this) this.#return()
    const { holder, watcher } = this.#tree
    const { changes, undo } = planOperations(holder, operations, watcher)
    const next = new DataRevision(name, this.#tree)
    this.#back = { from: next, changes: undo }
    this.#tree.current = next
    watcher.changed(changes.map(pathOfChange))
    return next
  }

  /** Makes this the current revision, from the nearest one on the way. */
  #return(): void {
    const way: DataRevision[] = []
    for (let at: DataRevision = this; at.#back !== undefined; at = at.#back.from) way.push(at)
    const paths: (readonly string[])[] = []
    for (const revision of way.reverse()) {
      const { from, changes } = revision.#back!
      from.#back = { from: revision, changes: perform(changes, this.#tree.watcher) }
      revision.#back = undefined
      paths.push(...changes.map(pathOfChange))
    }
    this.#tree.current = this
    this.#tree.watcher.changed(paths)
  }
}
