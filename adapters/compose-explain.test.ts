import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Payload, type Peer } from '../core/request.ts'
import { Place } from '../test/composed.ts'
import { compiler } from '../test/rego.ts'
import type { Composed } from './compose.ts'
import { EXAMPLE_STATE } from './config/complete.ts'
import { BUILT_IN } from './config/schema.ts'

let place: Place
afterAll(() => compiler.close())

const OPERATOR: Peer = { kind: 'operator', id: 'root' }
const EXAMPLE = 'state: ./state.json\n'

const ask = async (
  { kernel }: Composed,
  resource = 'ckpt-9-0003',
  action = 'access.evaluate',
): Promise<string> => {
  const payload = Payload.fromJson({
    subject: { type: 'user', id: 'ada' },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: resource },
  })
  return (await kernel.decide({ action, payload, peer: OPERATOR })).id
}

/** With Ada's checkpoints, of which the second is of Ben's workload. */
async function started(config = ''): Promise<Composed> {
  await copyFile(EXAMPLE_STATE, join(place.folder, 'state.json'))
  return place.start(`${EXAMPLE}${config}`)
}

describe('a decision in the log', () => {
  let server: Composed
  beforeAll(async () => {
    place = await Place.make()
    server = await started()
  })
  afterAll(() => place.remove())

  it('is explained by the condition that refused it, with the values of then', async () => {
    const { decision, explanation } = await server.explaining.decision(await ask(server))
    expect(decision).toMatchObject({ action: 'access.evaluate', allow: false })
    expect(explanation).toMatchObject({ outcome: 'denied', hidden: 0, truncated: false })
    expect(explanation.nearest).toMatchObject({
      rule: 'data.assay.access.abac.holds',
      file: 'access/abac.rego',
      text: 'related.workload.attributes.owner == rbac.person.id',
      why: 'false',
    })
    expect(explanation.nearest?.saw[0]).toEqual({
      ref: 'input.facts.resource.related.workload.attributes.owner',
      value: 'ben',
    })
  })

  it('is not explained when it was erased', async () => {
    const id = await ask(server)
    const payload = Payload.fromJson({ ids: [id] })
    const erased = await server.kernel.decide({ action: 'audit.erase', payload, peer: OPERATOR })
    expect(erased.allow).toBe(true)
    await expect(server.explaining.decision(id)).rejects.toMatchObject({ code: 'erased' })
  })

  it('is not explained when no policy was asked, or when there is none', async () => {
    const unknown = await ask(server, 'ckpt-9-0003', 'nobody.knows')
    await expect(server.explaining.decision(unknown)).rejects.toMatchObject({
      code: 'kernel_decision',
    })
    await expect(server.explaining.decision('0'.repeat(32))).rejects.toMatchObject({
      code: 'unknown_decision',
    })
    const payload = Payload.fromJson({
      subject: { type: 'user' },
      action: { name: 'read' },
      resource: { type: 'checkpoint', id: 'ckpt-9-0003' },
    })
    const search = { action: 'access.evaluate', kind: 'subject', payload, peer: OPERATOR } as const
    const { id } = await server.kernel.search(search)
    await expect(server.explaining.decision(id)).rejects.toMatchObject({ code: 'search' })
  })

  it('is not explained from openings that were cut', async () => {
    const receipt = await server.kernel.receipt(await ask(server))
    const { request: _, ...openings } = receipt?.openings ?? {}
    const cut = { leaf: receipt?.leaf ?? '', openings }
    await expect(server.explaining.opened(cut)).rejects.toMatchObject({ code: 'withheld' })
  })

  it('is not explained when the trace says something else', async () => {
    const receipt = await server.kernel.receipt(await ask(server))
    const { leaf = '', openings = {} } = receipt ?? {}
    const verdict = { json: '{"allow":true,"effects":[],"obligations":[],"reasons":[]}', salt: '' }
    const forged = { leaf, openings: { ...openings, verdict } }
    await expect(server.explaining.opened(forged)).rejects.toMatchObject({ code: 'differs' })
  })

  it('is explained under the policy that made it, also when another one serves', async () => {
    const id = await ask(server)
    const before = await server.explaining.decision(id)
    const { policy } = server.kernel.readiness()
    const other = {
      'p.rego':
        'package assay.access\n\ndecision := {"allow": true, "effects": [], "obligations": [], "reasons": []}\n',
    }
    const names = BUILT_IN.plugins
    const rest = names
      .slice(1)
      .map((name) => [
        `${name}.rego`,
        `package assay.${name}\n\ndecision := {"allow": false, "effects": [], "obligations": [], "reasons": []}\n`,
      ])
    const actions = { 'a.rego': 'package assay.access\n\nactions := set()\n' }
    const entrypoints = [...names.map((name) => `assay/${name}/decision`), 'assay/access/actions']
    const sources = { ...other, ...actions, ...Object.fromEntries(rest) }
    const bundle = await compiler.build(sources, { capabilities: 'trust', entrypoints })
    await server.kernel.activate(bundle)
    expect(server.kernel.readiness().policy).not.toEqual(policy)
    const { explanation } = await server.explaining.decision(id)
    expect(explanation).toEqual(before.explanation)
    expect(explanation.policy).toBe(policy?.digest)
  })
})

describe('what a mask of an export covers', () => {
  beforeEach(async () => {
    place = await Place.make()
  })
  afterEach(() => place.remove())

  const masked = async (rego: string): Promise<Composed> => {
    const mask = join(place.folder, 'mask')
    await mkdir(mask)
    await writeFile(join(mask, 'mask.rego'), `package system.log\n\n${rego}`)
    return started('export:\n  - { kind: opa-logs, url: "http://127.0.0.1:9", mask: ./mask }\n')
  }
  const shown = async (server: Composed): Promise<string> =>
    JSON.stringify((await server.explaining.decision(await ask(server))).explanation)

  it('is hidden', async () => {
    const path = '/input/facts.resource/related/workload/attributes/owner'
    const text = await shown(await masked(`mask contains "${path}"\n`))
    expect(text).not.toContain('"ben"')
    expect(text).toContain(
      '{"ref":"input.facts.resource.related.workload.attributes.owner","hidden":true}',
    )
    expect(text).toContain('"ada"')
  })

  it('is hidden by what it is, where the payload was masked', async () => {
    const text = await shown(await masked('mask contains "/input/payload/subject/id"\n'))
    expect(text).not.toContain('"ada"')
    expect(text).toContain('"ben"')
  })

  it('is everything, where the rules fail', async () => {
    expect(await shown(await masked('mask contains 7\n'))).not.toMatch(/"ada"|"ben"|ckpt/)
  })

  it('is everything, where a rule keeps the event back', async () => {
    expect(await shown(await masked('drop := true\n'))).not.toMatch(/"ada"|"ben"|ckpt/)
  })
})
