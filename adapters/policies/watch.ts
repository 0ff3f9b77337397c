/**
 * Tells when the content of a policy folder changed. File system events only make it look sooner: editors rename, mounts are swapped,
 * watches get lost, so it looks every few seconds anyway, and only another content counts.
 */
import { type FSWatcher, watch } from 'node:fs'
import type { Sources } from '../../core/ports/compiler.ts'
import { contentDigest, type Entry, listFolder, type Part, readSources } from './reading.ts'

export interface WatchOptions {
  /** What the caller has already; without it, what the first look finds is the state to compare with. */
  readonly known?: Sources
  /** What counts as content; default: what is compiled. */
  readonly part?: Part
  /** Milliseconds without an event before it looks; default 100. */
  readonly quietMs?: number
  /** Milliseconds between looks without any event; default 2,000. */
  readonly everyMs?: number
  /** The folder cannot be read; the last content stays. Called once until it can be read again. */
  readonly onError?: (error: unknown) => void
  /** It can be read again, after {@link onError}; called before a change of its content is. */
  readonly onReadable?: () => void
}
export interface FolderWatch {
  /** After it, nothing is called any more. */
  close(): Promise<void>
}

export function watchFolder(
  dir: string,
  onChange: (sources: Sources) => void,
  options: WatchOptions = {},
): FolderWatch {
  return new Watch(dir, onChange, options)
}

/** A steady stream of events may put a look off by this many quiet times. */
const PATIENCE = 10

class Watch implements FolderWatch {
  readonly #dir: string
  readonly #onChange: (sources: Sources) => void
  readonly #options: WatchOptions
  readonly #quietMs: number
  readonly #interval: NodeJS.Timeout
  #digest: string | undefined
  #stamps: string | undefined
  #failed = false
  #closed = false
  #events: FSWatcher | undefined
  #quiet: NodeJS.Timeout | undefined
  #putOff = 0
  #looking: Promise<void> = Promise.resolve()

  constructor(dir: string, onChange: (sources: Sources) => void, options: WatchOptions) {
    this.#dir = dir
    this.#onChange = onChange
    this.#options = options
    this.#quietMs = options.quietMs ?? 100
    this.#digest = options.known === undefined ? undefined : contentDigest(options.known)
    this.#interval = setInterval(() => this.#look(), options.everyMs ?? 2000).unref()
    this.#look()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#interval)
    clearTimeout(this.#quiet)
    this.#events?.close()
    await this.#looking
  }

  #look(): void {
    this.#putOff = 0
    this.#looking = this.#looking.then(() => this.#compare())
  }

  async #compare(): Promise<void> {
    if (this.#closed) return
    this.#listen()
    try {
      const entries = await listFolder(this.#dir, this.#options.part)
      const stamps = stampsOf(entries)
      const sources = stamps === this.#stamps ? undefined : await readSources(entries)
      if (this.#failed && !this.#closed) this.#options.onReadable?.()
      this.#failed = false
      if (sources !== undefined) this.#take(sources, stamps)
    } catch (error) {
      this.#stamps = undefined
      if (this.#failed || this.#closed) return
      this.#failed = true
      this.#options.onError?.(error)
    }
  }

  #take(sources: Sources, stamps: string): void {
    const before = this.#digest
    this.#digest = contentDigest(sources)
    this.#stamps = stamps
    if (before !== undefined && before !== this.#digest && !this.#closed) this.#onChange(sources)
  }

  /** Set up again when it broke, for example because the folder was replaced. */
  #listen(): void {
    if (this.#events !== undefined) return
    try {
      const events = watch(this.#dir, { recursive: true, persistent: false }, () => this.#stir())
      const forget = (): void => {
        events.close()
        if (this.#events === events) this.#events = undefined
      }
      this.#events = events.on('error', forget)
    } catch {
      // No such folder now, or no watches left: the interval looks without them.
    }
  }

  #stir(): void {
    if (this.#closed || this.#putOff >= PATIENCE) return
    this.#putOff++
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => this.#look(), this.#quietMs).unref()
  }
}

function stampsOf(entries: readonly Entry[]): string {
  return entries.map(({ path, stamp }) => `${path}\0${stamp}`).join('\0')
}
