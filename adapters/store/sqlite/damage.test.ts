import {
  closeSync,
  copyFileSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { refusal } from '../../../test/conformance/laws.ts'
import { append, bytes, close, newPath, open, start, tamper } from '../../../test/sqlite/kit.ts'
import { openSqlite } from './index.ts'

/** A closed database with ten leaves, a published head over eight of them, and a record. */
async function made(): Promise<string> {
  const path = newPath()
  const pair = await open(path)
  await append(pair, ...Array.from({ length: 10 }, (_, i) => `leaf ${i} ${'x'.repeat(900)}`))
  const checkpoint = { size: 8n, root: new Uint8Array(32).fill(1), note: bytes('note') }
  await pair.log.publish({ tiles: [], checkpoint })
  const put = { partition: 'p', sort: 'a' }
  await pair.store.commit([{ writes: [{ put, value: bytes('1'), if: 'absent' }] }])
  await close(pair)
  return path
}

async function codes(path: string): Promise<string[]> {
  const open = (integrity: 'full' | 'quick', readOnly: boolean): Promise<string> =>
    openSqlite({ path, integrity, readOnly }).then(
      async (pair) => {
        await close(pair)
        return 'ok'
      },
      (error: { code: string }) => error.code,
    )
  return [await open('quick', false), await open('full', false), await open('quick', true)]
}

describe('found at the start', () => {
  test('nothing, when nothing is wrong', async () => {
    expect(await codes(await made())).toEqual(['ok', 'ok', 'ok'])
  })

  test('a log that is shorter than its published head', async () => {
    const path = await made()
    tamper(path, 'DELETE FROM leaves WHERE idx >= 8')
    expect(await codes(path)).toEqual(['ok', 'ok', 'ok'])
    tamper(path, 'DELETE FROM leaves WHERE idx >= 7')
    expect(await codes(path)).toEqual(['corrupt', 'corrupt', 'corrupt'])
    tamper(path, 'DELETE FROM leaves')
    expect(await codes(path)).toEqual(['corrupt', 'corrupt', 'corrupt'])
  })

  test('a gap in the log, or another start', async () => {
    for (const gap of ['idx = 4', 'idx = 0', 'idx < 3']) {
      const path = await made()
      tamper(path, `DELETE FROM leaves WHERE ${gap}`)
      expect(await codes(path)).toEqual(['corrupt', 'corrupt', 'corrupt'])
    }
    const path = await made()
    tamper(path, 'UPDATE leaves SET idx = -1 WHERE idx = 0')
    expect(await codes(path)).toEqual(['corrupt', 'corrupt', 'corrupt'])
  })

  test('pages that were cut off or overwritten', async () => {
    const cut = await made()
    truncateSync(cut, statSync(cut).size - 4096)
    expect(await codes(cut)).toEqual(['corrupt', 'corrupt', 'corrupt'])
    for (const page of [1, 2, 3]) {
      const path = await made()
      const file = openSync(path, 'r+')
      writeSync(file, new Uint8Array(4096).fill(0xa5), 0, 4096, page * 4096)
      closeSync(file)
      expect(await codes(path)).toEqual(['corrupt', 'corrupt', 'corrupt'])
    }
  })

  test('a file that is no database', async () => {
    const path = newPath()
    writeFileSync(path, 'no database '.repeat(1000))
    expect(await codes(path)).toEqual(['corrupt', 'corrupt', 'corrupt'])
  })

  test('a database that is gone while its write-ahead log is still there', async () => {
    const path = newPath()
    const writer = start('write', path)
    await writer.opened()
    while (writer.lines.length < 20) await new Promise((resolve) => setTimeout(resolve, 5))
    writer.process.kill('SIGKILL')
    await writer.ended()
    copyFileSync(path, `${path}.kept`)
    rmSync(path)
    expect(await refusal(openSqlite({ path }))).toBe('corrupt')
    truncateSync(`${path}-shm`, 0)
    writeFileSync(path, '')
    expect(await refusal(openSqlite({ path }))).toBe('corrupt')
    copyFileSync(`${path}.kept`, path)
    expect(Number(await (await open(path)).log.size())).toBeGreaterThan(10)
  })

  test('only by the full check: a leaf that was altered, a version from the future', async () => {
    const altered = await made()
    tamper(altered, "UPDATE leaves SET leaf = CAST('altered' AS BLOB) WHERE idx = 3")
    expect(await codes(altered)).toEqual(['ok', 'corrupt', 'ok'])
    const future = await made()
    tamper(future, 'UPDATE kv SET version = 1000')
    expect(await codes(future)).toEqual(['ok', 'corrupt', 'ok'])
  })
})

test('a row that vanishes under a running writer ends it', async () => {
  const path = newPath()
  const pair = await open(path)
  const put = { partition: 'p', sort: 'a' }
  await pair.store.commit([{ writes: [{ put, value: bytes('1'), if: 'absent' }] }])
  const version = (await pair.store.get(put))?.version ?? ''
  tamper(path, 'DELETE FROM kv')
  const writes = [{ put, value: bytes('2'), if: version }]
  expect(await refusal(pair.store.commit([{ writes, leaf: bytes('leaf') }]))).toBe('corrupt')
  expect(await refusal(pair.store.get(put))).toBe('corrupt')
  expect(await refusal(pair.log.size())).toBe('corrupt')
})
