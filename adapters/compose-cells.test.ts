/** Cells of a configuration, composed: what is enrolled at start, what stands after a restart, and whose adapter tears down. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { toBase64url } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import type { Kernel } from '../core/kernel.ts'
import type { PublicKey } from '../core/ports/custody.ts'
import type { OutboundAction } from '../core/ports/outbound.ts'
import { Payload } from '../core/request.ts'
import { Place } from '../test/composed.ts'
import { compiler } from '../test/rego.ts'
import { openFileCustody } from './custody/file/index.ts'

const CELLS = `
cells: { cell-a: { driver: none, resources: [gpu-0] } }
controller: own
tenants: { acme: own }
`
let place: Place
beforeEach(async () => {
  place = await Place.make()
})
afterEach(() => place.remove())
afterAll(() => compiler.close())

const decide = async (kernel: Kernel, action: string, payload: Json) => {
  const { allow, id, output, reasons } = await kernel.decide({
    action,
    payload: Payload.fromJson(payload),
  })
  return { allow, id, output, code: reasons[0]?.code }
}
const publicKey = (): string =>
  createPublicKey(generateKeyPairSync('ed25519').privateKey).export({ format: 'jwk' }).x as string
const grant = (kernel: Kernel) =>
  decide(kernel, 'lease.grant', {
    cell: 'cell-a',
    nk: publicKey(),
    resource: 'gpu-0',
    tenant: 'acme',
    ttl: 60,
  })

test('what the configuration names is enrolled once, and a restart decides nothing again', async () => {
  const first = await place.start(CELLS)
  const size = Number(first.kernel.readiness().size)
  expect(await grant(first.kernel)).toMatchObject({ allow: true, code: 'granted' })
  await place.stop()
  const second = await place.start(CELLS)
  // The grant, and the count of the first start's dry runs.
  expect(Number(second.kernel.readiness().size)).toBe(size + 2)
  expect(await grant(second.kernel)).toMatchObject({ allow: false, code: 'resource_leased' })
})

test('a lease that nobody frees ends by itself, and the resource is torn down', async () => {
  const { kernel } = await place.start(CELLS)
  await grant(kernel)
  place.clock.advance(61_000)
  await expect
    .poll(async () => (await grant(kernel)).code, { timeout: 20_000, interval: 100 })
    .toBe('granted')
})

test('an adapter of somebody else tears down in the place of ours', async () => {
  const asked: OutboundAction[] = []
  const own = {
    name: 'own-driver',
    kinds: ['lease.teardown'],
    perform: async (action: OutboundAction) => {
      asked.push(action)
      return 'done'
    },
  }
  const parts = [{ port: 'outbound', open: () => [own] }] as const
  const { kernel } = await place.start(CELLS, { parts })
  const { id } = await grant(kernel)
  expect(await decide(kernel, 'lease.free', { lease: id })).toMatchObject({ code: 'ended' })
  await expect.poll(() => asked, { timeout: 10_000 }).toMatchObject([{ body: { lease: id } }])
  expect((await grant(kernel)).code).toBe('resource_tearing_down')
})

test('cells without the plugins that they need are refused, and nothing is left open', async () => {
  await expect(place.start(`${CELLS}plugins: [access, lease]\n`)).rejects.toMatchObject({
    code: 'invalid_config',
  })
  await place.start(CELLS)
})

test('a controller that is another one than the pinned one is refused at start', async () => {
  await place.start(CELLS)
  await place.stop()
  await expect(
    place.start(CELLS.replace('controller: own', `controller: ${publicKey()}`)),
  ).rejects.toMatchObject({ code: 'invalid_config' })
})

test.each([
  [
    'cells.cell-a.driver.tokenFile',
    'cells: { cell-a: { driver: { url: "http://a", tokenFile: no } } }',
  ],
  ['peers.cell-b.caFile', 'peers: { cell-b: { key: KEY, url: "https://b", caFile: no } }'],
  ['peers.cell-b.tokenFile', 'peers: { cell-b: { key: KEY, url: "https://b", tokenFile: no } }'],
])('%s is there at start', async (member, text) => {
  const starting = place.start(text.replace('KEY', publicKey()))
  await expect(starting).rejects.toThrow(`"${member}": the file ${join(place.folder, 'no')}`)
})

test('a key that is refused at start is named by the member that has it', async () => {
  const weak = `AQ${'A'.repeat(41)}`
  await expect(
    place.start(`${CELLS}peers: { cell-b: { key: ${weak}, url: "http://b.example" } }\n`),
  ).rejects.toThrow(/"peers\.cell-b\.key".*weak_key/)
})

/** What `assay key` does beside a stopped server: the next version signs, the one before it does no more. */
async function nextKey(): Promise<PublicKey> {
  const custody = await openFileCustody({ dir: join(place.data, 'keys') })
  const first = (await custody.list('cell')).findLast(({ state }) => state === 'active')
  if (first === undefined) throw new Error('the cell has no key')
  await custody.transition(await custody.create('cell', 'cell-a'), 'active')
  await custody.transition(first, 'grace')
  await custody.close()
  return first
}
const moved = (kernel: Kernel, { publicKey }: PublicKey, state: string) =>
  decide(kernel, 'enrolment.transition-key', { public_key: toBase64url(publicKey), state })

test('a next version of a key that is kept here takes the place of the enrolled one at start', async () => {
  const { id } = await grant((await place.start(CELLS)).kernel)
  await place.stop()
  const first = await nextKey()
  // Was never enrolled.
  await nextKey()
  const { kernel } = await place.start(CELLS)
  const renewal = { generation: 1, lease: id, nk: publicKey(), ttl: 60 }
  expect(await decide(kernel, 'lease.renew', renewal)).toMatchObject({ code: 'renewed' })
  // Nothing leads there from revoked.
  expect((await moved(kernel, first, 'retired')).code).toBe('invalid_transition')
})

test('a key that was put out of use keeps the server from starting until there is a next one', async () => {
  const { kernel } = await place.start(CELLS)
  const custody = await openFileCustody({ dir: join(place.data, 'keys') })
  const [first] = await custody.list('cell')
  await custody.close()
  expect(await moved(kernel, first as PublicKey, 'revoked')).toMatchObject({ allow: true })
  await place.stop()
  await expect(place.start(CELLS)).rejects.toThrow(/"cells\.cell-a".*key_out_of_use/)
  await place.stop()
  await nextKey()
  expect(await grant((await place.start(CELLS)).kernel)).toMatchObject({ allow: true })
})
