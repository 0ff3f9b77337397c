/** Explanations over HTTP: nobody is told more than a receipt would open to them, and nobody at all where the server was not told to. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
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
  const { audit, explaining } = server
  http = await serveHttp(server.kernel, { audit, explain: explaining.opened.bind(explaining) })
})
afterEach(async () => {
  await http.close()
  await place.remove()
})
afterAll(() => compiler.close())

async function decideAs(peer: Peer): Promise<string> {
  const payload = Payload.fromJson({
    subject: { type: 'user', id: 'ada' },
    action: { name: 'read' },
    resource: { type: 'document', id: 'handbook' },
  })
  return (await server.kernel.decide({ action: 'access.evaluate', payload, peer })).id
}
const explanation = (id: string, url = http.url): Promise<Response> =>
  fetch(`${url}/assay/v1/explanations/${id}`)
const ME: Peer = { kind: 'anonymous', id: 'anonymous' }

describe('an explanation by id', () => {
  it('is for whoever may open the decision, and that it was asked for is in the log', async () => {
    const id = await decideAs(ME)
    const response = await explanation(id)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({
      decision: { id, allow: false },
      explanation: { outcome: 'denied', nearest: { file: 'access/evaluate.rego' } },
    })
    const about = await server.kernel.receipt(response.headers.get('x-decision-id') as string)
    expect(JSON.parse(about!.leaf)).toMatchObject({ action: 'audit.receipt', allow: true })
  })

  it("of somebody else's decision is refused, and tells nothing of it", async () => {
    const response = await explanation(await decideAs({ kind: 'bearer', id: 'bob' }))
    expect(response.status).toBe(403)
    const text = await response.text()
    expect(text).toMatch(/^withheld: /)
    expect(text).not.toMatch(/ada|handbook|rego/)
  })

  it('of what was erased, of the kernel, or of nothing, is none', async () => {
    const id = await decideAs(ME)
    const payload = Payload.fromJson({ ids: [id] })
    const operator = { kind: 'operator', id: 'root' }
    await server.kernel.decide({ action: 'audit.erase', payload, peer: operator })
    const gone = await explanation(id)
    expect([gone.status, await gone.text()]).toEqual([410, expect.stringMatching(/^erased: /)])
    const unknown = { action: 'nobody.knows', payload, peer: ME }
    const own = await explanation((await server.kernel.decide(unknown)).id)
    expect([own.status, await own.text()]).toEqual([
      422,
      expect.stringMatching(/^kernel_decision: /),
    ])
    expect((await explanation('0'.repeat(32))).status).toBe(404)
    expect((await explanation('x')).status).toBe(404)
  })

  it('is not there where the server was not told to explain', async () => {
    const bare = await serveHttp(server.kernel, { audit: server.audit })
    try {
      expect((await explanation(await decideAs(ME), bare.url)).status).toBe(404)
    } finally {
      await bare.close()
    }
  })
})
