/** The first state: subjects and resources from a file, as one logged decision, so that it is as provable as any later change. */
import { readFile } from 'node:fs/promises'
import { ConfigError } from '../../core/error.ts'
import type { Kernel, Submission } from '../../core/kernel.ts'
import { decodeLeaf } from '../../core/log/leaf.ts'
import { settledSize } from '../../core/merge.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import { Payload } from '../../core/request.ts'

/** Nobody has decided anything yet: at most the kernel has, about itself. */
export async function isUntouched(log: LogStore): Promise<boolean> {
  // What others decided just now may wait for its place.
  await settledSize(log)
  const leaves = await log.leaves(0n, 256)
  if (BigInt(leaves.length) < (await log.size())) return false
  return leaves.every((bytes) => {
    const leaf = decodeLeaf(bytes)
    return leaf.type !== 'assay.decision/v1' || leaf.action.startsWith('kernel.')
  })
}

/** @throws ConfigError `not_found`; `invalid_config`: the policy refuses this state, and nothing of it was written */
export async function importState(kernel: Kernel, file: string): Promise<void> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError('not_found', `the first state ${file} cannot be read (${error.code})`)
  })
  const submission: Submission = {
    action: 'access.import',
    payload: Payload.fromBytes(bytes),
    peer: { kind: 'operator', id: 'seed' },
  }
  // Asked first: a denial would be a decision, and the file would not be looked at again after it was mended.
  const { allow, reasons } = await kernel.check(submission)
  const decided = allow ? await kernel.decide(submission) : { allow, reasons }
  if (!decided.allow)
    throw new ConfigError(
      'invalid_config',
      `the first state ${file} is refused: ${decided.reasons.map(({ code }) => code).join(', ')}`,
    )
}
