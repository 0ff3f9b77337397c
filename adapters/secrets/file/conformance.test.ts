import { fileSecrets } from '../../../test/conformance/secrets/file.ts'
import { secretsConformance } from '../../../test/conformance/secrets.ts'

secretsConformance(fileSecrets)
