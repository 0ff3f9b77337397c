/** The plugin `announce`: signed messages between kernels, and what is revoked. See README.md. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { callerOf, NO_CALLER } from '../../formats/call/index.ts'
import { bodyProblem, type RevocationKind } from '../../formats/wire/index.ts'
import { type EnrolledOwner, localSigner, NO_CELL } from './cell.ts'
import { announceEffects } from './effects.ts'
import { page, readTail, sweepable } from './journal.ts'
import { delegateKey, EVERYWHERE, ownFeedKey, revokedKey } from './keys.ts'
import { type Payload, type ReadPayload, readPayload } from './payload.ts'
import { Reader } from './reader.ts'
import { NO_SUBJECT, received } from './receive.ts'
import type { DelegateRecord, RevokedRecord } from './records.ts'
import { type AnnounceFacts, actions, announceSchema } from './schema.ts'
import { screen } from './screen.ts'
import { delegationOf, NO_SIGNER } from './signer.ts'

const NO_RECORD: AnnounceFacts['revocation']['record'] = {
  below: 0,
  every_generation: true,
  found: false,
  mortal: false,
  until: 0,
}
const NOTHING: AnnounceFacts = {
  caller: NO_CALLER,
  cell: NO_CELL,
  claimed: { why: '' },
  feed: { as_of: 0, known: false, seen: 0, sequence: 0 },
  journal: { chunks: [] },
  message: { check: 'absent' },
  payload: { check: 'valid' },
  publish: { as: 'none', body: null, send: false },
  revocation: {
    below: 0,
    every_generation: true,
    everywhere: NO_RECORD,
    id: '',
    kind: 'none',
    record: NO_RECORD,
    until: 0,
  },
  set: { after: 0, entries: [], more: false, through: 0 },
  signer: NO_SIGNER,
  subject: NO_SUBJECT,
}

async function facts(
  request: Request,
  read: ReadPorts,
  now: UnixSeconds,
  signal: AbortSignal,
): Promise<AnnounceFacts> {
  signal.throwIfAborted()
  const payload = readPayload(request)
  if ('problem' in payload) return malformed(payload.problem)
  const reader = new Reader(read, signal)
  return { ...NOTHING, ...(await gather(request, payload, reader, now)) }
}

const malformed = (problem: string): AnnounceFacts => ({
  ...NOTHING,
  payload: { check: 'malformed', problem },
})

type Read = Exclude<ReadPayload, { readonly problem: string }>

async function gather(
  request: Request,
  payload: Read,
  reader: Reader,
  now: UnixSeconds,
): Promise<Partial<AnnounceFacts>> {
  const { body } = payload
  switch (request.action) {
    case 'announce.publish':
      return await published(body, reader, now)
    case 'announce.revocations': {
      const { after = 0, cell = '' } = body
      return { cell: await localSigner(cell, reader), set: await page(reader, cell, after) }
    }
    case 'announce.revoke':
      return await revoking(payload, reader, now)
    case 'announce.sweep':
      return { journal: await sweepable(reader) }
    default:
      return await received({ payload: request.payload, text: body.message as string }, reader, now)
  }
}

async function published(
  { as = 'cell', from = '', message, send = false }: Payload,
  reader: Reader,
  now: UnixSeconds,
): Promise<Partial<AnnounceFacts>> {
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return malformed('/message: expected an object')
  if (['from', 'seq', 'time'].some((member) => Object.hasOwn(message, member)))
    return malformed('/message: from, seq and time are not for the caller to say')
  const problem = bodyProblem({ ...message, from, seq: 1, time: now })
  if (problem !== undefined) return malformed(`/message: ${problem}`)
  await readTail(reader, 0)
  const cell = await localSigner(from, reader, { as })
  // Members in one order, whatever the caller's was.
  return { cell, publish: { as, body: JSON.parse(canonicalJson(message)), send } }
}

async function revoking(
  { body, call }: Read,
  reader: Reader,
  now: UnixSeconds,
): Promise<Partial<AnnounceFacts>> {
  const { below, cell = '', id = '', until = 0, why = '' } = body
  const kind = body.kind as RevocationKind
  const ports = {
    cell: (sort: string) => reader.enrolled<EnrolledOwner>(sort) as Promise<never>,
    nonces: (sort: string) => reader.own(sort) as Promise<never>,
    revoked: (sort: string) => reader.own(sort) as Promise<never>,
  }
  const asked = { action: 'announce.revoke', body: body as never }
  const caller = await callerOf(call, asked, ports, now)
  await readTail(reader, 1)
  await reader.own(ownFeedKey(cell))
  const signs = await localSigner(cell, reader, kind === 'key' ? { dying: id } : {})
  const { key } = signs.signer
  const delegate = await reader.own<DelegateRecord>(delegateKey(key))
  return {
    caller,
    cell: signs,
    claimed: { why },
    revocation: {
      below: below ?? 0,
      every_generation: below === undefined,
      everywhere: await foundOf(kind, EVERYWHERE, id, reader),
      id,
      kind,
      record: await foundOf(kind, cell, id, reader),
      until,
    },
    signer: { ...NO_SIGNER, delegation: await delegationOf(delegate, reader), key },
  }
}

async function foundOf(
  kind: RevocationKind,
  reach: string,
  id: string,
  reader: Reader,
): Promise<AnnounceFacts['revocation']['record']> {
  const record = await reader.own<RevokedRecord>(revokedKey(kind, reach, id))
  if (record === undefined) return NO_RECORD
  const { below, until } = record
  return {
    below: below ?? 0,
    every_generation: below === undefined,
    found: true,
    mortal: until !== null,
    until: until ?? 0,
  }
}

export const announce: Plugin<AnnounceFacts> = {
  name: 'announce',
  actions,
  schema: announceSchema,
  reads: ['enrolment'],
  effects: announceEffects,
  facts,
  screen,
}
