import { vaultSubject } from '../../../test/conformance/custody/vault.ts'
import { custodyConformance } from '../../../test/conformance/custody.ts'

custodyConformance(vaultSubject)
