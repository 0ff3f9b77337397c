/** Facts about a message that came: who signed it, what it says, and what is known already of that of which it speaks. */
import { importKey, keyIsRevoked } from '../../formats/call/index.ts'
import type { Body, Revocation } from '../../formats/wire/index.ts'
import { localSigner } from './cell.ts'
import { readTail } from './journal.ts'
import {
  announcedKey,
  delegateKey,
  EVERYWHERE,
  FIRST_USE,
  feedKey,
  revokedKey,
  signerKey,
} from './keys.ts'
import { type Brought, openMessage } from './message.ts'
import type { Reader } from './reader.ts'
import type { DelegateRecord, FeedRecord, SignerRecord } from './records.ts'
import type { AnnounceFacts } from './schema.ts'
import { delegationOf, NO_SIGNER } from './signer.ts'

export const NO_SUBJECT: AnnounceFacts['subject'] = {
  check: 'absent',
  delegation: NO_SIGNER.delegation,
  scope: '',
}

/** @param now Unix seconds */
export async function received(
  brought: Brought,
  reader: Reader,
  now: number,
): Promise<Partial<AnnounceFacts>> {
  const { body, check, signer } = await openMessage(brought, reader)
  if (body === undefined) return { message: { check }, signer }
  const last = await reader.own<SignerRecord>(signerKey(signer.key))
  const cell = signer.cell.name === '' ? undefined : signer.cell.name
  const revoked = await keyIsRevoked((sort) => reader.own(sort), signer.key, cell, now)
  // Written by whoever is believed at first use.
  if (signer.first_use) await reader.own(FIRST_USE)
  return {
    ...(await concerning(body, reader)),
    message: { check, ...body },
    signer: {
      ...signer,
      key_revoked: revoked,
      last: { sequence: last?.sequence ?? 0, time: last?.time ?? 0 },
    },
  }
}

async function concerning(body: Body, reader: Reader): Promise<Partial<AnnounceFacts>> {
  switch (body.type) {
    case 'ANNOUNCE':
    case 'WITHDRAW':
      await reader.own(announcedKey(body.cell, body.service))
      return { cell: await localSigner(body.cell, reader) }
    case 'DELEGATE':
    case 'UNDELEGATE':
      return { subject: await subjectOf(body.key, reader) }
    default:
      await readEntries(body, reader)
      return { cell: await localSigner(body.cell, reader), feed: await feedOf(body.cell, reader) }
  }
}

/** What an accepted message may write, whoever signed it. */
async function readEntries(
  { cell, entries }: { readonly cell: string; readonly entries: readonly Revocation[] },
  reader: Reader,
): Promise<void> {
  for (const { id, kind } of entries) {
    await reader.own(revokedKey(kind, cell, id))
    if (kind === 'key' || kind === 'tenant') await reader.own(revokedKey(kind, EVERYWHERE, id))
  }
  await readTail(reader, entries.length)
}

async function feedOf(cell: string, reader: Reader): Promise<AnnounceFacts['feed']> {
  const feed = await reader.own<FeedRecord>(feedKey(cell))
  return {
    as_of: feed?.as_of ?? 0,
    known: feed !== undefined,
    seen: feed?.seen ?? 0,
    sequence: feed?.sequence ?? 0,
  }
}

async function subjectOf(key: string, reader: Reader): Promise<AnnounceFacts['subject']> {
  const record = await reader.own<DelegateRecord>(delegateKey(key))
  const enrolled = await reader.enrolled<{ readonly scope: string }>(`key/${key}`)
  return {
    check: typeof importKey(key) === 'string' ? 'weak_key' : 'valid',
    delegation: await delegationOf(record, reader),
    scope: enrolled?.scope ?? '',
  }
}
