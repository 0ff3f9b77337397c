/** Node tasks and the sets of keys that may sign them. */
export {
  describeSet,
  type KnownSets,
  knownSetsSchema,
  MAX_REMEMBERED,
  type Newness,
  remember,
  type SetDescription,
} from './known.ts'
export {
  keyIdOf,
  MAX_VERIFIER_KEYS,
  MAX_VERIFIER_SET_BYTES,
  readVerifierSet,
  VERIFIER_SET_PAYLOAD_TYPE,
  VERIFIER_SET_SCOPE,
  type VerifierAlgorithm,
  type VerifierKey,
  type VerifierSet,
  type VerifierState,
  verifierKeySchema,
  verifierSetPayload,
  verifierSetSchema,
  verifyKeyOf,
} from './set.ts'
export {
  MAX_TASK_BYTES,
  type ReadTask,
  readTask,
  TASK_PAYLOAD_TYPE,
  type Task,
  type TaskType,
  taskNameSchema,
  taskPayload,
  taskType,
} from './task.ts'
export { type InstallPackage, installPackage, TASK_TYPES } from './types.ts'
