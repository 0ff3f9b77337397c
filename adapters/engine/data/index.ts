/** The data of a policy, by revision. */
export { PatchError } from './change.ts'
export { patched } from './patched.ts'
export { DataRevision, type DataWatcher } from './tree.ts'
