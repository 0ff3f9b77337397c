/** Who a log is: its name, the key that signs its heads, and the anchor that says so to verifiers on this machine. */
import { join } from 'node:path'
import { randomBytes, toHex } from '../../core/crypto.ts'
import { LogError } from '../../core/error.ts'
import type { TrustAnchor } from '../../core/log/anchor.ts'
import { parseCheckpoint } from '../../core/log/checkpoint.ts'
import { parseNote } from '../../core/log/note.ts'
import type { Custody, PublicKey } from '../../core/ports/custody.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import { developmentAnchor, ensureAnchor, readAnchor, signsNow } from './anchor.ts'
import { defaultOrigin, logKey } from './logkey.ts'

export interface LogIdentity {
  readonly origin: string
  /** The active version of the log's key. */
  readonly key: PublicKey
  readonly anchor: TrustAnchor
  readonly anchorFile: string
}
export interface IdentityOptions {
  readonly dataFolder: string
  readonly origin: string | undefined
  readonly custody: Custody
  readonly log: LogStore
  /** False: the log begins anew in each process, and so with a key of its own, lest one key sign two histories. */
  readonly durable: boolean
}

/** @throws LogError `conflict`: a log never changes its name */
async function requireSameLog(log: LogStore, origin: string): Promise<void> {
  const note = await log.checkpoint()
  if (note === undefined) return
  const published = parseCheckpoint(parseNote(note).text).origin
  if (published !== origin)
    throw new LogError(
      'data',
      'conflict',
      `the log is named ${published}, not ${origin}: give it that origin, or start in an empty folder`,
    )
}

const FORGETFUL = 'A log in memory: it and its key end with the process.'

export const anchorPath = (dataFolder: string): string => join(dataFolder, 'trust.json')

/** @throws CustodyError `unknown_key`, `not_active`; LogError `conflict`, `malformed`; StoreError when the anchor cannot be written */
export async function openIdentity(options: IdentityOptions): Promise<LogIdentity> {
  const { custody, dataFolder, durable, log } = options
  const anchorFile = anchorPath(dataFolder)
  const found = await readAnchor(anchorFile)
  const written = found?.note === FORGETFUL && !durable ? undefined : found
  const name = durable ? 'log' : `memory-${toHex(randomBytes(4))}`
  const trusted = (key: PublicKey): boolean => written !== undefined && signsNow(written, key)
  const fresh = (await log.size()) === 0n
  const { active, first } = await logKey(custody, { name, fresh, trusted })
  const origin = options.origin ?? written?.origin ?? defaultOrigin(first)
  await requireSameLog(log, origin)
  const now = developmentAnchor(origin, active.publicKey)
  const anchor = await ensureAnchor(
    anchorFile,
    written,
    durable ? now : { ...now, note: FORGETFUL },
  )
  return { origin, key: active, anchor, anchorFile }
}
