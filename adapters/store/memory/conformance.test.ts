import { memorySubject } from '../../../test/conformance/store/memory.ts'
import { storeConformance } from '../../../test/conformance/store.ts'

storeConformance(memorySubject)
