/** Random lives of leases on a real kernel, with the truth kept beside: what was asked, what was answered, and the records after each step. */
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromBase64url, sha256Hex } from '../../core/crypto.ts'
import { decisionKey, decodeStored, encodeStored } from '../../core/decision.ts'
import type { Json } from '../../core/json.ts'
import type { Openings } from '../../core/log/receipt.ts'
import {
  assemble,
  attenuate,
  type Grant,
  inspectUnverified,
  seal,
} from '../../formats/cap1/client.ts'
import { CELL, LeasePlace, OPERATOR, RESOURCES, TENANT } from '../../test/lease/place.ts'
import { compiler } from '../../test/rego.ts'
import { pairOf } from '../../test/tokens.ts'
import type { LeaseEvent } from './event.ts'
import { type Reconstruction, reconstruct } from './reconstruct.ts'

let here: LeasePlace
beforeEach(async () => {
  here = await LeasePlace.make()
})
afterEach(() => here.remove())
afterAll(() => compiler.close())

const { privateKey, publicKey: nk } = pairOf('holder')
const holder = { privateKey, publicKey: nk }
const handleOf = (token: string): string =>
  sha256Hex(fromBase64url(token.split('.')[2] ?? '') ?? new Uint8Array())
const read = (lease: string): Promise<Reconstruction | undefined> => {
  const { anchor, log, store } = here
  return reconstruct({ anchor, log, store }, lease)
}
const shortly = ({ action, allow, decision }: LeaseEvent): string =>
  `${decision} ${action} ${allow ? 'allowed' : 'denied'}`

/** One thing that somebody does. `n` picks a lease that was granted, or a resource. */
type Step = readonly [what: keyof typeof DOING, n: number]

interface Known {
  readonly leases: string[]
  /** Of each lease what its holder was given, the newest one last. */
  readonly tokens: Map<string, string[]>
}
const leaseAt = ({ leases }: Known, n: number): string =>
  leases[n % leases.length] ?? '0'.repeat(32)
const resourceAt = (n: number): string => RESOURCES[n % RESOURCES.length] as string
async function epochOf(resource: string): Promise<number> {
  return ((await here.record(`resource/${resource}`))?.epoch as number) ?? 0
}

const DOING = {
  use: async (known: Known, n: number) => presenting(known, n, (token) => token),
  narrowed: async (known: Known, n: number) =>
    presenting(known, n, async (token) =>
      seal(await attenuate(token, [{ t: 'op', v: ['write'] }])),
    ),
  forged: async (known: Known, n: number) =>
    presenting(known, n, (token) => token.replace(/\.[^.]{4}([^.]*)$/, '.AAAA$1')),
  disown: async (known: Known, n: number) => {
    const token = known.tokens.get(leaseAt(known, n))?.[0]
    const [id] = token === undefined ? [] : (await inspectUnverified(token)).handles
    return ['announce.revoke', { cell: CELL, id: id ?? '0'.repeat(64), kind: 'token' }]
  },
  grant: async (_: Known, n: number) => [
    'lease.grant',
    { cell: CELL, nk, resource: resourceAt(n), tenant: TENANT, ttl: 100 },
  ],
  renew: async (known: Known, n: number) => {
    const lease = leaseAt(known, n)
    const generation = (await here.record(`lease/${lease}`))?.generation ?? 1
    return ['lease.renew', { generation, lease, nk, ttl: 120 }]
  },
  free: async (known: Known, n: number) => ['lease.free', { lease: leaseAt(known, n) }],
  revoke: async (known: Known, n: number) => [
    'lease.revoke',
    { lease: leaseAt(known, n), why: 'asked to' },
  ],
  expire: async (known: Known, n: number) => {
    here.clock.advance(130_000)
    return ['lease.expire', { lease: leaseAt(known, n) }]
  },
  torn: (known: Known, n: number) => tornDown(known, n, true),
  stuck: (known: Known, n: number) => tornDown(known, n, false),
  reset: async (_: Known, n: number) => ['lease.request-reset', { resource: resourceAt(n) }],
  observe: async (_: Known, n: number) => [
    'lease.observed',
    { epoch: await epochOf(resourceAt(n)), resource: resourceAt(n), state: 'reset' },
  ],
} satisfies Record<string, (known: Known, n: number) => Promise<readonly unknown[]>>

