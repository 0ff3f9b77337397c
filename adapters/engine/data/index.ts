/** The data of a policy, by revision. */
export { PatchError } from './change.ts'
export { DataRevision, type DataWatcher } from './tree.ts'
