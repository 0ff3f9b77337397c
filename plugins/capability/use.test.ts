/** Uses of tokens in a real kernel: what is counted stays counted, what is presented twice is refused once, and nothing is read too early. */
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { prove } from '../../formats/cap1/client.ts'
import { MUTATIONS, type Original } from '../../test/cases/capability/mutations.ts'
import { storeWith } from '../../test/conformance/store/delegate.ts'
import { type EnforcementPoint, said } from '../../test/enforcement.ts'
import {
  handlesOf,
  NOW,
  openPoint,
  operation,
  RECORDS,
  used,
  withCaveats,
} from '../../test/presented.ts'
import { compiler } from '../../test/rego.ts'
import {
  attenuationOf,
  authorityOf,
  CELL,
  chain,
  extended,
  granted,
  linkOf,
  pairOf,
  sealed,
  tokenText,
} from '../../test/tokens.ts'
import { capability } from './facts.ts'

afterAll(() => compiler.close())

describe('budgets', () => {
  test('are counted over uses, and shared by all that is made of the token', async () => {
    const { kernel, record, use } = await openPoint()
    const parent = extended(
      chain(0),
      attenuationOf(1, [{ t: 'byte_budget', v: { bytes: 10 } }]),
      linkOf(0),
      linkOf(1),
    )
    const child = extended(parent, attenuationOf(2, []), linkOf(1), linkOf(2))
    expect(said(await use(used(tokenText(parent), { bytes: 4 })))[0]).toBe(true)
    expect(said(await use(used(tokenText(child), { bytes: 5 })))[0]).toBe(true)
    expect(said(await use(used(tokenText(child), { bytes: 2 })))).toEqual([false, 'caveat_denied'])
    expect(said(await use(used(tokenText(parent), { bytes: 1 })))[0]).toBe(true)
    expect(said(await use(used(tokenText(parent), { bytes: 1 })))).toEqual([false, 'caveat_denied'])
    const counter = `spent/${handlesOf(tokenText(parent))[1]}/0`
    expect(await record(counter)).toEqual({ amount: 10, since: NOW, until: 1_800_000_300 })
    expect(kernel.readiness().ready).toBe(true)
  })

  test('cannot be overspent by uses at the same time', async () => {
    const { use } = await openPoint()
    const token = withCaveats({ t: 'rate_budget', v: { count: 5, seconds: 60 } })
    const decisions = await Promise.all(Array.from({ length: 12 }, () => use(used(token))))
    const more = await Promise.all(Array.from({ length: 6 }, () => use(used(token))))
    const allowed = [...decisions, ...more].filter(({ allow }) => allow).length
    expect(allowed).toBe(5)
    const codes = new Set([...decisions, ...more].flatMap((one) => said(one).slice(1)))
    for (const code of codes)
      expect(['token_accepted', 'caveat_denied', 'kernel/contended']).toContain(code)
  })

  test('begin anew in the next window', async () => {
    const { clock, use } = await openPoint()
    const token = withCaveats({ t: 'rate_budget', v: { count: 1, seconds: 10 } })
    expect((await use(used(token))).allow).toBe(true)
    clock.advance(9_000)
    expect((await use(used(token))).allow).toBe(false)
    clock.advance(1_000)
    expect((await use(used(token))).allow).toBe(true)
  })

  test('a dry run spends nothing', async () => {
    const opened = await openPoint()
    const token = withCaveats({ t: 'rate_budget', v: { count: 1, seconds: 60 } })
    const payload = Payload.fromJson(used(token))
    expect((await opened.kernel.check({ action: 'capability.use', payload })).allow).toBe(true)
    expect((await opened.use(used(token))).allow).toBe(true)
  })
})

