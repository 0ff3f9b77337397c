/** The types of tasks that come with the package. A node lists those that it accepts, and may add its own with {@link taskType}. */
import { schema } from '../../core/schema.ts'
import { type TaskType, taskType } from './task.ts'

const { object, string } = schema

export interface InstallPackage {
  readonly name: string
  /** Of what is installed, so that a node installs nothing else: `sha256:` and 64 hex digits. */
  readonly digest: string
}
export const installPackage: TaskType<InstallPackage> = taskType(
  'node.install-package',
  1,
  object({
    name: string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/ }),
    digest: string({ maxLength: 71, pattern: /^sha256:[0-9a-f]{64}$/ }),
  }),
)

/** What comes with the package. */
export const TASK_TYPES: readonly TaskType[] = [installPackage]
