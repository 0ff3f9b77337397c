import { decodeLeaf } from '../../core/log/leaf.ts'
import type { Leaf } from '../../core/log/leaves.ts'
import type { LogStore } from '../../core/ports/logstore.ts'

const AT_ONCE = 256

/** Every leaf from an index on, in order. */
export async function* leavesOf(log: LogStore, from: bigint): AsyncGenerator<Leaf> {
  const size = await log.size()
  for (let at = from; at < size; at += BigInt(AT_ONCE)) {
    const rest = size - at
    const count = rest < AT_ONCE ? Number(rest) : AT_ONCE
    for (const bytes of await log.leaves(at, count)) yield decodeLeaf(bytes)
  }
}
