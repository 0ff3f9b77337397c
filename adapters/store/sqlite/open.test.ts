import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { refusal } from '../../../test/conformance/laws.ts'
import {
  afterwards,
  append,
  bytes,
  close,
  NOBODY,
  newPath,
  open,
  runChild,
  start,
  tamper,
} from '../../../test/sqlite/kit.ts'
import { openSqlite } from './index.ts'

const isRoot = process.geteuid?.() === 0
/** Who may be refused by a mode: nobody, where we are root. */
const stranger = isRoot ? NOBODY : undefined
const digest = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

describe('one writer', () => {
  test('in a process', async () => {
    const path = newPath()
    const pair = await open(path)
    expect(await refusal(openSqlite({ path }))).toBe('locked')
    const alias = join(dirname(path), 'alias.db')
    symlinkSync(path, alias)
    expect(await refusal(openSqlite({ path: alias }))).toBe('locked')
    await pair.store.close()
    expect(await refusal(openSqlite({ path }))).toBe('locked')
    await pair.log.close()
    await close(await open(path))
  })

  test('among processes, until it is killed', async () => {
    const path = newPath()
    const holder = start('hold', path)
    await holder.opened()
    expect(await refusal(openSqlite({ path }))).toBe('locked')
    holder.process.kill('SIGKILL')
    await holder.ended()
    await close(await open(path))
  })

  test('of two processes that start together', async () => {
    const path = newPath()
    const both = [start('hold', path), start('hold', path)]
    const opened = await Promise.allSettled(both.map((child) => child.opened()))
    expect(opened.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    const [loser] = both.filter((_, i) => opened[i]?.status === 'rejected')
    expect(await loser?.ended()).toEqual([{ refused: 'locked' }])
  })

  test('also when nothing refers to it any more', async () => {
    const path = newPath()
    await openSqlite({ path }).then(() => undefined)
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    for (let i = 0; i < 3; i++) {
      await new Promise(setImmediate)
      collect()
    }
    expect(await refusal(openSqlite({ path }))).toBe('locked')
  })

  test('whose failed start leaves nothing locked', async () => {
    const path = newPath()
    writeFileSync(
      path,
      'this is no database, and long enough to be looked at as if it were one'.repeat(9),
    )
    expect(await refusal(openSqlite({ path }))).toBe('corrupt')
    writeFileSync(path, '')
    await close(await open(path))
  })
})

describe('readers', () => {
  test('see what a live writer commits, and never write', async () => {
    const path = newPath()
    const writer = await open(path)
    await append(writer, 'a')
    const reader = await open(path, { readOnly: true })
    expect(await reader.log.size()).toBe(1n)
    await append(writer, 'b')
    expect(await reader.log.size()).toBe(2n)
    const key = { partition: 'p', sort: 'a' }
    expect(await reader.store.get(key)).toBeUndefined()
    await writer.store.commit([{ writes: [{ put: key, value: bytes('1'), if: 'absent' }] }])
    expect((await reader.store.get(key))?.value).toEqual(bytes('1'))
    expect(await refusal(append(reader, 'c'))).toBe('read_only')
    const checkpoint = { size: 1n, root: new Uint8Array(32), note: bytes('note') }
    expect(await refusal(reader.log.publish({ tiles: [], checkpoint }))).toBe('read_only')
    await writer.log.publish({ tiles: [], checkpoint })
    await append(writer, 'd')
    expect(await reader.log.checkpoint()).toEqual(bytes('note'))
  })

  test('of a cleanly closed database change no byte of it', async () => {
    const path = newPath()
    const writer = await open(path)
    await append(writer, 'a', 'b')
    await close(writer)
    const before = digest(path)
    const reader = await open(path, { readOnly: true })
    expect((await reader.log.leaves(0n, 9)).length).toBe(2)
    await close(reader)
    expect(digest(path)).toBe(before)
    const again = await open(path)
    expect(await again.log.size()).toBe(2n)
  })

  test('of a killed writer see everything that it acknowledged', async () => {
    const path = newPath()
    const writer = start('write', path)
    await writer.opened()
    while (writer.lines.length < 50) await new Promise((resolve) => setTimeout(resolve, 5))
    writer.process.kill('SIGKILL')
    const { index } = (await writer.ended()).at(-1) as { index: number }
    const before = digest(path)
    const reader = await open(path, { readOnly: true })
    expect(Number(await reader.log.size())).toBeGreaterThan(index)
    await close(reader)
    expect(digest(path)).toBe(before)
  })

  test('stay out of the way of a writer that starts later', async () => {
    const path = newPath()
    await close(await open(path))
    const reader = await open(path, { readOnly: true })
    const writer = await open(path)
    await append(writer, 'a')
    expect(await reader.log.size()).toBe(1n)
  })

  test('need no right to write, neither after a clean end nor after a kill', async () => {
    const path = newPath()
    const holder = start('write', path)
    await holder.opened()
    while (holder.lines.length < 20) await new Promise((resolve) => setTimeout(resolve, 5))
    holder.process.kill('SIGKILL')
    await holder.ended()
    const folder = dirname(path)
    const closeFolder = (): void => {
      for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o444)
      chmodSync(folder, 0o555)
    }
    closeFolder()
    const [killed] = await runChild('read', path, stranger)
    expect(killed).toMatchObject({ size: expect.any(Number) })
    expect(await runChild('try', path, stranger)).toEqual([{ refused: 'read_only' }])

    chmodSync(folder, 0o755)
    for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o644)
    await close(await open(path))
    closeFolder()
    expect(existsSync(`${path}-wal`)).toBe(false)
    expect(await runChild('read', path, stranger)).toEqual([killed])
    expect(await runChild('try', path, stranger)).toEqual([{ refused: 'read_only' }])
    expect(readdirSync(folder).sort()).toEqual(['assay.db', 'assay.db.lock'])
  })

  test('of nothing, and of an empty file, are told to wait', async () => {
    const path = newPath()
    expect(await refusal(openSqlite({ path, readOnly: true }))).toBe('unavailable')
    expect(existsSync(path)).toBe(false)
    writeFileSync(path, '')
    expect(await refusal(openSqlite({ path, readOnly: true }))).toBe('unavailable')
  })
})

