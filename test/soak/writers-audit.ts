/** What many writers left in one table, against what they were told and what they saw. */
import { systemClock } from '../../adapters/clock/system.ts'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openDynamo } from '../../adapters/store/dynamodb/index.ts'
import { sameBytes } from '../../core/crypto.ts'
import { type TrustAnchor, verifyHead } from '../../core/log/anchor.ts'
import { fsck } from '../../core/log/fsck.ts'
import { leafHash } from '../../core/log/leaf.ts'
import { formatVkey } from '../../core/log/note.ts'
import { rootAt } from '../../core/log/proof.ts'
import { logReader, publishedHead } from '../../core/log/reader.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import { Sealer } from '../../core/seal.ts'
import { ORIGIN } from '../kernel/kit.ts'
import type { Load, Told } from './writers.ts'

/** What is wrong; nothing, if all is well. Leaves whose writer died before they had a place get one first. */
export async function audit({ keys, place }: Load, told: Told): Promise<readonly string[]> {
  const custody = await openFileCustody({ dir: keys })
  const { log, store } = await openDynamo({ ...place, clock: systemClock })
  try {
    const [key] = await custody.list('log')
    if (key === undefined) return ['the key of the log is gone']
    while ((await log.integrate()).pending > 0);
    const signing = { origin: ORIGIN, log, custody, key, timeoutMs: 5000, clock: systemClock }
    await (await Sealer.open(signing)).close()
    const keysOfLog = [{ vkey: formatVkey(ORIGIN, key.publicKey), from: '0' }]
    const anchor = { type: 'assay.trust/v1', origin: ORIGIN, keys: keysOfLog } as const
    return [
      ...(await heads(log, told, anchor)),
      ...(await sound(log, anchor)),
      ...(await once(log, told)),
    ]
  } finally {
    await store.close()
    await log.close()
    await custody.close()
  }
}

/** Two heads that do not belong to one history cannot both belong to this one. */
async function heads(log: LogStore, told: Told, anchor: TrustAnchor): Promise<readonly string[]> {
  const problems: string[] = []
  for (const text of told.heads) {
    const { root, size } = verifyHead(new TextEncoder().encode(text), anchor)
    if (size > (await log.size())) problems.push(`a head of ${size} leaves was lost`)
    else if (!sameBytes(await rootAt(log, size), root)) problems.push(`a fork at size ${size}`)
  }
  return problems
}

async function sound(log: LogStore, anchor: TrustAnchor): Promise<readonly string[]> {
  const head = await publishedHead(log)
  if (head?.size !== (await log.size())) return ['the last head is not over all leaves']
  const reader = logReader(log, () => head)
  const { problems } = await fsck(reader, anchor)
  return problems.map(({ code, detail, where }) => `fsck: ${where}: ${code}: ${detail}`)
}

async function once(log: LogStore, { acknowledged, repeated }: Told): Promise<readonly string[]> {
  const places = new Map<string, number>()
  const problems = repeated.map((id) => `${id} was acknowledged twice`)
  const size = await log.size()
  for (let from = 0n; from < size; from += 256n)
    for (const [i, leaf] of (await log.leaves(from, 256)).entries()) {
      const { id } = JSON.parse(new TextDecoder().decode(leaf)) as { readonly id?: string }
      if (id !== undefined) places.set(id, (places.get(id) ?? 0) + 1)
      // Each sixteenth: the index is asked one by one.
      if (i % 16 === 0 && (await log.indexOf(leafHash(leaf))) !== from + BigInt(i))
        problems.push(`the index does not know leaf ${from + BigInt(i)}`)
    }
  for (const id of acknowledged.keys())
    if (places.get(id) !== 1) problems.push(`${id} is in the log ${places.get(id) ?? 0} times`)
  return problems
}
