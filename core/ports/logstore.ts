/**
 * Where a transparency log's bytes lie: leaf rows and full tiles are the stored truth, everything else is derived on read.
 * Paired with a {@link Store}: leaves arrive through `Store.commit`, and where that store orders at commit they are here at once.
 * After `close`, every method throws StoreError `closed`.
 */
export interface LogStore {
  readonly name: string
  /** Leaves that are durable, ordered and immutable. */
  size(): Promise<bigint>
  /** `count` leaves from index `from`, fewer at the end of the log. `count` is 1 to 256. */
  leaves(from: bigint, count: number): Promise<readonly Uint8Array[]>
  /** The index of the leaf with this RFC 6962 leaf hash. */
  indexOf(leafHash: Uint8Array): Promise<bigint | undefined>
  /** A full tile of 256 hashes (8,192 bytes), or undefined when it was not published yet. */
  tile(level: number, index: bigint): Promise<Uint8Array | undefined>
  /** The last published checkpoint, a signed note. */
  checkpoint(): Promise<Uint8Array | undefined>
  /**
   * Publishes full tiles and a checkpoint together. Idempotent; a checkpoint of a smaller size than the published one, or of the same
   * size with another root, is refused with LogError `conflict`, and so is a tile that differs from the published one; a head ahead of the leaves with `missing`. May become
   * durable later than it returns: both follow from leaf rows.
   */
  publish(published: Published): Promise<void>
  /**
   * Gives committed leaves that have no index yet their places, each once, and moves the head over them: durable when it returns. Where the store
   * orders at commit there never are any. Any number of processes may call it at any time: one holds the lease, and a holder that died, or was
   * frozen and wakes up, changes nothing that a later holder decided.
   * @throws StoreError `unavailable`: nothing is lost, and the next call goes on where this one stopped
   */
  integrate(): Promise<Integration>
  close(): Promise<void>
}

export interface Integration {
  /** Leaves with an index, as {@link LogStore.size} says. */
  readonly size: bigint
  /** Whether the caller holds the lease: it alone signs and publishes the head, until another takes over. Always where the store orders at commit. */
  readonly leads: boolean
  /** Leaves that wait for their place, as far as was looked. */
  readonly pending: number
  /** Since when the oldest of them waits, in milliseconds of Unix time. */
  readonly since?: number
}

export interface Published {
  readonly tiles: readonly Tile[]
  readonly checkpoint: {
    readonly size: bigint
    readonly root: Uint8Array
    readonly note: Uint8Array
  }
}

/** A full tile (C2SP tlog-tiles): `hashes` is 256 concatenated SHA-256 hashes, 8,192 bytes. */
export interface Tile {
  readonly level: number
  readonly index: bigint
  readonly hashes: Uint8Array
}