/** One of the lease's tokens, as something is made of it. */
async function presenting(
  known: Known,
  n: number,
  make: (token: string) => Promise<string> | string,
): Promise<readonly unknown[]> {
  const lease = leaseAt(known, n)
  const tokens = known.tokens.get(lease) ?? []
  const token = tokens[n % (tokens.length || 1)] ?? 'none'
  const resource = ((await here.record(`lease/${lease}`))?.resource as string) ?? resourceAt(n)
  return [
    'capability.use',
    { at: CELL, operation: { op: 'read', resource }, token: await make(token) },
  ]
}

async function tornDown(known: Known, n: number, ok: boolean): Promise<readonly unknown[]> {
  const lease = leaseAt(known, n)
  const resource = ((await here.record(`lease/${lease}`))?.resource as string) ?? resourceAt(n)
  return ['lease.torn-down', { epoch: await epochOf(resource), lease, ok, resource }]
}

interface Asked {
  readonly id?: string
  readonly lease?: string
  readonly token?: string
}

/** Whose lease it is, by what the test itself handed out. */
function leaseIn({ tokens }: Known, { id, lease, token }: Asked): string | undefined {
  if (lease !== undefined) return lease
  const fits = (made: string): boolean => {
    const blocks = made.split('.')
    return id === handleOf(made) || token?.split('.')[1] === blocks[1]
  }
  return [...tokens].find(([, made]) => made.some(fits))?.[0]
}

/** What was done to a lease: its decisions, and the records after each. */
interface Truth {
  readonly line: string
  readonly lease: Json | undefined
  readonly resource: Json | undefined
}

async function live(steps: readonly Step[]): Promise<ReadonlyMap<string, readonly Truth[]>> {
  const truths = new Map<string, Truth[]>()
  const known: Known = { leases: [], tokens: new Map() }
  for (const [what, n] of steps) {
    here.clock.advance(1000)
    const [action, payload] = await DOING[what](known, n)
    const about = leaseIn(known, payload as Asked)
    const { allow, id, output } = await here.ask(action as string, payload as Json)
    if (allow && (action === 'lease.grant' || action === 'lease.renew')) {
      const lease = (output as { lease: string }).lease
      const tokens = known.tokens.get(lease) ?? []
      known.tokens.set(lease, [...tokens, assemble(output as unknown as Grant, holder)])
      if (id === lease) {
        known.leases.push(lease)
        truths.set(lease, [])
      }
    }
    const line = `${id} ${action} ${allow ? 'allowed' : 'denied'}`
    for (const [lease, truth] of truths) {
      if (id !== lease && about !== lease) continue
      const record = await here.record(`lease/${lease}`)
      truth.push({
        line,
        lease: record,
        resource: await here.record(`resource/${record?.resource}`),
      })
    }
  }
  return truths
}

/** Granted, renewed, revoked, torn down in vain, fenced, reset. */
async function fenced(): Promise<string> {
  const [resource] = RESOURCES as [string]
  const grant = { cell: CELL, nk, resource, tenant: TENANT, ttl: 100 }
  const { id: lease } = await here.ask('lease.grant', grant)
  await here.ask('lease.renew', { generation: 1, lease, nk, ttl: 120 })
  await here.ask('lease.grant', grant)
  await here.ask('lease.revoke', { lease, why: 'asked to' })
  const epoch = await epochOf(resource)
  await here.ask('lease.torn-down', { epoch, lease, ok: false, resource, why: 'it hangs' })
  await here.ask('lease.grant', grant)
  await here.ask('lease.request-reset', { resource })
  await here.ask('lease.observed', { epoch: epoch + 1, resource, state: 'reset' })
  return lease
}

