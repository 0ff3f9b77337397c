/** The life of a lease, told by a kernel with the real policies: what each step answers, writes and puts into the outbox. */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ed25519Key, toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { assemble, attenuate, newKey } from '../../formats/cap1/client.ts'
import { readToken, type Token, verifyToken } from '../../formats/cap1/index.ts'
import { testCustody } from '../kernel/custody.ts'
import { compiler } from '../rego.ts'
import {
  ANYONE,
  CELL,
  code,
  collector,
  type Granted,
  type Leasing,
  leasing,
  NOW,
  publicKey,
  TENANT,
} from './kit.ts'

const GPU = 'gpu-0'
let outbox: ReturnType<typeof collector>
let place: Leasing
beforeEach(async () => {
  outbox = collector()
  place = await leasing({ outbound: [outbox] })
  await place.decide('lease.add-resource', { cell: CELL, resource: GPU })
})
afterEach(() => place.kernel.close())
afterAll(() => compiler.close())

const request = (more: { readonly [member: string]: Json } = {}): Json => ({
  cell: CELL,
  nk: publicKey(),
  resource: GPU,
  tenant: TENANT,
  ttl: 300,
  ...more,
})

async function granted(more = {}): Promise<Granted> {
  const decision = await place.decide('lease.grant', request(more))
  expect(code(decision)).toBe('granted')
  return decision.output as unknown as Granted
}

/** What was delivered since, without the keys of its entries. */
async function delivered(count: number): Promise<readonly Json[]> {
  await vi.waitFor(() => expect(outbox.actions.length).toBeGreaterThanOrEqual(count))
  return outbox.actions.map(({ body, kind }) => ({ kind, body }))
}

describe('a grant', () => {
  it('answers what a holder makes a token of, and no private key passes by', async () => {
    const custody = await testCustody()
    const own = await leasing({ custody })
    await own.decide('lease.add-resource', { cell: CELL, resource: GPU })
    const holder = await newKey()
    const cnf = publicKey()
    const caveats = [{ t: 'op', v: ['read'] }]
    const asked = request({ caveats, cnf, nk: holder.publicKey })
    const decision = await own.decide('lease.grant', asked, ANYONE)
    const output = decision.output as unknown as Granted
    expect(output).toMatchObject({ expires_at: NOW + 300, generation: 1, lease: decision.id })
    const text = await attenuate(await assemble(output, holder), [{ t: 'max_bytes', v: 7 }])
    const token = readToken(text) as Token
    const [key] = await custody.list('cell')
    expect(verifyToken(token, [ed25519Key(key!.publicKey)])).toBe('valid')
    expect(token.authority).toEqual({
      aud: CELL,
      caveats,
      cnf,
      exp: NOW + 300,
      gen: 1,
      iat: NOW,
      iss: CELL,
      jti: `${decision.id}.1`,
      lease: decision.id,
      nk: holder.publicKey,
      resource: GPU,
      tenant: TENANT,
    })
    const { openings } = (await own.kernel.receipt(decision.id)) ?? {}
    expect(JSON.stringify(openings)).not.toContain(holder.privateKey)
    await own.kernel.close()
  })

  it('holds the resource: of many at once exactly one gets it', async () => {
    const all = await Promise.all(
      Array.from({ length: 24 }, () => place.decide('lease.grant', request())),
    )
    const won = all.filter(({ allow }) => allow)
    expect(won).toHaveLength(1)
    const others = all.filter(({ allow }) => !allow)
    expect(new Set(others.map(code))).toEqual(new Set(['resource_leased']))
    expect(await place.resource(GPU)).toMatchObject({ lease: won[0]?.id, state: 'leased' })
  })

  it('is refused for what a reader of the token would refuse', async () => {
    const weak = toBase64url(new Uint8Array(32))
    expect(code(await place.decide('lease.grant', request({ nk: weak })))).toBe('weak_key')
    expect(code(await place.decide('lease.grant', request({ cnf: weak })))).toBe('weak_key')
    const bad = { nk: '_'.repeat(43) }
    const caveats = [{ t: 'op', v: [], x: 1 }]
    for (const more of [bad, { caveats }, { caveats: [{ t: '', v: 1 }] }, { ttl: 0 }])
      expect(code(await place.decide('lease.grant', request(more)))).toBe('malformed_request')
    expect(code(await place.decide('lease.grant', request({ ttl: 301 })))).toBe('ttl_exceeds_max')
  })
})

