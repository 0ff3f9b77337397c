import { pkcs11Subject } from '../../../test/conformance/custody/pkcs11.ts'
import { custodyConformance } from '../../../test/conformance/custody.ts'

custodyConformance(pkcs11Subject)
