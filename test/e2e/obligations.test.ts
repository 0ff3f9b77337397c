/** Obligations, end to end: policy data attaches a step-up to one action on one type, and only who declares step-up gets through. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HttpServer, serveHttp } from '../../adapters/transport/http/index.ts'
import { Payload } from '../../core/request.ts'
import { Place } from '../composed.ts'
import { root } from '../source.ts'

const STEP_UP = { id: 'mfa', type: 'step-up', properties: { acr_value: 'urn:example:loa:2' } }
const ada = { type: 'user', id: 'ada' }
const train = { type: 'workload', id: 'train' }
const read = { name: 'read' }
const declaring = { supported_obligations: ['step-up'] }

let place: Place
let server: HttpServer
beforeAll(async () => {
  place = await Place.make()
  const policies = join(place.folder, 'policies')
  await cp(join(root, 'policies'), policies, { recursive: true })
  const file = join(policies, 'access', 'data.json')
  const data = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...data, obligations: { workload: { read: [STEP_UP] } } }))
  const { kernel } = await place.start('policies: ./policies\nstore: { kind: memory }')
  const payload = Payload.fromJson({
    subjects: [{ ...ada, roles: ['lab_lead'] }],
    resources: [train],
  })
  const peer = { kind: 'operator', id: 'test' }
  expect((await kernel.decide({ action: 'access.import', payload, peer })).allow).toBe(true)
  server = await serveHttp(kernel, {})
}, 60_000)
afterAll(async () => {
  await server?.close()
  await place.remove()
})

async function ask(path: string, body: object, headers = {}): Promise<unknown> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(200)
  return response.json()
}
const evaluate = (body: object, headers = {}) =>
  ask('/access/v1/evaluation', { subject: ada, action: read, resource: train, ...body }, headers)

test('who does not declare an obligation is denied', async () => {
  expect(await evaluate({})).toEqual({ decision: false })
  expect(await evaluate({ context: { supported_obligations: ['notification'] } })).toEqual({
    decision: false,
  })
  expect(await evaluate({}, { 'assay-explain': 'reasons' })).toMatchObject({
    decision: false,
    context: { reasons: [{ code: 'kernel/unsupported_obligation' }] },
  })
})

test('who declares it is told what to do', async () => {
  const told = { decision: true, context: { obligations: [STEP_UP] } }
  expect(await evaluate({ context: declaring })).toEqual(told)
  expect(await evaluate({}, { 'assay-obligations': 'step-up' })).toEqual(told)
  expect(await evaluate({ action: { name: 'cancel' } })).toEqual({ decision: true })
})

test('items of a batch differ by what they declare', async () => {
  const batch = { subject: ada, action: read, resource: train }
  const evaluations = [{}, { context: declaring }, { action: { name: 'cancel' } }]
  expect(await ask('/access/v1/evaluations', { ...batch, evaluations })).toEqual({
    evaluations: [
      { decision: false },
      { decision: true, context: { obligations: [STEP_UP] } },
      { decision: true },
    ],
  })
})

test('a search drops the one result whose obligation is not declared, and hands on those that are', async () => {
  const query = { subject: ada, resource: train }
  const others = [{ name: 'cancel' }, { name: 'submit' }]
  expect(await ask('/access/v1/search/action', query)).toEqual({ results: others })
  expect(await ask('/access/v1/search/action', { ...query, context: declaring })).toEqual({
    results: [{ name: 'cancel' }, { name: 'read', obligations: [STEP_UP] }, { name: 'submit' }],
  })
})
