/** A folder of policy sources: read it, or be told when it changes. */
export { loadCases, loadFolder } from './reading.ts'
export { type FolderWatch, type WatchOptions, watchFolder } from './watch.ts'