describe('files', () => {
  test('belong to their owner alone', async () => {
    const path = newPath()
    const pair = await open(join(dirname(path), 'new', 'folder', 'assay.db'))
    await append(pair, 'a')
    const at = join(dirname(path), 'new', 'folder')
    expect(statSync(at).mode & 0o777).toBe(0o700)
    for (const file of ['assay.db', 'assay.db-wal', 'assay.db-shm'])
      expect([file, statSync(join(at, file)).mode & 0o077]).toEqual([file, 0])
  })

  test('may have names that look like a URI or like SQLite’s own', async () => {
    const folder = dirname(newPath())
    const back = process.cwd()
    process.chdir(folder)
    afterwards(() => process.chdir(back))
    for (const name of [':memory:', 'file:a.db?mode=memory', 'a b#c%41.db']) {
      const pair = await open(name)
      await append(pair, name)
      await close(pair)
      expect(existsSync(join(folder, name))).toBe(true)
      const reader = await open(name, { readOnly: true })
      expect(await reader.log.size()).toBe(1n)
      await close(reader)
    }
  })

  test('that cannot be made are refused with a code', async () => {
    const path = newPath()
    writeFileSync(`${path}.file`, '')
    expect(await refusal(openSqlite({ path: `${path}.file/assay.db` }))).toBe('unavailable')
    expect(await refusal(openSqlite({ path: dirname(path) }))).toBe('unavailable')
    chmodSync(dirname(path), 0o555)
    expect(await runChild('try', path, stranger)).toEqual([{ refused: 'read_only' }])
  })
})

describe('a database', () => {
  test('of a later release is left alone', async () => {
    const path = newPath()
    await close(await open(path))
    tamper(path, 'PRAGMA user_version = 2')
    expect(await refusal(openSqlite({ path }))).toBe('newer_version')
    expect(await refusal(openSqlite({ path, readOnly: true }))).toBe('newer_version')
  })

  test('of somebody else is left alone', async () => {
    for (const statement of [
      'CREATE TABLE t (x)',
      'PRAGMA application_id = 7',
      'PRAGMA user_version = 1',
    ]) {
      const path = newPath()
      tamper(path, statement)
      const before = digest(path)
      expect(await refusal(openSqlite({ path }))).toBe('corrupt')
      expect(digest(path)).toBe(before)
      expect(readdirSync(dirname(path)).sort()).toEqual([basename(path), `${basename(path)}.lock`])
    }
  })

  test('of ours with other tables is refused', async () => {
    const changes = [
      'CREATE TABLE more (x)',
      'DROP TABLE tiles',
      'DROP INDEX leaves_by_hash',
      'CREATE TRIGGER forget AFTER INSERT ON leaves BEGIN DELETE FROM leaves; END',
      'ALTER TABLE kv ADD COLUMN more TEXT',
    ]
    for (const change of changes) {
      const path = newPath()
      await close(await open(path))
      tamper(path, change)
      expect(await refusal(openSqlite({ path }))).toBe('corrupt')
    }
  })

  test('that an operator has analysed is still ours', async () => {
    const path = newPath()
    const pair = await open(path)
    await append(pair, 'a')
    await close(pair)
    tamper(path, 'ANALYZE', 'VACUUM')
    expect(await (await open(path, { integrity: 'full' })).log.size()).toBe(1n)
  })

  test('runs with a write-ahead log and an fsync at each commit', async () => {
    const path = newPath()
    const pair = await open(path)
    await append(pair, 'a')
    const raw = new DatabaseSync(path, { readOnly: true })
    afterwards(() => raw.close())
    expect(raw.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(existsSync(`${path}-wal`)).toBe(true)
  })
})
