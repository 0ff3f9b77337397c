import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../core/json.ts'
import { assay } from '../test/command.ts'
import { Server } from '../test/server.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
let data: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-log-'))
  data = join(dir, 'data')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

type Members = { readonly [name: string]: Json }
async function json(...args: string[]): Promise<{ code: number; value: Members }> {
  const { code, stdout } = await assay(...args, '--data', data, '--json')
  return { code, value: JSON.parse(stdout) as Members }
}
async function decide(subject: string): Promise<string> {
  const payload = JSON.stringify({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  })
  return (await json('decide', '--payload', payload)).value.id as string
}
const trust = (): string => join(data, 'trust.json')

describe('assay log query', () => {
  it('finds and opens decisions for the operator, and is on record itself', async () => {
    const [ada, eve] = [await decide('ada'), await decide('eve')]
    const denied = await json('log', 'query', '--action', 'access.*', '--denied')
    expect(denied).toMatchObject({ code: 0, value: { records: [{ id: eve }] } })
    const opened = await assay('log', 'query', '--id', ada, '--fields', 'payload', '--data', data)
    expect(opened.code).toBe(0)
    expect(opened.stdout).toContain(`${ada} access.evaluate allowed role_permitted`)
    expect(opened.stdout).toContain('ckpt-7-0041')
    expect(opened.stdout).not.toContain('verdict:')
    const own = await json('log', 'query', '--action', 'audit.query', '--since', '2020-01-01')
    expect((own.value.records as Json[]).length).toBe(2)
    const [record] = opened.code === 0 ? (denied.value.records as Members[]) : []
    await writeFile(join(dir, 'receipt.json'), JSON.stringify(record?.receipt))
    expect((await assay('verify', join(dir, 'receipt.json'), '--trust', trust())).code).toBe(0)
  })

  it('of a running server shows what the policy lets its caller see', async () => {
    const id = await decide('ada')
    const server = new Server({ data })
    try {
      const url = await server.ready
      const asked = await assay('log', 'query', '--url', url, '--id', id, '--json')
      expect(asked.code).toBe(1)
      expect(JSON.parse(asked.stdout)).toMatchObject({
        decision: { allow: false, reasons: [{ code: 'no_audit_role' }] },
        records: [],
      })
      const locked = await json('log', 'query', '--id', id)
      expect(locked).toMatchObject({ code: 2, value: { error: { code: 'locked' } } })
    } finally {
      await server.stop()
    }
  })

  it.each([
    ['--since', 'yesterday'],
    ['--limit', '257'],
    ['--allowed', '--denied'],
    ['--url', 'file:///etc/passwd'],
  ])('refuses %s %s', async (...args) => {
    expect((await assay('log', 'query', ...args)).code).toBe(2)
  })
})

describe('assay log', () => {
  it('replaces the key, and old receipts stay valid', async () => {
    const id = await decide('ada')
    const { stdout } = await assay('receipt', id, '--data', data)
    const file = join(dir, 'receipt.json')
    await writeFile(file, stdout)
    const rotated = await json('log', 'rotate-key')
    expect(rotated).toMatchObject({ code: 0, value: { retired: 1, next: 2 } })
    expect(existsSync(rotated.value.checkpoint as string)).toBe(true)
    expect((await assay('verify', file, '--trust', trust())).code).toBe(0)
    expect((await assay('fsck', '--data', data, '--trust', trust())).code).toBe(0)
    expect(await decide('eve')).toMatch(/^[0-9a-f]{32}$/)
    const wrong = await json('log', 'rotate-key', '--compromised-since', 'all')
    expect(wrong).toMatchObject({ code: 2, value: { error: { code: 'usage' } } })
  })

  it('says why a server cannot be asked', async () => {
    const { code, stderr } = await assay('log', 'query', '--url', 'http://127.0.0.1:1')
    expect(code).toBe(2)
    // The cause, and not what fetch says whatever it was.
    expect(stderr).toContain('http://127.0.0.1:1/assay/v1/audit/query: bad port')
  })

  it('is archived and restored, and an older archive than a known checkpoint is refused', async () => {
    await decide('ada')
    const [early, late] = [join(dir, 'early'), join(dir, 'late')]
    expect((await json('log', 'archive', '--to', early)).code).toBe(0)
    await decide('eve')
    expect((await json('log', 'archive', '--to', late, '--keys')).code).toBe(0)
    const anchor = trust()
    const checkpoint = join(late, 'checkpoint')
    data = join(dir, 'restored')
    const restore = (from: string) =>
      json('log', 'restore', '--from', from, '--trust', anchor, '--expect', checkpoint)
    expect(await restore(early)).toMatchObject({ code: 1, value: { ok: false } })
    expect(existsSync(data)).toBe(false)
    expect(await restore(late)).toMatchObject({ code: 0, value: { ok: true } })
    expect(await decide('mallory')).toMatch(/^[0-9a-f]{32}$/)
    expect(await restore(late)).toMatchObject({
      code: 2,
      value: { error: { code: 'unavailable' } },
    })
  })

  it('is written anew', async () => {
    await decide('ada')
    expect(await json('log', 'compact')).toMatchObject({ code: 0, value: { compacted: data } })
    expect((await readFile(join(data, 'assay.db'))).length).toBeGreaterThan(0)
  })
})