describe('a life', () => {
  it('is read from the log as it was, whatever was done', { timeout: 240_000 }, async () => {
    const step = fc.tuple(fc.constantFrom(...(Object.keys(DOING) as Step[0][])), fc.nat(5))
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
        await here.remove()
        here = await LeasePlace.make()
        const truths = await live([['grant', 0], ['grant', 1], ...steps])
        for (const [lease, truth] of truths) {
          const found = await read(lease)
          expect(found).toMatchObject({ ok: true, problems: [], differences: [], unknown: [] })
          const lines = new Map(found!.events.map((event) => [shortly(event), event]))
          for (const { said } of found!.events)
            if (said.lease !== undefined) expect(said.lease).toBe(lease)
          for (const { lease: record, line, resource } of truth) {
            const { after } = lines.get(line) as LeaseEvent
            expect(record).toMatchObject({ ...after.lease })
            // Once it is free, another lease may hold it.
            if (after.resource?.state !== 'free')
              expect(resource).toMatchObject({ ...after.resource })
          }
        }
      }),
      { numRuns: 25 },
    )
  })

  it('has every event, with who asked, what signatures said, and the state after it', async () => {
    const lease = await fenced()
    const found = await read(lease)
    const told = found!.events.map(({ action, after, allow, reasons }) => [
      action,
      allow ? 'allowed' : reasons.map(({ code }) => code).join(' '),
      after.lease?.state,
      after.resource?.state,
    ])
    expect(told.filter(([action]) => action !== 'kernel.perform')).toEqual([
      ['lease.grant', 'allowed', 'active', 'leased'],
      ['lease.renew', 'allowed', 'active', 'leased'],
      ['lease.grant', 'resource_leased', 'active', 'leased'],
      ['lease.revoke', 'allowed', 'revoked', 'tearing_down'],
      ['lease.torn-down', 'allowed', 'revoked', 'fenced'],
      ['lease.grant', 'resource_fenced', 'revoked', 'fenced'],
      ['lease.request-reset', 'allowed', 'revoked', 'fenced'],
      ['lease.observed', 'allowed', 'revoked', 'free'],
    ])
    expect(found!.state).toMatchObject({
      lease: { generation: 2, teardown: { outcome: 'failed' } },
      resource: { state: 'free' },
    })
    const [grant, renewal] = found!.events.filter(({ allow }) => allow)
    expect(grant).toMatchObject({ peer: OPERATOR, checks: { caller: 'absent', payload: 'valid' } })
    for (const { said } of [grant!, renewal!]) expect(said.token).toMatch(/^[0-9a-f]{64}$/)
    expect(grant!.said.token).not.toBe(renewal!.said.token)
  })

  it('has what became of what was sent out', async () => {
    const lease = await fenced()
    const done = async (): Promise<readonly LeaseEvent[]> =>
      (await read(lease))!.events.filter(({ action }) => action === 'kernel.perform')
    // The renewal's and the end's revocation, the teardown, the reset.
    await expect.poll(async () => (await done()).length, { timeout: 20_000 }).toBe(4)
    for (const { said } of await done()) expect(said.outcome).toEqual({ collected: true })
  })

  it('has each presentation with its verdict, and shows no token', async () => {
    const [resource] = RESOURCES as [string]
    const { lease, token } = await here.lease(resource)
    const narrowed = await seal(await attenuate(token, [{ t: 'op', v: ['write'] }]))
    const forged = token.replace(/[^.]{4}([^.]*)$/, 'AAAA$1')
    for (const shown of [token, narrowed, forged]) await here.use(shown, resource)
    await here.ask('announce.revoke', { cell: CELL, id: TENANT, kind: 'tenant' })
    await here.use(token, resource)
    await here.ask('announce.revoke', { cell: CELL, id: handleOf(narrowed), kind: 'token' })
    const found = await read(lease)
    const told = found!.events
      .filter(({ action }) => action !== 'kernel.perform')
      .map(({ action, allow, checks, reasons, said }) => [
        action,
        allow ? 'allowed' : reasons[0]?.code,
        checks.token ?? said.kind,
      ])
    expect(told).toEqual([
      ['lease.grant', 'allowed', undefined],
      ['capability.use', 'allowed', 'valid'],
      ['capability.use', 'caveat_denied', 'valid'],
      ['capability.use', 'signature_invalid', 'signature_invalid'],
      ['announce.revoke', 'allowed', 'tenant'],
      ['capability.use', 'token_revoked', 'valid'],
      ['announce.revoke', 'allowed', 'token'],
    ])
    const broadcasts = found!.events.filter(({ action }) => action === 'kernel.perform')
    expect(broadcasts.length).toBeLessThanOrEqual(2)
    const text = JSON.stringify(found)
    expect(text).toContain(handleOf(token))
    for (const secret of [privateKey, ...token.split('.').slice(2)])
      expect(text).not.toContain(secret)
  })

  it('is not moved by another lease that only names it', async () => {
    const [mine, other] = RESOURCES as [string, string]
    const { lease } = await here.lease(mine)
    const asked = { cell: CELL, jti: lease, nk, resource: other, tenant: TENANT, ttl: 100 }
    const { id } = await here.ask('lease.grant', asked)
    await here.ask('lease.renew', { generation: 1, jti: lease, lease: id, nk, ttl: 100 })
    await here.ask('lease.revoke', { lease: id, why: lease })
    const found = await read(lease)
    expect(found).toMatchObject({ ok: true, state: { lease: { generation: 1, state: 'active' } } })
    expect(found!.events.map(({ action }) => action)).toEqual(['lease.grant'])
  })

  it("has what became of the issuer's key", async () => {
    const { lease, token } = await here.lease(RESOURCES[0] as string)
    const row = (await here.store.get({ partition: 'enrolment', sort: `cell/${CELL}` }))!
    const { keys } = JSON.parse(new TextDecoder().decode(row.value)) as {
      keys: readonly [{ public_key: string }]
    }
    const [{ public_key }] = keys
    await here.ask('announce.revoke', { cell: CELL, id: public_key, kind: 'key' })
    await here.ask('enrolment.transition-key', { public_key, state: 'revoked' })
    await here.ask('enrolment.transition-key', { public_key: nk, state: 'revoked' })
    await here.use(token, RESOURCES[0] as string)
    const told = (await read(lease))!.events.map(({ action, allow }) => `${action} ${allow}`)
    expect(told.filter((line) => !line.startsWith('kernel.perform'))).toEqual([
      'lease.grant true',
      'announce.revoke true',
      'enrolment.transition-key true',
      'capability.use false',
    ])
  })

  it('goes on where something was decided while it was read', async () => {
    const { lease } = await here.lease(RESOURCES[0] as string)
    const { anchor, log, store } = here
    let sizes = 0
    const late = new Proxy(log, {
      get(target, name) {
        if (name !== 'size') return Reflect.get(target, name).bind(target)
        return async () => {
          const size = await log.size()
          // The first look is for the keys, the second says how far to read: what follows is in the records alone.
          if (sizes++ === 1) await here.ask('lease.revoke', { lease })
          return size
        }
      },
    })
    const found = await reconstruct({ anchor, log: late, store }, lease)
    expect(found).toMatchObject({ ok: true, state: { lease: { state: 'revoked' } } })
  })

  it('of a lease that nobody granted is not there', async () => {
    expect(await read('0'.repeat(32))).toBeUndefined()
  })
})

