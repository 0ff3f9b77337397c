import { registerLaws } from '../../test/conformance/laws.ts'
import { opaSubject } from '../../test/conformance/opa-subject.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'

registerLaws('plugin', pluginLaws, opaSubject)