describe('a renewal', () => {
  it('raises the generation, keeps caveats and holder, and has older tokens refused elsewhere', async () => {
    const cnf = publicKey()
    const { lease } = await granted({ caveats: [{ t: 'op', v: ['read'] }], cnf, ttl: 60 })
    place.clock.advance(30_000)
    const renewal = { generation: 1, lease, nk: publicKey(), ttl: 120 }
    const decision = await place.decide('lease.renew', renewal)
    const output = decision.output as unknown as Granted
    expect(output).toMatchObject({ expires_at: NOW + 150, generation: 2, lease })
    const payload = JSON.parse(Buffer.from(output.payload, 'base64url').toString())
    expect(payload).toMatchObject({ caveats: [{ t: 'op', v: ['read'] }], cnf, gen: 2 })
    expect(await delivered(1)).toEqual([
      {
        kind: 'announce.revoke',
        body: { below: 2, cell: CELL, id: lease, kind: 'lease', until: NOW + 360 },
      },
    ])
    expect(code(await place.decide('lease.renew', renewal))).toBe('lease_generation_stale')
  })

  it('of the same moment moves nothing in the index of what is due', async () => {
    const { lease } = await granted()
    const renewal = { generation: 1, lease, nk: publicKey(), ttl: 300 }
    expect(code(await place.decide('lease.renew', renewal))).toBe('renewed')
    place.clock.advance(300_000)
    expect(code(await place.decide('lease.expire', { lease }))).toBe('ended')
  })
})

describe('the end of a lease', () => {
  it.each([
    ['lease.free', 'freed', ANYONE],
    ['lease.revoke', 'revoked', { kind: 'operator', id: 'root' }],
    ['lease.expire', 'expired', { kind: 'embedded', id: 'process' }],
  ] as const)('by %s is torn down and told to other kernels', async (action, state, peer) => {
    const { lease } = await granted()
    place.clock.advance(300_000)
    const decision = await place.decide(action, { lease }, peer)
    expect(code(decision)).toBe('ended')
    expect(decision.output).toEqual({ epoch: 2, resource: GPU, state: 'tearing_down' })
    expect(await place.lease(lease)).toMatchObject({ state, teardown: { epoch: 2 } })
    expect(await place.resource(GPU)).toMatchObject({ epoch: 2, lease, state: 'tearing_down' })
    expect(await delivered(2)).toEqual(
      expect.arrayContaining([
        {
          kind: 'lease.teardown',
          body: { cell: CELL, epoch: 2, generation: 1, lease, resource: GPU },
        },
        {
          kind: 'announce.revoke',
          body: { cell: CELL, id: lease, kind: 'lease', until: NOW + 630 },
        },
      ]),
    )
    expect(code(await place.decide(action, { lease }, peer))).toBe('already_ended')
    expect(outbox.actions).toHaveLength(2)
  })

  it('needs nothing but the id of the lease, also long after its time', async () => {
    const { lease } = await granted({ ttl: 1 })
    place.clock.advance(86_400_000)
    const guest = { kind: 'service', id: 'somebody' }
    expect(code(await place.decide('lease.free', { lease }, guest))).toBe('ended')
    expect(code(await place.decide('lease.free', { lease: 'f'.repeat(32) }, guest))).toBe(
      'lease_unknown',
    )
  })
})

