/** Where the plugin's records lie. Other plugins read `revoked/...` and `feed/...`; nobody else writes any of them. */
import type { RevocationKind } from '../../formats/wire/index.ts'

/** What is revoked, whoever said so. */
export const revokedKey = (kind: RevocationKind, id: string): string => `revoked/${kind}/${id}`
/** What is known of another cell's revocations. */
export const feedKey = (cell: string): string => `feed/${cell}`
/** The last message accepted from a key. */
export const signerKey = (publicKey: string): string => `signer/${publicKey}`
export const delegateKey = (publicKey: string): string => `delegate/${publicKey}`
export const announcedKey = (cell: string, service: string): string =>
  `announced/${cell}/${service}`
/** The controller's key where nobody pinned one and the policy believes the first. */
export const FIRST_USE = 'tofu'
/** The number of the last message made here, or revocation written here. */
export const OWN = 'own'
/** The number of the last revocation of a cell whose key is here. */
export const ownFeedKey = (cell: string): string => `own/${cell}`

/** Numbers whose revocations share one record of the journal. */
export const CHUNK = 64
export const chunkOf = (sequence: number): number => Math.floor(sequence / CHUNK)
export const journalKey = (chunk: number): string => `journal/${chunk}`
