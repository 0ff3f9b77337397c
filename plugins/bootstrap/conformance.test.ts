import { bootstrapSubject } from '../../test/conformance/bootstrap-subject.ts'
import { registerLaws } from '../../test/conformance/laws.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'

registerLaws('plugin', pluginLaws, bootstrapSubject)
