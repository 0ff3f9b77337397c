import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Reconstruction } from '../adapters/trustpath/reconstruct.ts'
import { assay } from '../test/command.ts'
import { CELL, LeasePlace, RESOURCES, TENANT } from '../test/lease/place.ts'
import { compiler } from '../test/rego.ts'
import { pairOf } from '../test/tokens.ts'

let here: LeasePlace
let lease: string
beforeEach(async () => {
  here = await LeasePlace.make()
  const { publicKey: nk } = pairOf('holder')
  const [resource] = RESOURCES as [string]
  const grant = { cell: CELL, nk, resource, tenant: TENANT, ttl: 100 }
  lease = (await here.ask('lease.grant', grant)).id
  await here.ask('lease.revoke', { lease, why: 'asked\u001b[2J to' })
})
afterEach(() => here.remove())
afterAll(() => compiler.close())

describe('assay log reconstruct', { timeout: 120_000 }, () => {
  it('reads beside a running server, in words and in JSON', async () => {
    const data = here.data
    const { code, stdout } = await assay('log', 'reconstruct', lease, '--data', data)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+ \S+Z lease\.grant by operator root allowed \w+$/m)
    expect(stdout).toContain('then: lease active, generation 1; resource leased')
    expect(stdout).toMatch(/^agreed: \d+ events, .*; lease revoked, .*resource tearing_down$/m)
    expect(stdout).not.toContain('\u001b')
    const json = await assay('log', 'reconstruct', lease, '--data', data, '--json')
    const found = JSON.parse(json.stdout) as Reconstruction
    expect(found).toMatchObject({ ok: true, lease, state: { lease: { state: 'revoked' } } })
  })

  it('reads an archive alone', async () => {
    const to = join(here.data, 'archive')
    const archived = await assay('log', 'archive', '--to', to, '--data', here.data)
    expect(archived.code).toBe(0)
    await rm(join(here.data, 'assay.db'))
    const { code, stdout } = await assay('log', 'reconstruct', lease, '--data', to)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^agreed: /m)])
  })

  it('says plainly that a record is not as the log has it', async () => {
    const key = { partition: 'lease', sort: `lease/${lease}` }
    const row = (await here.store.get(key))!
    const text = new TextDecoder().decode(row.value).replace('"revoked"', '"active"')
    const value = new TextEncoder().encode(text)
    await here.store.commit([{ writes: [{ put: key, value, if: row.version }] }])
    const { code, stdout } = await assay('log', 'reconstruct', lease, '--data', here.data)
    expect(code).toBe(1)
    expect(stdout).toContain(`FAIL record lease/${lease}: state is "active", by the log "revoked"`)
    expect(stdout).toMatch(/^NOT AGREED: /m)
  })

  it.each(['x', '0'.repeat(32)])('refuses %s', async (name) => {
    const { code, stderr } = await assay('log', 'reconstruct', name, '--data', here.data)
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^assay: /)])
  })
})
