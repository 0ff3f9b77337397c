/** The laws of the Custody port, and how an adapter says that it keeps them. */
import { makingLaws } from './custody/making.ts'
import { secrecyLaws } from './custody/secrecy.ts'
import { sharingLaws } from './custody/sharing.ts'
import { signingLaws } from './custody/signing.ts'
import { stateLaws } from './custody/states.ts'
import type { CustodySubject } from './custody/subject.ts'
import { type Law, registerLaws } from './laws.ts'

export type { CustodySubject, OpenedCustody } from './custody/subject.ts'

export const custodyLaws: readonly Law<CustodySubject>[] = [
  ...makingLaws,
  ...stateLaws,
  ...signingLaws,
  ...sharingLaws,
  ...secrecyLaws,
]

export function custodyConformance(subject: CustodySubject): void {
  registerLaws('custody', custodyLaws, subject)
}
