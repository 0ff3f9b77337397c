/** `assay/node-agent`: what runs on a node. It needs Node.js 20 or later and no configuration, no network and no clock. */

export { schema } from '../core/schema.ts'
export { type EnvelopeJson, signedEnvelope } from '../formats/dsse/index.ts'
export {
  type InstallPackage,
  installPackage,
  type Task,
  type TaskType,
  taskType,
} from '../formats/task/index.ts'
export {
  createToken,
  type EnrolmentToken,
  readToken,
  tokenHash,
  tokenText,
} from '../formats/trust/index.ts'
export {
  type NodeAgent,
  type NodeAgentOptions,
  openNodeAgent,
  type SetAnswer,
  type TaskAnswer,
} from './agent.ts'
export { NodeAgentError, type NodeAgentErrorCode } from './error.ts'
export { SET_REASONS, type SetReason } from './set-rule.ts'
export { MAX_CLOCK_AHEAD, MAX_TTL, TASK_REASONS, type TaskReason } from './task-rule.ts'
export {
  type HttpsCa,
  type NodeCa,
  type NodeTrust,
  openNodeTrust,
  TRUST_REASONS,
  type TrustAnswer,
  type TrustReason,
  type VerifierRoots,
} from './trust.ts'
