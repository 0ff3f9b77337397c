import { functionUrlSubject, lambdaSubject } from '../../../test/conformance/transport/lambda.ts'
import { transportConformance } from '../../../test/conformance/transport.ts'

transportConformance(lambdaSubject)
transportConformance(functionUrlSubject)
