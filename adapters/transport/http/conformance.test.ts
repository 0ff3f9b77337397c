import { httpSubject, tokenSubject } from '../../../test/conformance/transport/http.ts'
import { transportConformance } from '../../../test/conformance/transport.ts'

transportConformance(httpSubject)
transportConformance(tokenSubject)
