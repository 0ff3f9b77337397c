/** The custody by scope as a subject: `log` in one folder, `witness` in another. */
import { openScopedCustody } from '../../../adapters/custody/scoped/index.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import { fileSubject, openFolder } from './file.ts'
import type { CustodySubject, OpenedCustody } from './subject.ts'

const join = (log: Custody, witness: Custody): Custody =>
  openScopedCustody([
    { scopes: ['log'], custody: log },
    { scopes: ['witness'], custody: witness },
  ])

async function open(): Promise<OpenedCustody> {
  const parts = [await openFolder(), await openFolder()] as const
  let custody = join(parts[0].custody, parts[1].custody)
  const opened: OpenedCustody = {
    get custody() {
      return custody
    },
    async reopen() {
      for (const part of parts) await part.reopen()
      custody = join(parts[0].custody, parts[1].custody)
      return opened
    },
    another: async () => join(await parts[0].another(), await parts[1].another()),
    async stall() {
      const answers = [await parts[0].stall(), await parts[1].stall()]
      return async () => {
        for (const answer of answers) await answer()
      }
    },
    async dispose() {
      for (const part of parts) await part.dispose()
    },
  }
  return opened
}

export const scopedSubject: CustodySubject = {
  name: 'custody/scoped',
  algorithms: fileSubject.algorithms,
  open,
}
