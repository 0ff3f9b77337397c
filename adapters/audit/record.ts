/** One decision with its openings cut to what was granted. */
import type { DecisionLeaf } from '../../core/log/leaves.ts'
import { covers, isInScope, type OpeningScope } from '../../core/log/query.ts'
import type { Opening } from '../../core/log/receipt.ts'
import type { AuditedRecord } from '../../core/ports/audit.ts'
import type { Found } from '../../core/receipts.ts'

export interface Cut {
  /** Fields that are asked for: names, `facts.*`, `*`. */
  readonly fields: readonly string[]
  /** What may be opened. */
  readonly open: readonly OpeningScope[]
}

/** The receipt stays verifiable: each commitment has a salt of its own, so one opening needs no other. */
export function cut(
  { index, leaf: text, stored }: Pick<Found, 'index' | 'leaf' | 'stored'>,
  proof: string,
  { fields, open }: Cut,
): AuditedRecord {
  const leaf = JSON.parse(text) as DecisionLeaf
  const openings: { [field: string]: Opening } = {}
  const withheld: string[] = []
  for (const [field, opening] of Object.entries(stored.openings ?? {})) {
    if (!covers(fields, field)) continue
    if (isInScope(open, leaf, field)) openings[field] = opening
    else withheld.push(field)
  }
  const opened = Object.keys(openings).length > 0
  return {
    id: leaf.id,
    index: index.toString(),
    erased: stored.openings === undefined,
    withheld,
    receipt: { type: 'assay.receipt/v1', leaf: text, ...(opened ? { openings } : {}), proof },
  }
}
