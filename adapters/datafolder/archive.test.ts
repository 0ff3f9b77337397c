/** Archives of a log that goes on, and data folders that are made of one. */
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatAnchor, parseAnchor, type TrustedKey } from '../../core/log/anchor.ts'
import { formatVkey } from '../../core/log/note.ts'
import { type Receipt, verifyReceipt } from '../../core/log/receipt.ts'
import { Payload } from '../../core/request.ts'
import { Place } from '../../test/composed.ts'
import { compiler } from '../../test/rego.ts'
import type { Composed } from '../compose.ts'
import { archiveLog, compactLog, restoreLog, rotateLogKey } from '../compose-log.ts'
import { readArchive } from './archive.ts'

let place: Place
let server: Composed
let archive: string
beforeEach(async () => {
  place = await Place.make()
  server = await place.start()
  archive = join(place.folder, 'archive')
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

async function decide(subject: string): Promise<Receipt> {
  const payload = Payload.fromJson({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'document', id: 'd' },
  })
  const decision = await server.kernel.decide({ action: 'access.evaluate', payload })
  return decision.receipt()
}
const idOf = ({ leaf }: Receipt): string => (JSON.parse(leaf) as { id: string }).id
/** A key of somebody who could write to the archive. */
const foreign = (origin: string): TrustedKey => ({
  vkey: formatVkey(origin, ed25519.getPublicKey(new Uint8Array(32).fill(7))),
  from: '0',
})
const elsewhere = (): typeof place.config => {
  const data = join(place.folder, 'elsewhere')
  const custody = { kind: 'file' as const, dir: join(data, 'keys') }
  const store = {
    kind: 'sqlite' as const,
    path: join(data, 'assay.db'),
    integrity: 'quick' as const,
  }
  return { ...place.config, custody, data, store }
}
const restore = (expected?: Uint8Array) =>
  restoreLog(elsewhere(), {
    from: archive,
    anchor: server.anchor,
    ...(expected ? { expect: expected } : {}),
  })

describe('an archive', () => {
  it('is of one moment, while the server goes on; what is made of it goes on too', async () => {
    const before = await decide('ada')
    let going = true
    const traffic = (async () => {
      while (going) await decide('somebody')
    })()
    await archiveLog(place.config, archive, { keys: true })
    going = false
    await traffic
    const report = await restore()
    expect(report).toMatchObject({ ok: true })
    await place.stop()
    const { anchor } = server
    server = await place.startWith(elsewhere())
    expect(server.anchor).toEqual(anchor)
    expect(verifyReceipt((await server.kernel.receipt(idOf(before)))!, anchor).ok).toBe(true)
    expect(verifyReceipt(await decide('eve'), anchor).ok).toBe(true)
  })

  it('has no keys unless they are asked for', async () => {
    await decide('ada')
    await archiveLog(place.config, archive)
    expect((await readdir(archive)).sort()).toEqual([
      'archive.json',
      'assay.db',
      'checkpoint',
      'trust.json',
    ])
    for (const name of await readdir(archive))
      expect([name, (await stat(join(archive, name))).mode & 0o077]).toEqual([name, 0])
  })

  it('is not written over something', async () => {
    await mkdir(archive)
    await writeFile(join(archive, 'mine'), '')
    await expect(archiveLog(place.config, archive)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await readdir(archive)).toEqual(['mine'])
  })
})

describe('a restore', () => {
  it('is refused where something is already', async () => {
    await archiveLog(place.config, archive)
    const { data } = elsewhere()
    await mkdir(data)
    await writeFile(join(data, 'trust.json'), '{}')
    await expect(restore()).rejects.toMatchObject({ code: 'unavailable' })
    expect(await readdir(data)).toEqual(['trust.json'])
  })

  it('of an archive that somebody changed leaves nothing', async () => {
    await archiveLog(place.config, archive)
    await appendFile(join(archive, 'assay.db'), 'x')
    await expect(restore()).rejects.toMatchObject({ code: 'corrupt' })
    expect(existsSync(elsewhere().data)).toBe(false)
    await writeFile(join(archive, 'archive.json'), '{"type":"assay.archive/v1"}')
    await expect(restore()).rejects.toMatchObject({ code: 'malformed' })
  })

  it('of a log that the anchor does not know leaves nothing', async () => {
    await decide('ada')
    await archiveLog(place.config, archive)
    const other = { ...server.anchor, origin: 'log.example.com/other' }
    const report = await restoreLog(elsewhere(), { from: archive, anchor: other })
    expect(report).toMatchObject({ ok: false, problems: [{ code: 'untrusted_key' }] })
    expect(existsSync(elsewhere().data)).toBe(false)
  })

  it('of an older moment than a known checkpoint is refused: that would be a roll-back', async () => {
    await decide('ada')
    await archiveLog(place.config, archive)
    const early = (await server.kernel.log.checkpoint()) as Uint8Array
    await decide('eve')
    const late = (await server.kernel.log.checkpoint()) as Uint8Array
    expect(await restore(late)).toMatchObject({ ok: false, problems: [{ where: 'checkpoint' }] })
    expect(existsSync(elsewhere().data)).toBe(false)
    expect(await restore(early)).toMatchObject({ ok: true })
  })

  it('goes on under the anchor that it was verified with, whatever lies in the archive', async () => {
    await archiveLog(place.config, archive, { keys: true })
    const other = { ...server.anchor, keys: [...server.anchor.keys, foreign(server.anchor.origin)] }
    await writeFile(join(archive, 'trust.json'), formatAnchor(other))
    expect(await restore()).toMatchObject({ ok: true })
    const written = await readFile(join(elsewhere().data, 'trust.json'), 'utf8')
    expect(parseAnchor(written)).toEqual(server.anchor)
  })

  it('of keys that have been replaced since does not start: they sign nothing any more', async () => {
    await decide('ada')
    await archiveLog(place.config, archive, { keys: true })
    await place.stop()
    const { anchor } = await rotateLogKey(place.config)
    expect(await restoreLog(elsewhere(), { from: archive, anchor })).toMatchObject({ ok: true })
    await expect(place.startWith(elsewhere())).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that ends in the middle leaves nothing half done, and can be made again', async () => {
    await decide('ada')
    await archiveLog(place.config, archive)
    const { data } = elsewhere()
    const killed = readArchive({ from: archive, data, anchor: server.anchor }, () =>
      Promise.reject(new Error('killed')),
    )
    await expect(killed).rejects.toMatchObject({ code: 'unavailable' })
    expect(existsSync(data)).toBe(false)
    expect(await restore()).toMatchObject({ ok: true })
  })
})

it('compacting keeps the log, and is for stopped servers', async () => {
  const receipt = await decide('ada')
  await expect(compactLog(place.config)).rejects.toMatchObject({ code: 'locked' })
  await place.stop()
  await compactLog(place.config)
  server = await place.start()
  expect(await server.kernel.receipt(idOf(receipt))).toHaveProperty('openings')
  expect(await readFile(place.database)).toBeInstanceOf(Buffer)
  await rm(archive, { force: true })
})
