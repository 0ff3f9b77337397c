import { registerLaws } from '../../test/conformance/laws.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'
import { releaseSubject } from '../../test/conformance/release-subject.ts'

registerLaws('plugin', pluginLaws, releaseSubject)
