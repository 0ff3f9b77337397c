/** Governed audit on a whole server in process: the plugin, its Rego, and what is carried out. */
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../../core/json.ts'
import { fsck } from '../../core/log/fsck.ts'
import { verifyReceipt } from '../../core/log/receipt.ts'
import type { AuditPage } from '../../core/ports/audit.ts'
import { Payload, type Peer } from '../../core/request.ts'
import auditData from '../../policies/audit/data.json' with { type: 'json' }
import { Place } from '../../test/composed.ts'
import { compiler } from '../../test/rego.ts'
import type { Composed } from '../compose.ts'
import { EXAMPLE_STATE } from '../config/complete.ts'

const OPERATOR: Peer = { kind: 'operator', id: 'root' }
const ANONYMOUS: Peer = { kind: 'anonymous', id: 'anonymous' }
const CAROL: Peer = { kind: 'user', id: 'carol' }
const PAUL: Peer = { kind: 'user', id: 'paul' }

let place: Place
let server: Composed
beforeEach(async () => {
  place = await Place.make()
  await place.auditWith({ ...auditData, members: { auditor: [CAROL], privacy_officer: [PAUL] } })
  server = await place.start(`policies: ./policies\nstate: ${EXAMPLE_STATE}`)
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

async function evaluate(subject: string, peer = ANONYMOUS): Promise<string> {
  const payload = Payload.fromJson({
    subject: { type: 'user', id: subject },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  })
  return (await server.kernel.decide({ action: 'access.evaluate', payload, peer })).id
}
const query = (payload: Json, peer: Peer): Promise<AuditPage> =>
  server.audit!.query({ payload: Payload.fromJson(payload), peer })
const ask = async (action: string, payload: Json, peer: Peer): Promise<readonly unknown[]> => {
  const { allow, reasons } = await server.kernel.decide({
    action,
    payload: Payload.fromJson(payload),
    peer,
  })
  return [allow, ...reasons.map(({ code }) => code)]
}
const openedFields = ({ records }: AuditPage): readonly string[][] =>
  records.map(({ receipt }) => Object.keys(receipt.openings ?? {}).sort())

describe('a query', () => {
  it('is a decision, and nothing is opened for who has no role', async () => {
    await evaluate('ada')
    const page = await query({ fields: ['*'] }, ANONYMOUS)
    expect(page.decision).toMatchObject({ allow: false, reasons: [{ code: 'no_audit_role' }] })
    expect(page.records).toEqual([])
    const receipt = await page.decision.receipt()
    expect(verifyReceipt(receipt, server.anchor)).toMatchObject({
      ok: true,
      leaf: { action: 'audit.query', allow: false },
    })
  })

  it('finds decisions by what their leaves say', async () => {
    const ids = [await evaluate('ada'), await evaluate('eve')]
    const found = async (filter: Json): Promise<readonly string[]> =>
      (await query(filter, OPERATOR)).records.map(({ id }) => id)
    expect(await found({ actions: ['access.evaluate'] })).toEqual(ids)
    expect(await found({ actions: ['access.evaluate'], allow: true })).toEqual([ids[0]])
    expect(await found({ actions: ['access.*'], reasons: ['unknown_subject'] })).toEqual([ids[1]])
    expect(await found({ ids: [...ids].reverse() })).toEqual(ids)
    expect(await found({ ids, rules: ['assay.access.rbac.grant'] })).toEqual([])
    const now = Math.floor(place.clock.now() / 1000)
    expect(await found({ actions: ['access.evaluate'], since: now, until: now + 1 })).toEqual(ids)
    expect(await found({ since: now + 1 })).toEqual([])
    expect(await found({ actions: ['access.evaluate'], until: now })).toEqual([])
    const policy = server.kernel.readiness().policy?.digest as string
    expect(await found({ policy, actions: ['access.evaluate'] })).toEqual(ids)
    expect(await found({ policy: `sha256:${'0'.repeat(64)}` })).toEqual([])
  })

  it('opens what the role may see, and each record verifies by itself', async () => {
    const id = await evaluate('ada')
    const asked = { ids: [id], fields: ['*'] }
    const operator = await query(asked, OPERATOR)
    expect(operator.records[0]?.withheld).toEqual([])
    const auditor = await query(asked, CAROL)
    expect(openedFields(auditor)).toEqual([['verdict']])
    expect(auditor.records[0]?.withheld).toContain('payload')
    expect(JSON.stringify(auditor)).not.toContain('"ada\\"')
    const withPurpose = await query({ ...asked, purpose: 'case 7' }, CAROL)
    expect(openedFields(withPurpose)[0]).toContain('payload')
    const one = await query({ ids: [id], fields: ['facts.*'], purpose: 'case 7' }, CAROL)
    expect(openedFields(one)[0]?.every((field) => field.startsWith('facts.'))).toBe(true)
    expect(openedFields(await query(asked, PAUL))).toEqual([[]])
    for (const page of [operator, auditor, withPurpose, one])
      expect(verifyReceipt(page.records[0]!.receipt, server.anchor)).toMatchObject({
        ok: true,
        leaf: { id },
      })
  })

  it('comes in pages that end, each record once, whatever is decided meanwhile', async () => {
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.push(await evaluate(`user-${i}`))
    const found: string[] = []
    let more: Json = {}
    for (let pages = 0; more !== undefined; pages++) {
      expect(pages).toBeLessThan(10)
      const page = await query({ actions: ['access.evaluate'], limit: 2, ...more }, OPERATOR)
      found.push(...page.records.map(({ id }) => id))
      await evaluate('meanwhile')
      if (page.next === undefined) break
      more = { ...page.next }
    }
    expect(found).toEqual(ids)
  })

  it('that cannot be read opens nothing', async () => {
    for (const payload of [{ limit: 0 }, { limit: 257 }, { action: 'x' }, { from: '-1' }, []])
      expect(await query(payload, OPERATOR)).toMatchObject({
        decision: { allow: false, reasons: [{ code: 'malformed_request' }] },
        records: [],
      })
  })
})

describe('a receipt', () => {
  const openings = async (id: string, peer: Peer) =>
    (await server.audit!.receipt(id, peer))?.record.receipt.openings

  it('is opened for who asked for the decision, for the operator, and for nobody else', async () => {
    const id = await evaluate('ada', PAUL)
    expect(await openings(id, PAUL)).toHaveProperty('payload')
    expect(await openings(id, OPERATOR)).toHaveProperty('payload')
    expect(await openings(id, ANONYMOUS)).toBeUndefined()
    expect(Object.keys((await openings(id, CAROL)) ?? {})).toEqual(['verdict'])
    expect(await server.audit!.receipt('0'.repeat(32), OPERATOR)).toBeUndefined()
    const closed = await server.audit!.receipt(id, ANONYMOUS)
    expect(verifyReceipt(closed!.record.receipt, server.anchor).ok).toBe(true)
    expect(closed!.decision).toMatchObject({ allow: false })
  })
})

describe('erasing', () => {
  it('takes the openings and leaves the leaf, the proofs and the log as they are', async () => {
    const [id, other] = [await evaluate('ada', PAUL), await evaluate('eve', PAUL)]
    const before = await server.kernel.receipt(id)
    expect(await ask('audit.erase', { ids: [id], purpose: 'article 17' }, PAUL)).toEqual([
      true,
      'audit_role',
    ])
    const after = await server.kernel.receipt(id)
    expect(after?.leaf).toBe(before?.leaf)
    expect(after).not.toHaveProperty('openings')
    expect(verifyReceipt(after!, server.anchor)).toMatchObject({ ok: true })
    expect(verifyReceipt(before!, server.anchor)).toMatchObject({ ok: true })
    expect(await server.kernel.receipt(other)).toHaveProperty('openings.payload')
    expect(await fsck(server.kernel.log, server.anchor)).toMatchObject({ ok: true })
    const page = await query({ ids: [id], fields: ['*'] }, OPERATOR)
    expect(page.records[0]).toMatchObject({ erased: true, withheld: [] })
    expect(await ask('audit.erase', { ids: [id] }, PAUL)).toEqual([false, 'nothing_to_erase'])
  })

  it('leaves nothing of them on the disk', async () => {
    const id = await evaluate('somebody-who-wants-to-be-forgotten')
    const kept = await evaluate('somebody-else')
    expect(await ask('audit.erase', { ids: [id] }, OPERATOR)).toEqual([true, 'audit_role'])
    await place.stop()
    const bytes = await readFile(place.database, 'latin1')
    expect(bytes).toContain('somebody-else')
    expect(bytes).not.toContain('somebody-who-wants-to-be-forgotten')
    expect(bytes).toContain(id)
    expect(bytes).toContain(kept)
  })

  it('is for those who may, and not for the records of the audit itself', async () => {
    const id = await evaluate('ada')
    expect(await ask('audit.erase', { ids: [id] }, CAROL)).toEqual([false, 'no_audit_role'])
    expect(await ask('audit.erase', { ids: [id] }, ANONYMOUS)).toEqual([false, 'no_audit_role'])
    expect(await ask('audit.erase', {}, OPERATOR)).toEqual([false, 'malformed_request'])
    expect(await ask('audit.erase', { actions: ['audit.*'] }, OPERATOR)).toEqual([
      false,
      'protected_record',
    ])
    expect(await server.kernel.receipt(id)).toHaveProperty('openings')
  })

  it('of many goes on where the last decision ended', async () => {
    for (let i = 0; i < 70; i++) await evaluate(`user-${i}`)
    const erase = async (from: string) =>
      server.kernel.decide({
        action: 'audit.erase',
        payload: Payload.fromJson({ actions: ['access.evaluate'], from }),
        peer: OPERATOR,
      })
    const first = await erase('0')
    expect(first.output).toMatchObject({ erased: 64 })
    const { next } = first.output as { next: string }
    expect((await erase(next)).output).toEqual({ erased: 6 })
  })

  it('waits for a legal hold to be released', async () => {
    const id = await evaluate('ada')
    const hold = { name: 'case-7', actions: ['access.evaluate'] }
    expect(await ask('audit.hold', hold, CAROL)).toEqual([false, 'no_audit_role'])
    expect(await ask('audit.hold', { name: 'case-7' }, PAUL)).toEqual([false, 'malformed_request'])
    expect(await ask('audit.hold', hold, PAUL)).toEqual([true, 'audit_role'])
    expect(await ask('audit.hold', hold, PAUL)).toEqual([false, 'hold_exists'])
    expect(await ask('audit.erase', { ids: [id] }, PAUL)).toEqual([false, 'legal_hold'])
    expect(await ask('audit.release', { name: 'case-8' }, PAUL)).toEqual([false, 'unknown_hold'])
    expect(await ask('audit.release', { name: 'case-7' }, PAUL)).toEqual([true, 'audit_role'])
    expect(await ask('audit.erase', { ids: [id] }, PAUL)).toEqual([true, 'audit_role'])
  })
})
