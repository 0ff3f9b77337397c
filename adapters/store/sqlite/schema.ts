/** What lies in the database file. Change it only together with {@link FORMAT} and a migration. */

/** `application_id` in the file's header: "ASAY". */
export const APPLICATION_ID = 0x41534159
/** `user_version` in the file's header. */
export const FORMAT = 1
/** Leaves in one run of the hash index: see below. */
export const RUN_BITS = 12

/**
 * `kv` has a rowid on purpose: values are long and their keys random, so a table ordered by key writes twice the pages. `leaves_by_hash` is
 * ordered by runs of 4,096 leaves: new hashes fall into a few hot pages instead of one random page each; a look-up probes each run.
 * TEXT compares as UTF-8 bytes, which is the order that the Store port promises.
 */
export const SCHEMA: Readonly<Record<string, string>> = {
  kv: `CREATE TABLE kv (
    partition TEXT NOT NULL, sort TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (partition, sort)
  ) STRICT`,
  leaves:
    'CREATE TABLE leaves (idx INTEGER PRIMARY KEY, hash BLOB NOT NULL, leaf BLOB NOT NULL) STRICT',
  leaves_by_hash: `CREATE INDEX leaves_by_hash ON leaves (idx >> ${RUN_BITS}, hash)`,
  tiles: `CREATE TABLE tiles (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, idx)
  ) STRICT`,
  checkpoint: `CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 0), size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL
  ) STRICT`,
  meta: 'CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT',
}
