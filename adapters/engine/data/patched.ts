/** For engines that take data as a whole: what it is after a change. */
import type { DataOperation } from '../../../core/ports/engine.ts'
import type { Value } from '../value/value.ts'
import { DataRevision, type DataWatcher } from './tree.ts'

const NOBODY: DataWatcher = { leaving() {}, entered() {}, shifted() {}, changed() {} }

/** @param data the caller's own; it is changed, also when the operations do not fit @throws PatchError */
export function patched(data: Value, operations: readonly DataOperation[]): Value {
  return DataRevision.first('', data, NOBODY).patch(operations, '').root
}
