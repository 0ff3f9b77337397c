import { embeddedSubject } from '../../../test/conformance/transport/embedded.ts'
import { transportConformance } from '../../../test/conformance/transport.ts'

transportConformance(embeddedSubject)
