import { describe, expect, test } from 'vitest'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'

const asked = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'record', id: 'record-1' },
}
const supporting = (...types: unknown[]) => ({ supported_obligations: types })
const declared = (kernel: FakeKernel) => kernel.dispatches.map((d) => d.submission.obligations)

describe.each(lanes)('obligations through $name', (lane) => {
  test('are declared by the header, the context, or both', async () => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const send = (context: object | undefined, header?: string) =>
        ask(
          '/access/v1/evaluation',
          posted(
            { ...asked, context },
            header === undefined ? {} : { 'Assay-Obligations': header },
          ),
        )
      await send(undefined)
      await send({ supported_obligations: null })
      await send(supporting())
      await send(supporting('step-up', 'notification'))
      await send(supporting('step-up'), 'log,step-up')
    })
    expect(declared(kernel)).toEqual([
      undefined,
      undefined,
      [],
      ['notification', 'step-up'],
      ['log', 'step-up'],
    ])
  })

  test('that the metadata does not announce are not declared by the context', async () => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const metadata = await (await ask('/.well-known/authzen-configuration')).json()
      const known = metadata.supported_obligations
      const context = supporting(...known, 'log', 'STEP-UP')
      await ask('/access/v1/evaluation', posted({ ...asked, context }))
      expect(declared(kernel)).toEqual([known])
    })
  })

  test('are declared item by item in a batch', async () => {
    const kernel = new FakeKernel()
    const evaluations = [{}, { context: supporting('custom') }, { context: {} }]
    await lane.with(kernel, async (ask) => {
      const batch = { ...asked, context: supporting('step-up'), evaluations }
      await ask('/access/v1/evaluations', posted(batch))
    })
    expect(declared(kernel)).toEqual([['step-up'], ['custom'], undefined])
  })

  test.each([['step-up'], [{}], [['step-up', 7]]])('%j is no list of types', async (types) => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      const body = posted({ ...asked, context: { supported_obligations: types } })
      for (const path of ['/access/v1/evaluation', '/assay/v1/check']) {
        const response = await ask(path, body)
        expect([response.status, await response.text()]).toEqual([
          400,
          expect.stringMatching(/^invalid_request: /),
        ])
      }
    })
    expect(kernel.dispatches).toEqual([])
  })

  test('stand in the context of the answer, with their properties', async () => {
    const properties = { acr_value: 'urn:example:loa:2' }
    const obligations = [
      { id: 'a', type: 'step-up', properties },
      { id: 'b', type: 'custom' },
    ]
    const kernel = new FakeKernel(async () => decision({ obligations }))
    await lane.with(kernel, async (ask) => {
      const response = await ask('/access/v1/evaluation', posted(asked))
      expect(await response.json()).toEqual({
        decision: true,
        context: { obligations: [obligations[0], { id: 'b', type: 'custom', properties: {} }] },
      })
    })
  })
})
