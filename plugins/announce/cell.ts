/** The key with which this kernel signs for a cell or for the controller, as they are enrolled. */
import type { Reader } from './reader.ts'
import type { AnnounceFacts, KeyState } from './schema.ts'

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

export async function localSigner(
  name: string,
  reader: Reader,
  as: 'cell' | 'controller' = 'cell',
): Promise<Cell> {
  const sort = as === 'cell' ? `cell/${name}` : 'controller'
  const owner = await reader.enrolled<EnrolledOwner>(sort)
  if (owner === undefined) return { ...NO_CELL, name }
  const held = owner.keys.find(({ custody, state }) => state === 'active' && custody !== undefined)
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
