import { kmsSubject, useAccount } from '../../../test/conformance/custody/kms.ts'
import { custodyConformance } from '../../../test/conformance/custody.ts'

useAccount()
custodyConformance(kmsSubject)
