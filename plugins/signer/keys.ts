/** Where the plugin's records lie. Other plugins read the first (formats/signingkey); nobody else writes any. */
export { managedKey } from '../../formats/signingkey/index.ts'

/** The newest verifier set of a key. */
export const setRecord = (scope: string, name: string): string => `set/${scope}/${name}`

/** Who verifies what a key of this scope signs. */
export const verifiersOf = (scope: string): string => `verifier/${scope}/`
export const verifierRecord = (scope: string, name: string, verifier: string): string =>
  `${verifiersOf(scope)}${name}/${verifier}`

/** Which version a public key is: it is no other one, for ever. */
export const publicKeyRecord = (publicKey: string): string => `public/${publicKey}`

/** Who has approved one request so far. @param digest of the action and the body, hex */
export const approvalRecord = (digest: string): string => `approval/${digest}`

/** Values on their way, each named after the decision that let it go. */
export const DELIVERIES = 'delivery/'
export const deliveryRecord = (decision: string): string => `${DELIVERIES}${decision}`

/** The keys that sign verifier sets have this scope. */
export const ROOT_SCOPE = 'bootstrap'

/** Both keep a record of each public key that they know, under this name. */
export const ELSEWHERE: readonly string[] = ['enrolment', 'release']
export const elsewhereRecord = (publicKey: string): string => `key/${publicKey}`
