import { expect, test } from 'vitest'
import { DECISION_ID, decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { posted } from '../../../test/http-lanes.ts'
import { serveHttp } from './index.ts'

test("a realm's metadata is found where AuthZEN looks for it, and names the realm's endpoints", async () => {
  const red = new FakeKernel(async () => decision({ allow: false }))
  const server = await serveHttp(new FakeKernel(), { realms: { red: { kernel: red } } })
  try {
    const realm = `${server.url}/realms/red`
    const at = `${server.url}/.well-known/authzen-configuration/realms/red`
    const metadata = await (await fetch(at)).json()
    expect(metadata.policy_decision_point).toBe(realm)
    expect(await (await fetch(`${at}?x=1`)).json()).toEqual(metadata)
    expect(await (await fetch(`${realm}/.well-known/authzen-configuration`)).json()).toEqual(
      metadata,
    )
    const asked = {
      subject: { type: 'user', id: 'alice' },
      action: { name: 'read' },
      resource: { type: 'record', id: 'record-1' },
    }
    const response = await fetch(metadata.access_evaluation_endpoint, posted(asked))
    expect(response.headers.get('x-decision-id')).toBe(DECISION_ID)
    expect(await response.json()).toEqual({ decision: false })
    expect(red.dispatches).toHaveLength(1)

    const own = await (await fetch(`${server.url}/.well-known/authzen-configuration`)).json()
    expect(own.policy_decision_point).toBe(server.url)
    expect((await fetch(at.replace('red', 'blue'))).status).toBe(404)
    expect((await fetch(`${at}/more`)).status).toBe(404)
  } finally {
    await server.close()
  }
})