describe('a token that is bound to its holder', () => {
  const holder = pairOf('holder')
  const token = tokenText(sealed(chain(1, { cnf: holder.publicKey })))
  const proven = async (nonce: string, time: number = NOW, asked: object = {}): Promise<Json> => {
    const request = { ...operation, bytes: 1 }
    const proof = await prove(token, holder, { audience: CELL, nonce, request, time })
    return { at: CELL, operation: request, proof: { ...proof }, token, ...asked }
  }

  test('is presented once with each proof, also at the same time', async () => {
    const { use } = await openPoint()
    const once = await proven('once')
    const decisions = await Promise.all([1, 2, 3, 4, 5, 6].map(() => use(once)))
    expect(decisions.filter(({ allow }) => allow).length).toBe(1)
    const refused = decisions.filter(({ allow }) => !allow).map((one) => said(one)[1])
    expect(new Set(refused)).toEqual(new Set(['replayed']))
    expect((await use(await proven('twice'))).allow).toBe(true)
  })

  test('cannot be replayed after its nonce was forgotten', async () => {
    const point = await openPoint()
    const { ask, clock, use } = point
    expect((await use(await proven('n', NOW + 30))).allow).toBe(true)
    clock.advance(60_000)
    expect(said(await use(await proven('n', NOW + 30)))).toEqual([false, 'replayed'])
    clock.advance(1_000)
    const { id } = await noncesOf(point)
    expect(said(await ask('capability.sweep', { keys: [id] }))).toEqual([true, 'due'])
    expect(said(await use(await proven('n', NOW + 30)))).toEqual([false, 'proof_invalid'])
  })

  test('is worth nothing with a proof for something else', async () => {
    const { use } = await openPoint()
    const other = await proven('a', NOW, { operation: { ...operation, bytes: 1, purpose: 'x' } })
    expect(said(await use(other))).toEqual([false, 'proof_invalid'])
    expect(said(await use(await proven('b', NOW, { at: 'cell-C' })))).toEqual([
      false,
      'audience_mismatch',
    ])
  })
})

describe('before every signature holds', () => {
  const made = extended(chain(2), attenuationOf(3, []), linkOf(2), linkOf(3))
  const authority = { ...authorityOf() }
  const build: Original['build'] = (payload, { issuer } = {}) => granted(payload, issuer)
  const original = { authority, made, build }

  test.each(Object.keys(MUTATIONS))('nothing but the issuer is looked up: %s', async (name) => {
    const reads: string[] = []
    const read: ReadPorts = {
      get: async (sort) => {
        reads.push(sort)
        return undefined
      },
      getFrom: async (plugin, sort) => {
        reads.push(`${plugin}/${sort}`)
        return RECORDS[plugin]?.[sort]
      },
      listGuarded: () => Promise.reject(new Error('listed')),
      snapshot: () => Promise.reject(new Error('looked')),
      decided: () => Promise.reject(new Error('looked back')),
    }
    const payload = Payload.fromJson(used(MUTATIONS[name]!(original)))
    const request = { action: 'capability.use', obligations: [], payload, peer: PEER }
    const facts = await capability.facts(request, read, NOW, new AbortController().signal)
    expect(facts.token.check).not.toBe('valid')
    expect(Object.keys(facts.token)).toEqual(['check'])
    expect(reads.filter((sort) => sort !== `enrolment/cell/${CELL}`)).toEqual([])
  })
})
const PEER = { kind: 'anonymous', id: 'anonymous' }

test('a revocation that lands between facts and commit wins', async () => {
  let store: Store | undefined
  let revoking = true
  const token = tokenText(chain(1))
  const [, handle = ''] = handlesOf(token)
  const revoke = async (): Promise<void> => {
    revoking = false
    const entry = { kind: 'token', id: handle, at: NOW, until: null, origin: CELL, sequence: 1 }
    const value = new TextEncoder().encode(JSON.stringify(entry))
    const put = { partition: 'announce', sort: `revoked/token/${CELL}/${handle}` }
    await store?.commit([{ writes: [{ put, value, if: 'absent' }] }])
  }
  const watch = (inner: Store): Store => {
    store = inner
    return storeWith(inner, {
      commit: async (batches) => {
        const uses = batches.some(({ writes }) => writes.some((write) => 'check' in write))
        if (revoking && uses) await revoke()
        return inner.commit(batches)
      },
    })
  }
  const { use } = await openPoint({ watch })
  expect(said(await use(used(token, { bytes: 1 })))).toEqual([false, 'token_revoked'])
})

async function noncesOf({ store }: EnforcementPoint): Promise<{ readonly id: string }> {
  for await (const { key } of store.list('capability', 'nonce/')) return { id: key.sort }
  throw new Error('no nonce is on record')
}
