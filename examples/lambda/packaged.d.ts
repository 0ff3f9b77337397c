/** What `build.ts` puts in their place. */
declare module 'packaged/policies.json' {
  import type { PackagedPolicies } from 'assay/lambda'

  const policies: PackagedPolicies['policies']
  export default policies
}
declare module 'packaged/policies.mjs' {
  const made: unknown
  export default made
}
