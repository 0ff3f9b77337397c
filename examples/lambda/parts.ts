/** What the function is made of. Only what is named here gets into its package. */
import { createHash } from 'node:crypto'
import {
  access,
  createLambdaHandler,
  dynamodb,
  identifyBy,
  kms,
  type LambdaFunction,
  type PackagedPolicies,
} from 'assay/lambda'

/** Set by the template; the endpoints only where AWS itself is not meant. */
const { ASSAY_ORIGIN = 'log.example.com/lambda', ASSAY_TABLE = 'assay' } = process.env
const { ASSAY_DYNAMODB, ASSAY_KMS, ASSAY_PREFIX: prefix = 'assay' } = process.env
const { AWS_REGION: region = 'eu-central-1' } = process.env

const ROUTES = [
  {
    methods: ['GET'],
    path: '/notes/{id}',
    action: 'read',
    resource: { type: 'note', id: '{id}' },
  },
  {
    methods: ['PUT'],
    path: '/notes/{id}',
    action: 'write',
    resource: { type: 'note', id: '{id}' },
  },
]

/** Of the example. A real one names its issuer: `{ kind: 'jwt', issuer, audience, jwks }`. */
const token = (name: string) => ({
  sha256: createHash('sha256').update(`a-long-example-token-of-${name}`).digest('hex'),
  peer: { kind: 'user', id: name },
})

export function createFunction(policies: PackagedPolicies): LambdaFunction {
  return createLambdaHandler({
    origin: ASSAY_ORIGIN,
    store: dynamodb({
      table: ASSAY_TABLE,
      region,
      prefix,
      ...(ASSAY_DYNAMODB === undefined ? {} : { endpoint: ASSAY_DYNAMODB }),
    }),
    custody: kms({ region, prefix, ...(ASSAY_KMS === undefined ? {} : { endpoint: ASSAY_KMS }) }),
    plugins: [access],
    policies,
    authorizer: {
      routes: ROUTES,
      identify: identifyBy({ kind: 'bearer', tokens: ['ada', 'ben', 'eve'].map(token) }),
    },
    direct: {},
  })
}
