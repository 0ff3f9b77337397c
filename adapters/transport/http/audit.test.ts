/** Receipts and queries over HTTP, on a whole server: nobody gets openings that the policy does not grant. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Receipt, verifyReceipt } from '../../../core/log/receipt.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { Place } from '../../../test/composed.ts'
import { compiler } from '../../../test/rego.ts'
import type { Composed } from '../../compose.ts'
import { type HttpServer, serveHttp } from './index.ts'

let place: Place
let server: Composed
let http: HttpServer
beforeEach(async () => {
  place = await Place.make()
  server = await place.start()
  http = await serveHttp(server.kernel, server.audit ? { audit: server.audit } : {})
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
    expect(JSON.stringify(found)).not.toContain('ada')
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
    const id = await decideAs({ kind: 'bearer', id: 'bob' })
    const audit = server.audit!
    const asOperator = await serveHttp(server.kernel, {
      // Stands for a front that authenticated the caller.
      audit: {
        query: (submission, options) =>
          audit.query({ ...submission, peer: { kind: 'operator', id: 'root' } }, options),
        receipt: (wanted, peer, options) => audit.receipt(wanted, peer, options),
      },
    })
    try {
      const response = await fetch(`${asOperator.url}/assay/v1/audit/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ids: [id], fields: ['payload'] }),
      })
      expect(response.status).toBe(200)
      const page = (await response.json()) as { records: { receipt: Receipt }[] }
      expect(page).toMatchObject({
        decision: { allow: true },
        records: [{ id, erased: false, withheld: [] }],
      })
      const [record] = page.records
      expect(Object.keys(record?.receipt.openings ?? {})).toEqual(['payload'])
      expect(verifyReceipt(record!.receipt, server.anchor)).toMatchObject({ ok: true })
    } finally {
      await asOperator.close()
    }
  })

  it('that is no object, or not JSON, is refused before anything is asked', async () => {
    const { size } = server.kernel.readiness()
    expect((await post('/assay/v1/audit/query', [])).status).toBe(400)
    expect((await fetch(`${http.url}/assay/v1/audit/query`)).status).toBe(405)
    expect(server.kernel.readiness().size).toBe(size)
  })
})
