/** The key with which this kernel signs for a cell or for the controller, as they are enrolled. */
import type { KeyState } from './checks.ts'
import type { Reader } from './reader.ts'
import type { AnnounceFacts } from './schema.ts'

/** As the plugin `enrolment` keeps `cell/CELL` and `controller`; other members do not matter here. */
export interface EnrolledOwner {
  readonly keys: readonly {
    /** The private half's name in this kernel's custody, where it is there. */
    readonly custody?: string
    readonly public_key: string
    readonly state: KeyState
  }[]
  readonly local?: boolean
}
type Cell = AnnounceFacts['cell']

export const NO_CELL: Cell = {
  known: false,
  local: false,
  name: '',
  signer: { custody: '', held: false, key: '' },
}

/** @param dying a public key that is to be revoked: it signs that itself, in any state, since others may know no other key of the cell */
export async function localSigner(
  name: string,
  reader: Reader,
  { as = 'cell', dying }: { readonly as?: 'cell' | 'controller'; readonly dying?: string } = {},
): Promise<Cell> {
  const sort = as === 'cell' ? `cell/${name}` : 'controller'
  const owner = await reader.enrolled<EnrolledOwner>(sort)
  if (owner === undefined) return { ...NO_CELL, name }
  const here = owner.keys.filter(({ custody }) => custody !== undefined)
  const held =
    here.find(({ public_key }) => public_key === dying) ??
    here.find(({ state }) => state === 'active')
  return {
    known: true,
    local: owner.local ?? held !== undefined,
    name,
    signer: {
      custody: held?.custody ?? '',
      held: held !== undefined,
      key: held?.public_key ?? '',
    },
  }
}