describe('a teardown', () => {
  const torn = (lease: string, ok: boolean, more: object = {}) =>
    place.decide('lease.torn-down', { epoch: 2, lease, ok, resource: GPU, ...more })

  it('that went well frees the resource', async () => {
    const { lease } = await granted()
    await place.decide('lease.free', { lease })
    expect(code(await torn(lease, true))).toBe('torn_down')
    expect(await place.resource(GPU)).toEqual({
      cell: CELL,
      epoch: 3,
      resource: GPU,
      since: NOW,
      state: 'free',
    })
    expect(code(await torn(lease, true))).toBe('outcome_known')
    expect(code(await torn(lease, false))).toBe('outcome_settled')
    await granted()
  })

  it('that failed fences it, until it was seen reset since', async () => {
    const { lease } = await granted()
    await place.decide('lease.free', { lease })
    const failed = await torn(lease, false, { why: 'the driver hangs' })
    expect(code(failed)).toBe('teardown_failed')
    expect(failed.output).toEqual({ epoch: 3, resource: GPU, state: 'fenced' })
    expect(await place.resource(GPU)).toMatchObject({
      epoch: 3,
      fence: { at: NOW, why: 'the driver hangs' },
      lease,
      state: 'fenced',
    })
    expect(code(await place.decide('lease.grant', request()))).toBe('resource_fenced')
    const observed = (epoch: number) =>
      place.decide('lease.observed', { epoch, resource: GPU, state: 'reset' })
    expect(code(await observed(2))).toBe('epoch_stale')
    expect(code(await place.decide('lease.request-reset', { resource: GPU }))).toBe(
      'reset_requested',
    )
    expect(await delivered(3)).toContainEqual({
      kind: 'lease.reset',
      body: { cell: CELL, epoch: 3, resource: GPU },
    })
    expect(code(await observed(3))).toBe('reset_observed')
    expect(code(await observed(3))).toBe('not_fenced')
    await granted()
  })

  it('is of one lease, one resource and one epoch', async () => {
    await place.decide('lease.add-resource', { cell: CELL, resource: 'gpu-1' })
    const { lease } = await granted()
    expect(code(await torn(lease, true))).toBe('not_tearing_down')
    await place.decide('lease.free', { lease })
    expect(code(await torn(lease, true, { resource: 'gpu-1' }))).toBe('resource_mismatch')
    expect(code(await torn(lease, true, { epoch: 1 }))).toBe('epoch_stale')
    expect(code(await torn(lease, true, { resource: 'gpu-2' }))).toBe('resource_unknown')
    expect(code(await torn('0'.repeat(32), true))).toBe('lease_unknown')
  })
})

describe('a resource', () => {
  it('is added once, by the kernel of its cell', async () => {
    const add = (cell: string) => place.decide('lease.add-resource', { cell, resource: GPU })
    expect(code(await add(CELL))).toBe('resource_known')
    expect(code(await add('cell-far'))).toBe('cell_not_local')
    expect(code(await add('cell-z'))).toBe('cell_unknown')
  })

  it('is leased to those only who are registered and not revoked', async () => {
    const grant = (more: object) => place.decide('lease.grant', request({ ...more }))
    expect(code(await grant({ tenant: 'nobody' }))).toBe('tenant_unknown')
    await place.put('announce', 'revoked/tenant/cell-a/acme', { until: null })
    expect(code(await grant({ tenant: 'acme' }))).toBe('tenant_revoked')
    await place.put('announce', 'revoked/tenant/cell-a/acme', { until: NOW })
    await place.put('announce', 'revoked/tenant/cell-far/acme', { until: null })
    expect(code(await grant({ tenant: 'acme' }))).toBe('granted')
    await place.put('announce', 'revoked/tenant/*/acme', { until: NOW + 1 })
    expect(code(await grant({ tenant: 'acme' }))).toBe('tenant_revoked')
  })

  it('is not leased under a key that is revoked', async () => {
    const cell = await place.store.get({ partition: 'enrolment', sort: 'cell/cell-a' })
    const [{ public_key }] = JSON.parse(new TextDecoder().decode(cell?.value)).keys
    await place.put('announce', `revoked/key/cell-a/${public_key}`, { until: null })
    expect(code(await place.decide('lease.grant', request()))).toBe('key_revoked')
  })
})

it('a lease that is revoked from elsewhere is not renewed', async () => {
  const { lease } = await granted()
  const renew = (generation: number) =>
    place.decide('lease.renew', { generation, lease, nk: publicKey(), ttl: 300 })
  await place.put('announce', `revoked/lease/cell-a/${lease}`, { below: 1, until: NOW + 300 })
  expect(code(await renew(1))).toBe('renewed')
  await place.put('announce', `revoked/lease/cell-a/${lease}`, { until: NOW + 300 })
  expect(code(await renew(2))).toBe('lease_revoked')
})
