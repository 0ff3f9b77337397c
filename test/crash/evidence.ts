/** What the server has to show for itself: leaves and records as they lie on disk, and the receipts that follow from them. */
import { join } from 'node:path'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { parseAnchor, type TrustAnchor } from '../../core/log/anchor.ts'
import { publishedHead } from '../../core/log/reader.ts'
import { type Receipt, verifyReceipt } from '../../core/log/receipt.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { findDecision, receiptUnder } from '../../core/receipts.ts'
import type { Evidence, StoredRecord } from './audit.ts'

const PAGE = 256
const decoder = new TextDecoder('utf-8', { fatal: true })

export async function gather(
  url: string,
  data: string,
  trust: string,
): Promise<Omit<Evidence, 'heads' | 'ledger'>> {
  const { log, store } = await openSqlite({ path: join(data, 'assay.db'), readOnly: true })
  try {
    const leaves: string[] = []
    for (const size = Number(await log.size()); leaves.length < size; ) {
      const page = await log.leaves(BigInt(leaves.length), PAGE)
      leaves.push(...page.map((leaf) => decoder.decode(leaf)))
    }
    const records: StoredRecord[] = []
    for await (const { value } of store.list('access', ''))
      records.push(JSON.parse(decoder.decode(value)))
    const receipts = await makeReceipts(url, { log, store }, leaves)
    return { leaves, records, receipts, invalidReceipts: invalid(receipts, parseAnchor(trust)) }
  } finally {
    await store.close()
  }
}

function invalid(receipts: ReadonlyMap<string, Receipt>, anchor: TrustAnchor): readonly string[] {
  return [...receipts].flatMap(([id, receipt]) => (verifyReceipt(receipt, anchor).ok ? [] : [id]))
}

/** As `assay receipt` makes them, under the head that the server shows. Asked for over HTTP, each would be a decision in the log. */
async function makeReceipts(
  url: string,
  { log, store }: { readonly log: LogStore; readonly store: Store },
  leaves: readonly string[],
): Promise<ReadonlyMap<string, Receipt>> {
  const receipts = new Map<string, Receipt>()
  const response = await fetch(`${url}/log/checkpoint`)
  const note = new Uint8Array(await response.arrayBuffer())
  const head = await publishedHead({ checkpoint: async () => note })
  if (!head) return receipts
  for (const [i, leaf] of leaves.entries()) {
    const { id } = JSON.parse(leaf) as { readonly id?: string }
    if (id === undefined || BigInt(i) >= head.size) continue
    const found = await findDecision(store, log, id)
    if (found) receipts.set(id, await receiptUnder(log, found, head))
  }
  return receipts
}
