/** Where the plugin's records lie. */

/** Public keys whose signatures make verifier sets. */
export const ROOTS = 'roots'
/** The newest verifier set, and what may never be forgotten about earlier ones. */
export const SET = 'set'
/** Tasks that a node has taken and that are not over. */
export const usedRecord = (nodeId: string): string => `used/${nodeId}`
/** A task that was signed and not reported yet; its id is that of the decision. */
export const sentRecord = (taskId: string): string => `sent/${taskId}`

/** The key of scope `task` that signs. */
export const TASK_SCOPE = 'task'
export const TASK_KEY = 'task'
/** What it signs, as policies know it. */
export const TASK_PURPOSE = 'task.sign'
