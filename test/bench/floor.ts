/**
 * The floor: the work that no logged decision can do without, by hand and without a kernel. Evaluate, commit to the same fields, hash the
 * leaf, write the same rows in one transaction a group, sign once a group. It reads no state, checks no schema, builds no tree, proves
 * nothing and serves nobody else meanwhile.
 */
import { generateKeyPairSync, hash, type KeyObject, randomBytes, sign } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { Policy } from '../../core/ports/engine.ts'
import { type Case, ENTRYPOINT } from './world.ts'

const ID_DIGITS = 32
/** Ids begin with their time, as the kernel's do: such rows lie side by side. */
const TIME_DIGITS = 12
/** A checkpoint's note has about this many bytes. */
const NOTE_BYTES = 200

export interface FloorRows {
  readonly id: string
  readonly openings: Buffer
  readonly leaf: Buffer
  readonly leafHash: Buffer
}
/** Where a group's rows go: returns when they are durable, as far as this place is. */
export interface Sink {
  write(group: readonly FloorRows[], root: Buffer, note: Buffer): void
  close(): void
}

export class Floor {
  readonly #policy: Policy
  readonly #sink: Sink
  readonly #key: KeyObject = generateKeyPairSync('ed25519').privateKey
  #note: Buffer = Buffer.alloc(NOTE_BYTES)
  #root: Buffer = Buffer.alloc(32)
  #time = ''

  constructor(policy: Policy, sink: Sink) {
    this.#policy = policy
    this.#sink = sink
  }

  /** One group: its rows are written, with the head of the group before it, then its own head is signed. */
  decide(group: readonly Case[]): readonly FloorRows[] {
    const fields = 1 + group[0]!.texts.size
    this.#time = Date.now().toString(16).padStart(TIME_DIGITS, '0')
    const digits = randomBytes((group.length * (1 + fields) * ID_DIGITS) / 2).toString('hex')
    const rows = group.map((each, i) => this.#row(each, digits, i * (1 + fields) * ID_DIGITS))
    this.#sink.write(rows, this.#root, this.#note)
    this.#root = hash('sha256', Buffer.concat(rows.map(({ leafHash }) => leafHash)), 'buffer')
    sign(null, this.#root, this.#key).copy(this.#note)
    return rows
  }

  #row({ input, texts }: Case, digits: string, at: number): FloorRows {
    const verdict = this.#policy.evaluate(ENTRYPOINT, input) as {
      allow: boolean
      reasons: { code: string; rule: string }[]
    }
    const { allow, reasons } = verdict
    const id = this.#time + digits.slice(at, at + ID_DIGITS - TIME_DIGITS)
    const fields: [string, string, number][] = []
    let opened = ''
    const commitments: Record<string, string> = {}
    const open = (field: string, json: string): void => {
      at += ID_DIGITS
      const salt = digits.slice(at, at + ID_DIGITS)
      fields.push([field, salt, json.length])
      opened += json
      const text = `assay.commitment/v1\n${field}\n${salt}\n${json}`
      commitments[field] = hash('sha256', text, 'base64url')
    }
    for (const [field, json] of texts) open(field, json)
    open('verdict', JSON.stringify(verdict))
    const leaf = JSON.stringify({
      action: 'access.evaluate',
      allow,
      commitments,
      id,
      mode: 'development',
      policy: this.#policy.digest,
      reasons: reasons.map(({ code, rule }) => ({ code, rule })),
      revision: this.#policy.revision,
      time: Math.floor(Date.now() / 1000),
      type: 'assay.decision/v1',
    })
    const leafHash = hash('sha256', `\0${leaf}`, 'buffer')
    const head = JSON.stringify({ hash: leafHash.toString('hex'), fields })
    return { id, openings: Buffer.from(`${head}\n${opened}`), leaf: Buffer.from(leaf), leafHash }
  }
}

/** The tables, indexes and pragmas of `store/sqlite`, statements by hand, no checks of conditions. */
export async function sqliteSink(path: string): Promise<Sink> {
  const { store, log } = await openSqlite({ path })
  await log.close()
  await store.close()
  const db = new DatabaseSync(path)
  db.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
    PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 8192; PRAGMA journal_size_limit = 134217728;
  `)
  const statement = statements(db)
  let size = 0
  return {
    write(group, root, note) {
      statement.begin.run()
      statement.head.run(size, root, note)
      for (const { id, openings, leaf, leafHash } of group) {
        statement.record.run('#decision', id, openings, size + 1)
        statement.leaf.run(size, leafHash, leaf)
        size += 1
      }
      statement.version.run(size)
      statement.commit.run()
    },
    close: () => db.close(),
  }
}

type Statements = Record<'begin' | 'commit' | 'head' | 'leaf' | 'record' | 'version', StatementSync>
function statements(db: DatabaseSync): Statements {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    head: db.prepare('INSERT OR REPLACE INTO checkpoint VALUES (0, ?, ?, ?)'),
    leaf: db.prepare('INSERT INTO leaves VALUES (?, ?, ?)'),
    record: db.prepare('INSERT INTO kv VALUES (?, ?, ?, ?)'),
    version: db.prepare("UPDATE meta SET value = ? WHERE name = 'version'"),
  }
}

export function memorySink(): Sink {
  const records = new Map<string, Buffer>()
  const leaves: Buffer[] = []
  const indexes = new Map<string, number>()
  return {
    write(group) {
      for (const { id, openings, leaf, leafHash } of group) {
        records.set(id, openings)
        indexes.set(leafHash.toString('latin1'), leaves.length)
        leaves.push(leaf)
      }
    },
    close() {
      records.clear()
      indexes.clear()
    },
  }
}
