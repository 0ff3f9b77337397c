import { encryptedSubject, fileSubject } from '../../../test/conformance/custody/file.ts'
import { custodyConformance } from '../../../test/conformance/custody.ts'

custodyConformance(fileSubject)
custodyConformance(encryptedSubject)
