/**
 * What the client knows, kept outside the server and fsynced before the client does anything else: an intent before a request leaves, the
 * acknowledgement before the next one. It is what a crash test compares the server's log with, so it shares no code with the server.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

export interface Operation {
  /** Unique in a run, and part of the request, so that a leaf can be traced back to it. */
  readonly op: number
  readonly action:
    | 'access.evaluate'
    | 'access.import'
    | 'access.put-resource'
    | 'access.put-subject'
  /** The ids of the records that the decision's effect writes. */
  readonly targets: readonly string[]
}
export interface Acknowledgement {
  readonly id: string
  readonly allow: boolean
  readonly index: string
}
export interface Entry {
  readonly operation: Operation
  acknowledged?: Acknowledgement
  /** The server said that nothing happened. */
  refused?: string
}

export class Ledger {
  readonly #fd: number
  readonly entries: Map<number, Entry> = new Map()

  constructor(path: string) {
    this.#fd = openSync(path, 'ax')
  }

  intend(operation: Operation): Entry {
    this.#append({ intend: operation })
    const entry: Entry = { operation }
    this.entries.set(operation.op, entry)
    return entry
  }

  acknowledge(entry: Entry, acknowledged: Acknowledgement): void {
    this.#append({ op: entry.operation.op, acknowledged })
    entry.acknowledged = acknowledged
  }

  refuse(entry: Entry, code: string): void {
    this.#append({ op: entry.operation.op, refused: code })
    entry.refused = code
  }

  /** Sent, and no answer came: it may or may not have happened. */
  open(): readonly Entry[] {
    return [...this.entries.values()].filter((entry) => !entry.acknowledged && !entry.refused)
  }

  #append(line: object): void {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`)
    fsyncSync(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
