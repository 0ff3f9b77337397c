/**
 * A version for a new key, without a lock, which a token does not have. Whoever makes a key claims a version in its label and then looks: alone with
 * it, the version is theirs, since whoever claims it later sees them. Otherwise somebody else claimed it at the same time, and one of them, after
 * a while of random length, goes to another version and looks again. A token may show a process for a moment what another one has changed since:
 * who is alone looks twice.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { refuse } from './failure.ts'
import type { Version } from './labels.ts'

export interface Claiming {
  /** Every version of the key, claims included. */
  others(): Promise<readonly Version[]>
  make(version: number): Promise<unknown>
  move(version: number): Promise<unknown>
  drop(): Promise<unknown>
  keep(version: number): Promise<unknown>
}

const PAUSE_MS = 40

/** @param id of the new key @throws CustodyError `algorithm_mismatch`: an earlier version was made at the same time, of another algorithm */
export async function claim(
  { drop, keep, make, move, others }: Claiming,
  id: string,
  limit: AbortSignal,
): Promise<Version> {
  let version = next(await others())
  await make(version)
  for (let wasAlone = false; ; ) {
    const all = await others()
    const rivals = all.filter((one) => one.id !== id)
    const own = all.find((one) => one.id === id)
    if (own === undefined) throw refuse('corrupt', 'the new key is not on the token')
    if (rivals.some((one) => one.version < version && one.algorithm !== own.algorithm)) {
      await drop()
      throw refuse('algorithm_mismatch', `${own.scope}/${own.name} was made at the same time`)
    }
    const isAlone = own.version === version && rivals.every((one) => one.version !== version)
    if (isAlone && wasAlone) {
      await keep(version)
      return own
    }
    wasAlone = isAlone
    await pause(isAlone ? PAUSE_MS : randomInt(PAUSE_MS))
    if (limit.aborted) throw refuse('unavailable', 'others make versions of this key; try again')
    if (isAlone) continue
    const later = (await others()).filter((one) => one.id !== id)
    if (later.every((one) => one.version !== version)) continue
    version = next(later)
    await move(version)
  }
}

const next = (versions: readonly Version[]): number =>
  1 + Math.max(0, ...versions.map(({ version }) => version))
