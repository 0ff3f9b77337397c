import { registerLaws } from '../../test/conformance/laws.ts'
import { leaseSubject } from '../../test/conformance/lease-subject.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'

registerLaws('plugin', pluginLaws, leaseSubject)
