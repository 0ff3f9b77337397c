import { scopedSubject } from '../../../test/conformance/custody/scoped.ts'
import { custodyConformance } from '../../../test/conformance/custody.ts'

custodyConformance(scopedSubject)
