import { registerLaws } from '../../test/conformance/laws.ts'
import { pluginLaws } from '../../test/conformance/plugin.ts'
import { signerSubject } from '../../test/conformance/signer-subject.ts'

registerLaws('plugin', pluginLaws, signerSubject)
