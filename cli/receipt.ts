/** `assay receipt`: the proof of a decision, from the data folder, beside a running server or without one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Adapters, type Config, type StorePair } from '../adapters/compose.ts'
import { sealLog } from '../adapters/compose-log.ts'
import { NoDecision, StoreError } from '../core/error.ts'
import { publishedHead } from '../core/log/reader.ts'
import { formatReceipt, type Receipt } from '../core/log/receipt.ts'
import { type Found, findDecision, receiptUnder } from '../core/receipts.ts'
import { configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, UsageError } from './out.ts'

export async function receipt(options: PlaceOptions, out: Out, id: string): Promise<ExitCode> {
  const config = await configured(options)
  const adapters = new Adapters(config, { readOnly: true })
  try {
    const receipt = await receiptOf(config, await adapters.get('store'), id)
    if (receipt === undefined)
      throw new UsageError('not_found', `no decision ${id} is in the log of ${config.data}`)
    out.answer(receipt, formatReceipt(receipt))
    return 0
  } finally {
    await adapters.close()
  }
}

/**
 * Undefined where no decision has this id.
 *
 * @throws UsageError: that is no id; NoDecision `unavailable`: a server is running and has not sealed it yet
 */
export async function receiptOf(
  config: Config,
  pair: StorePair,
  id: string,
): Promise<Receipt | undefined> {
  if (!/^[0-9a-f]{32}$/.test(id))
    throw new UsageError('usage', 'a decision is named by 32 hexadecimal digits, its X-Decision-Id')
  const found = await findDecision(pair.store, pair.log, id)
  return (
    found &&
    ((await underPublished(pair, found)) ??
      (await underNew(config, pair, found)) ??
      (await untilPublished(pair, found)))
  )
}

/** Under the head that is published: nothing is written and nothing signed. */
async function underPublished({ log }: StorePair, found: Found): Promise<Receipt | undefined> {
  const head = await publishedHead(log)
  return head && found.index < head.size ? receiptUnder(log, found, head) : undefined
}

/** Of a server that was stopped before it signed. Undefined when it is running. */
async function underNew(
  config: Config,
  { log }: StorePair,
  found: Found,
): Promise<Receipt | undefined> {
  try {
    const head = await sealLog(config)
    return head && found.index < head.size ? receiptUnder(log, found, head) : undefined
  } catch (error) {
    if (error instanceof StoreError && error.code === 'locked') return undefined
    throw error
  }
}

/** A running server publishes its head a moment after it signed it. */
const ATTEMPTS = 20
const PAUSE_MS = 100

async function untilPublished(pair: StorePair, found: Found): Promise<Receipt> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await sleep(PAUSE_MS)
    const receipt = await underPublished(pair, found)
    if (receipt !== undefined) return receipt
  }
  throw new NoDecision('unavailable', 'the decision is not sealed yet; ask again in a moment')
}
