/** The decisions of a log in order, without reading those that nobody asks for: a hundred thousand leaves are looked through in a second. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeLeaf } from '../../core/log/leaf.ts'
import type { DecisionLeaf, KeyLeaf } from '../../core/log/leaves.ts'
import type { LogStore } from '../../core/ports/logstore.ts'

/** A decision's leaf, where it lies. */
export interface Logged {
  readonly index: bigint
  /** As it was hashed. */
  readonly text: string
  readonly leaf: DecisionLeaf
}

export interface ScanOptions {
  /** Included; default 0. */
  readonly from?: bigint
  /** Not included; default: all that there are. */
  readonly to?: bigint
}

/**
 * Decisions whose action is asked for. Whether the log is what it says is another question: `fsck`, or a proof of each.
 *
 * @throws LogError `malformed`: a leaf that is asked for is none
 */
export async function* decisionsIn(
  log: LogStore,
  wanted: (action: string) => boolean,
  options: ScanOptions = {},
): AsyncGenerator<Logged> {
  for await (const { index, text } of leafTexts(log, options)) {
    const action = actionOf(text)
    if (action === undefined || !wanted(action)) continue
    const leaf = decodeLeaf(text)
    if (leaf.type === 'assay.decision/v1') yield { index, text, leaf }
  }
}

/** Every leaf that says that the log's key was replaced, in order. */
export async function rotationsIn(log: LogStore): Promise<readonly KeyLeaf[]> {
  const found: KeyLeaf[] = []
  for await (const { text } of leafTexts(log, {})) {
    if (!text.startsWith(KEY_LEAF)) continue
    const leaf = decodeLeaf(text)
    if (leaf.type === 'assay.key/v1') found.push(leaf)
  }
  return found
}

const AT_ONCE = 256

async function* leafTexts(
  log: LogStore,
  { from = 0n, to }: ScanOptions,
): AsyncGenerator<{ readonly index: bigint; readonly text: string }> {
  const end = to ?? (await log.size())
  for (let at = from; at < end; ) {
    const rest = end - at
    const count = rest < AT_ONCE ? Number(rest) : AT_ONCE
    for (const bytes of await log.leaves(at, count))
      yield { index: at++, text: decoder.decode(bytes) }
    // A server may be deciding in this very process.
    await nextTurn()
  }
}
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Members of canonical JSON are sorted: only a decision begins with its action, and only a change of keys with its last size. */
const DECISION = '{"action":"'
const KEY_LEAF = '{"lastTrustedSize":"'

function actionOf(text: string): string | undefined {
  if (!text.startsWith(DECISION)) return undefined
  return text.slice(DECISION.length, text.indexOf('"', DECISION.length))
}
