/**
 * Tasks that were taken, until they are over. Each is an empty file that can be made only once, so that of two processes one takes the task. A
 * task is marked before it is handed out: after a crash in between it is lost, not done twice.
 */
import { join } from 'node:path'
import { sha256Hex } from '../core/crypto.ts'
import { NodeAgentError } from './error.ts'
import { createOnce, namesIn, openFolder, readIfThere, removeAll, replace } from './files.ts'

/** Seconds between two looks for what is over. */
const SWEEP_EVERY = 600
const OVER = 'over'
const MARK = /^[0-9a-f]{64}$/
const SECONDS = /^[0-9]{1,15}$/

export class UsedTasks {
  readonly #folder: string
  /** UNIX seconds: marks of tasks that ended before may be gone. */
  #over: number

  constructor(folder: string) {
    this.#folder = folder
    openFolder(folder)
    this.#over = this.#stored()
  }

  /**
   * False for one that was taken before, and for one that ended so early that its mark may be gone, whatever the clock says now.
   * @throws NodeAgentError `unavailable`, `corrupt`
   */
  take(taskId: string, expiresAt: number, now: number): boolean {
    this.#over = this.#stored()
    if (now >= this.#over + SWEEP_EVERY) this.#sweep(now)
    const isFirst = createOnce(this.#folder, sha256Hex(taskId), String(expiresAt))
    // Read last: another process may have removed the mark that was there, and said so before.
    return isFirst && expiresAt > this.#stored()
  }

  /** What is over is written down before a mark goes: a clock that is set back brings no task back. */
  #sweep(now: number): void {
    this.#over = Math.max(now, this.#stored())
    replace(this.#folder, OVER, String(this.#over))
    const ended = namesIn(this.#folder)
      .filter((name) => MARK.test(name))
      .filter((name) => this.#isOver(name))
    removeAll(this.#folder, ended)
  }

  /** One that does not say when stays: its name alone keeps the task from being taken. */
  #isOver(mark: string): boolean {
    const end = readIfThere(join(this.#folder, mark))
    return end !== undefined && SECONDS.test(end) && Number(end) <= this.#over
  }

  #stored(): number {
    const path = join(this.#folder, OVER)
    const text = readIfThere(path) ?? '0'
    if (SECONDS.test(text)) return Number(text)
    throw new NodeAgentError(
      'node-agent',
      'corrupt',
      `${path} is damaged: nobody knows which tasks were done; bootstrap the node again`,
    )
  }
}
