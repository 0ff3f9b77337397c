/** Receipts and queries over HTTP, on a whole server: nobody gets openings that the policy does not grant. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256Text, toHex } from '../../../core/crypto.ts'
import { type Receipt, verifyReceipt } from '../../../core/log/receipt.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import auditData from '../../../policies/audit/data.json' with { type: 'json' }
import { Place } from '../../../test/composed.ts'
import { compiler } from '../../../test/rego.ts'
import type { Composed } from '../../compose.ts'
import { type HttpServer, serveHttp } from './index.ts'

const CAROL: Peer = { kind: 'user', id: 'carol' }

let place: Place
let server: Composed
let http: HttpServer
beforeEach(async () => {
  place = await Place.make()
  await place.auditWith({ ...auditData, members: { ...auditData.members, auditor: [CAROL] } })
  server = await place.start('policies: ./policies')
  http = await serveHttp(server.kernel, { audit: server.audit })
})
afterEach(async () => {
  await http.close()
  await place.remove()
})
afterAll(() => compiler.close())

const asked = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'document', id: 'handbook' },
}
const post = (path: string, body: unknown): Promise<Response> =>
  fetch(http.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
async function decideAs(peer: Peer): Promise<string> {
  const payload = Payload.fromJson(asked)
  return (await server.kernel.decide({ action: 'access.evaluate', payload, peer })).id
}
const receipt = async (id: string): Promise<Receipt> =>
  (await (await fetch(`${http.url}/assay/v1/receipts/${id}`)).json()) as Receipt

describe('a receipt by id', () => {
  it('has its openings for whoever asked for the decision', async () => {
    const response = await post('/access/v1/evaluation', asked)
    await response.body?.cancel()
    const id = response.headers.get('x-decision-id') as string
    const found = await receipt(id)
    expect(found.openings).toHaveProperty('payload')
    expect(verifyReceipt(found, server.anchor)).toMatchObject({ ok: true })
  })

  it("of somebody else's decision is a proof without openings, and that it was asked for is in the log", async () => {
    const id = await decideAs({ kind: 'bearer', id: 'bob' })
    const response = await fetch(`${http.url}/assay/v1/receipts/${id}`)
    const found = (await response.json()) as Receipt
    expect(found).not.toHaveProperty('openings')
    // As a word: digests may have these letters in a row.
    expect(JSON.stringify(found)).not.toMatch(/\bada\b/)
    expect(verifyReceipt(found, server.anchor)).toMatchObject({ ok: true, leaf: { id } })
    const about = await server.kernel.receipt(response.headers.get('x-decision-id') as string)
    expect(JSON.parse(about!.leaf)).toMatchObject({ action: 'audit.receipt', allow: false })
  })

  it('says nothing more where nobody is asked', async () => {
    const bare = await serveHttp(server.kernel, {})
    try {
      const id = await decideAs({ kind: 'anonymous', id: 'anonymous' })
      const found = await (await fetch(`${bare.url}/assay/v1/receipts/${id}`)).json()
      expect(Object.keys(found as object).sort()).toEqual(['leaf', 'proof', 'type'])
      const query = await fetch(`${bare.url}/assay/v1/audit/query`, { method: 'POST', body: '{}' })
      expect(query.status).toBe(404)
    } finally {
      await bare.close()
    }
  })
})

describe('the outcome of a decision', () => {
  it('is what its leaf says, for whoever knows the id', async () => {
    const id = await decideAs({ kind: 'user', id: 'bob' })
    const { size } = server.kernel.readiness()
    const response = await fetch(`${http.url}/assay/v1/decisions/${id}`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      id,
      allow: false,
      reasons: [expect.objectContaining({ code: 'unknown_subject' })],
      index: expect.stringMatching(/^\d+$/),
      seal: 'sealed',
    })
    for (const unknown of ['f'.repeat(32), 'x', id.slice(1)])
      expect((await fetch(`${http.url}/assay/v1/decisions/${unknown}`)).status).toBe(404)
    expect(server.kernel.readiness().size).toBe(size)
  })
})

describe('a query', () => {
  it('of who has no role is 403, with the decision that says so', async () => {
    await decideAs({ kind: 'bearer', id: 'bob' })
    const response = await post('/assay/v1/audit/query', { fields: ['*'] })
    expect([response.status, response.headers.get('cache-control')]).toEqual([403, 'no-store'])
    expect(await response.json()).toEqual({
      decision: {
        id: response.headers.get('x-decision-id'),
        allow: false,
        reasons: [expect.objectContaining({ code: 'no_audit_role' })],
      },
    })
  })

  it('of an auditor is a page of receipts, cut to what was granted', async () => {
    const id = await decideAs({ kind: 'user', id: 'bob' })
    const token = 'a-token-that-nobody-guesses'
    const authenticated = await serveHttp(server.kernel, {
      audit: server.audit,
      auth: {
        kind: 'bearer',
        tokens: [{ sha256: toHex(sha256Text(token)), peer: CAROL }],
      },
    })
    const ask = (headers: { readonly [name: string]: string }, purpose = {}): Promise<Response> =>
      fetch(`${authenticated.url}/assay/v1/audit/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ ids: [id], fields: ['payload', 'verdict'], ...purpose }),
      })
    try {
      const response = await ask({ authorization: `Bearer ${token}` })
      expect(response.status).toBe(200)
      const page = (await response.json()) as { records: { receipt: Receipt }[] }
      expect(page).toMatchObject({
        decision: { allow: true },
        records: [{ id, erased: false, withheld: ['payload'] }],
      })
      const [record] = page.records
      expect(Object.keys(record?.receipt.openings ?? {})).toEqual(['verdict'])
      expect(verifyReceipt(record!.receipt, server.anchor)).toMatchObject({ ok: true })
      const why = await ask({ authorization: `Bearer ${token}` }, { purpose: 'case 7' })
      expect(await why.json()).toMatchObject({ records: [{ withheld: [] }] })
      expect((await ask({ authorization: `Bearer ${token}x` })).status).toBe(401)
      expect((await ask({})).status).toBe(401)
    } finally {
      await authenticated.close()
    }
  })

  it('that is no object, or not JSON, is refused before anything is asked', async () => {
    const { size } = server.kernel.readiness()
    expect((await post('/assay/v1/audit/query', [])).status).toBe(400)
    expect((await fetch(`${http.url}/assay/v1/audit/query`)).status).toBe(405)
    expect(server.kernel.readiness().size).toBe(size)
  })
})