describe('what is not as the log has it', () => {
  /** Writes over the openings of a decision, as whoever holds the database could. */
  async function rewrite(id: string, change: (openings: Openings) => Openings | undefined) {
    const row = (await here.store.get(decisionKey(id)))!
    const { hash, openings } = decodeStored(row.value)
    const changed = change(openings!)
    const value = encodeStored({ hash, ...(changed && { openings: changed }) })
    await here.store.commit([{ writes: [{ put: row.key, value, if: row.version }] }])
  }

  it('is unknown where it was erased', async () => {
    const lease = await fenced()
    const { decision } = (await read(lease))!.events.find(
      ({ action }) => action === 'lease.revoke',
    )!
    await rewrite(decision, () => undefined)
    const found = await read(lease)
    expect(found).toMatchObject({
      ok: false,
      unknown: [{ action: 'lease.revoke', allow: true, decision }],
      problems: [],
    })
    expect(found!.differences.map(({ member }) => member)).toContain('state')
  })

  it('is a problem where it was changed', async () => {
    const lease = await fenced()
    const { decision } = (await read(lease))!.events.find(
      ({ action }) => action === 'lease.revoke',
    )!
    await rewrite(decision, ({ payload, ...rest }) => ({
      ...rest,
      payload: { ...payload!, json: payload!.json.replace(lease, '0'.repeat(32)) },
    }))
    expect(await read(lease)).toMatchObject({ ok: false, problems: [{ where: decision }] })
    await rewrite(decision, ({ verdict: _, ...rest }) => rest)
    expect(await read(lease)).toMatchObject({ ok: false, problems: [{ where: decision }] })
  })

  it('is a difference where a record says otherwise', async () => {
    const lease = await fenced()
    for (const [sort, member, value] of [
      [`lease/${lease}`, 'generation', 7],
      [`resource/${RESOURCES[0]}`, 'state', 'fenced'],
    ] as const) {
      const row = (await here.store.get({ partition: 'lease', sort }))!
      const record = { ...JSON.parse(new TextDecoder().decode(row.value)), [member]: value }
      const changed = new TextEncoder().encode(JSON.stringify(record))
      await here.store.commit([{ writes: [{ put: row.key, value: changed, if: row.version }] }])
      const found = await read(lease)
      expect(found).toMatchObject({ ok: false, problems: [] })
      expect(found!.differences).toContainEqual(
        expect.objectContaining({ member, record: sort, stored: value }),
      )
    }
  })

  it('is a problem where another key signed the head', async () => {
    const lease = await fenced()
    const { anchor, log, store } = here
    const other = { ...anchor, origin: 'another.example/log' }
    const found = await reconstruct({ log, store, anchor: other }, lease)
    expect(found).toMatchObject({ ok: false, problems: [{ where: 'head' }] })
  })
})
