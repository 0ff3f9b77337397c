/** What a cell may do by its signed call, and that a call whose signature does not hold looks nothing up. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { randomBytes, toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import { Payload } from '../../core/request.ts'
import { callMessage } from '../../formats/call/index.ts'
import { lease } from '../../plugins/lease/facts.ts'
import { compiler } from '../rego.ts'
import { ANYONE, CELL, code, type Leasing, leasing, NOW, publicKey, TENANT } from './kit.ts'

const GPU = 'gpu-0'
const pair = generateKeyPairSync('ed25519')
const key = pair.publicKey.export({ format: 'jwk' }).x as string

let place: Leasing
beforeEach(async () => {
  place = await leasing()
  const stored = await place.store.get({ partition: 'enrolment', sort: 'cell/cell-a' })
  const cell = JSON.parse(new TextDecoder().decode(stored?.value))
  const keys = [...cell.keys, { public_key: key, state: 'grace' }]
  await place.put('enrolment', 'cell/cell-a', { ...cell, keys })
  await place.decide('lease.add-resource', { cell: CELL, resource: GPU })
})
afterEach(() => place.kernel.close())
afterAll(() => compiler.close())

interface Call {
  readonly action?: string
  readonly cell?: string
  readonly nonce?: string
  readonly time?: number
}

/** As a cell sends it: what is not given is as it should be. */
function call(signed: string, body: Json, members: Call = {}): Json {
  const { action = signed, cell = CELL, time = NOW } = members
  const nonce = members.nonce ?? toBase64url(randomBytes(16))
  const message = callMessage({ action, body, cell, nonce, time })
  const signature = sign(null, message, pair.privateKey).toString('base64url')
  return { body, call: { cell, nonce, signature, time } }
}

async function leased(): Promise<string> {
  const asked = { cell: CELL, nk: publicKey(), resource: GPU, tenant: TENANT, ttl: 60 }
  return (await place.decide('lease.grant', asked)).id
}
const asCell = (action: string, payload: Json) => place.decide(action, payload, ANYONE)

describe('a cell', () => {
  it('adds, revokes, reports and observes what is its own', async () => {
    const add = { cell: CELL, resource: 'gpu-1' }
    expect(code(await asCell('lease.add-resource', call('lease.add-resource', add)))).toBe(
      'resource_added',
    )
    const id = await leased()
    const revoke = call('lease.revoke', { lease: id, why: 'overheated' })
    expect(code(await asCell('lease.revoke', revoke))).toBe('ended')
    const report = call('lease.torn-down', { epoch: 2, lease: id, ok: false, resource: GPU })
    expect(code(await asCell('lease.torn-down', report))).toBe('teardown_failed')
    const observed = call('lease.observed', { epoch: 3, resource: GPU, state: 'reset' })
    expect(code(await asCell('lease.observed', observed))).toBe('reset_observed')
  })

  it('grants nothing, and touches nothing of another cell', async () => {
    const asked = { cell: CELL, nk: publicKey(), resource: GPU, tenant: 'acme', ttl: 60 }
    expect(code(await asCell('lease.grant', call('lease.grant', asked)))).toBe('no_lease_role')
    const far = await place.store.get({ partition: 'enrolment', sort: 'cell/cell-far' })
    const keys = [{ public_key: key, state: 'active' }]
    const record = JSON.parse(new TextDecoder().decode(far?.value))
    await place.put('enrolment', 'cell/cell-far', { ...record, keys })
    const revoke = call('lease.revoke', { lease: await leased() }, { cell: 'cell-far' })
    expect(code(await asCell('lease.revoke', revoke))).toBe('no_lease_role')
  })

  it('is heard once', async () => {
    const again = call('lease.add-resource', { cell: CELL, resource: 'gpu-1' })
    const both = await Promise.all([1, 2, 3].map(() => asCell('lease.add-resource', again)))
    expect(both.map(code).sort()).toEqual(['caller_replayed', 'caller_replayed', 'resource_added'])
  })
})

describe('a call that does not hold', () => {
  const body = { cell: CELL, resource: 'gpu-1' }
  it.each<[string, Json, string]>([
    ['of another action', call('lease.revoke', body), 'caller_invalid'],
    ['with another body', { ...(call('x', body) as object), body: { ...body, resource: 'x' } }, ''],
    ['of a cell that nobody enrolled', call('x', body, { cell: 'cell-z' }), 'caller_unknown'],
    ['of long ago', call('lease.add-resource', body, { time: NOW - 31 }), 'caller_stale'],
    ['for later', call('lease.add-resource', body, { time: NOW + 31 }), 'caller_stale'],
  ])('%s', async (_, payload, why) => {
    expect(code(await asCell('lease.add-resource', payload))).toBe(why || 'caller_invalid')
  })

  it('looks up the cell that it names, and nothing else', async () => {
    const body = { lease: await leased() }
    const asked: string[] = []
    const record = await place.store.get({ partition: 'enrolment', sort: 'cell/cell-a' })
    const read: ReadPorts = {
      get: async (sort) => void asked.push(sort) as undefined,
      getFrom: async (plugin, sort) => {
        asked.push(`${plugin}/${sort}`)
        return JSON.parse(new TextDecoder().decode(record?.value)) as Json
      },
      listGuarded: () => Promise.reject(new Error('not here')),
      snapshot: () => Promise.reject(new Error('not here')),
      decided: () => Promise.reject(new Error('not here')),
    }
    const payload = Payload.fromJson(call('lease.free', body))
    const request = { action: 'lease.revoke', payload, peer: ANYONE, obligations: [] }
    const { signal } = new AbortController()
    const facts = await (lease as Plugin).facts(request, read, NOW, signal)
    expect(facts).toMatchObject({ caller: { check: 'signature_invalid' }, lease: { found: false } })
    expect(asked).toEqual(['enrolment/cell/cell-a'])
  })
})
