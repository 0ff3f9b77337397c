import { registerLaws } from '../../test/conformance/laws.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'
import { taskSubject } from '../../test/conformance/task-subject.ts'

registerLaws('plugin', pluginLaws, taskSubject)
