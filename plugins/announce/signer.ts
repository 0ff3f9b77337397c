/** Whose key signed a message, by what is pinned and enrolled here. Nothing of the message but its key is looked at. */
import { toBase64url } from '../../core/crypto.ts'
import { delegateKey, FIRST_USE } from './keys.ts'
import type { Reader } from './reader.ts'
import type { DelegateRecord } from './records.ts'
import type { AnnounceFacts } from './schema.ts'

type Signer = AnnounceFacts['signer']

/** As the plugin `enrolment` keeps them; other members do not matter here. */
interface EnrolledKey {
  readonly owner: string
  readonly scope: string
  readonly state: Signer['controller']
}
interface EnrolledController {
  readonly keys: readonly { readonly public_key: string; readonly state: Signer['controller'] }[]
}

export const NO_SIGNER: Signer = {
  cell: { name: '', state: 'none' },
  controller: 'none',
  delegation: {
    by: 'none',
    cells: [],
    every_cell: false,
    expires: 0,
    found: false,
    not_before: 0,
    revoked: false,
    types: [],
  },
  first_use: false,
  key: '',
  key_revoked: false,
  last: { sequence: 0, time: 0 },
  scope: '',
}

/** Pins and enrolments of this key; what it last said is read after its signature holds. */
export async function findSigner(publicKey: Uint8Array, reader: Reader): Promise<Signer> {
  const key = toBase64url(publicKey)
  const controller = await controllers(reader)
  const delegate = await reader.own<DelegateRecord>(delegateKey(key))
  const enrolled = await reader.enrolled<EnrolledKey>(`key/${key}`)
  return {
    ...NO_SIGNER,
    cell:
      enrolled?.scope === 'cell' ? { name: enrolled.owner, state: enrolled.state } : NO_SIGNER.cell,
    controller: stateIn(controller, key),
    delegation: await delegationOf(delegate, reader),
    first_use: controller.length === 0,
    key,
    scope: enrolled?.scope ?? '',
  }
}

type Controllers = EnrolledController['keys']

/** The pinned keys; where there is none, the one that was believed at first use. */
async function controllers(reader: Reader): Promise<Controllers> {
  const pinned = (await reader.enrolled<EnrolledController>('controller'))?.keys ?? []
  if (pinned.length > 0) return pinned
  const first = await reader.own<{ readonly public_key: string }>(FIRST_USE)
  return first === undefined ? [] : [{ public_key: first.public_key, state: 'active' }]
}

const stateIn = (keys: Controllers, key: string | undefined): Signer['controller'] =>
  keys.find(({ public_key }) => public_key === key)?.state ?? 'none'

/** Nobody pinned it, delegated to it, or enrolled it as a cell's. */
export function isUnknown({ cell, controller, delegation }: Signer): boolean {
  return controller === 'none' && !delegation.found && cell.state === 'none'
}

export async function delegationOf(
  record: DelegateRecord | undefined,
  reader: Reader,
): Promise<Signer['delegation']> {
  if (record === undefined) return NO_SIGNER.delegation
  const { by, cells, expires, not_before, revoked, types } = record
  return {
    by: stateIn(await controllers(reader), by),
    cells: cells ?? [],
    every_cell: cells === undefined,
    expires,
    found: true,
    not_before,
    revoked,
    types,
  }
}
