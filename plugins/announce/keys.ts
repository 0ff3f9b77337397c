/** Where the plugin's records lie. Other plugins read `revoked/...` and `feed/...`; nobody else writes any of them. */
import type { RevocationKind } from '../../formats/wire/index.ts'

/** Where a cell's name stands otherwise: at every cell. Names have no such character. */
export const EVERYWHERE = '*'
/**
 * What is revoked. @param reach the cell whose tokens that concerns, or {@link EVERYWHERE}: whoever may speak for one cell writes no record
 * that counts for another
 */
export const revokedKey = (kind: RevocationKind, reach: string, id: string): string =>
  `revoked/${kind}/${reach}/${id}`
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
