/** Leaves lie in the order of their commits, and almost in that of their times: near enough to search by halves. */
import type { Leaf } from '../../core/log/leaves.ts'
import type { LogStore } from '../../core/ports/logstore.ts'

/** How far a leaf's time may be from its neighbours': the oldest decision that a configuration lets commit, and the widest clock tolerance. */
export const SLACK_SECONDS = 660

/** An index before which every leaf is older than `since`, in Unix seconds. */
export async function firstSince(log: LogStore, since: number, end: bigint): Promise<bigint> {
  let low = 0n
  let high = end
  while (low < high) {
    const middle = (low + high) / 2n
    if ((await timeAt(log, middle)) < since - SLACK_SECONDS) low = middle + 1n
    else high = middle
  }
  return low
}

async function timeAt(log: LogStore, index: bigint): Promise<number> {
  const [bytes] = await log.leaves(index, 1)
  const leaf = JSON.parse(decoder.decode(bytes)) as Leaf
  return 'to' in leaf ? leaf.to : leaf.time
}
const decoder = new TextDecoder()
