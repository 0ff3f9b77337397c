/** The file custody as a subject: of its own conformance test, and what the mutants are made of. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileCustody } from '../../../adapters/custody/file/index.ts'
import { type CustodySubject, type OpenedCustody, SCOPES } from './subject.ts'

async function open(): Promise<OpenedCustody> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-keys-'))
  const again = () => openFileCustody({ dir: join(folder, 'keys'), scopes: SCOPES })
  let custody = await again()
  const opened: OpenedCustody = {
    get custody() {
      return custody
    },
    async reopen() {
      await custody.close()
      custody = await again()
      return opened
    },
    async dispose() {
      await custody.close()
      rmSync(folder, { recursive: true })
    },
  }
  return opened
}

export const fileSubject: CustodySubject = { name: 'custody/file', open }
