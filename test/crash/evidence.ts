/** What the server has to show for itself: leaves and records as they lie on disk, and the receipts that it hands out. */
import { join } from 'node:path'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { parseAnchor, type TrustAnchor } from '../../core/log/anchor.ts'
import { type Receipt, verifyReceipt } from '../../core/log/receipt.ts'
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
    const receipts = await fetchReceipts(url, leaves)
    return { leaves, records, receipts, invalidReceipts: invalid(receipts, parseAnchor(trust)) }
  } finally {
    await store.close()
  }
}

function invalid(receipts: ReadonlyMap<string, Receipt>, anchor: TrustAnchor): readonly string[] {
  return [...receipts].flatMap(([id, receipt]) => (verifyReceipt(receipt, anchor).ok ? [] : [id]))
}

async function fetchReceipts(
  url: string,
  leaves: readonly string[],
): Promise<ReadonlyMap<string, Receipt>> {
  const ids: string[] = leaves.flatMap((leaf) => JSON.parse(leaf).id ?? [])
  const receipts = new Map<string, Receipt>()
  const work = async (): Promise<void> => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      const response = await fetch(`${url}/assay/v1/receipts/${id}`)
      if (response.status === 200) receipts.set(id, (await response.json()) as Receipt)
      else await response.body?.cancel()
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return receipts
}
