/** What breaks on a node. What is wrong with a set or a task is a reason, not an error. */
import { KernelError } from '../core/error.ts'

/**
 * `corrupt`: a state file is not what the agent writes; bootstrap the node again. `unavailable`: the folder cannot be read or written; nothing was
 * accepted. `misconfigured`: an option is not what it has to be.
 */
export type NodeAgentErrorCode = 'corrupt' | 'misconfigured' | 'unavailable'
export class NodeAgentError extends KernelError<NodeAgentErrorCode> {}
