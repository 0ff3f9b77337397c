import { dynamoSubject } from '../../../test/conformance/store/dynamodb.ts'
import { storeConformance } from '../../../test/conformance/store.ts'

storeConformance(dynamoSubject)
