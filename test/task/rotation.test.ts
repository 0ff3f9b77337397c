/** Keys rotate while tasks flow: no task is lost, and none that is old is carried out. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Peer } from '../../core/request.ts'
import { createEnvelope } from '../../formats/dsse/index.ts'
import {
  installPackage,
  type NodeAgent,
  openNodeAgent,
  signedEnvelope,
} from '../../node-agent/index.ts'
import { task } from '../../plugins/task/facts.ts'
import { keyFolder } from '../signer/folder.ts'
import { ROOT, type Signing, signing, TASK } from '../signer/kit.ts'

const NODES = ['node-1', 'node-2', 'node-3']
const params = { digest: `sha256:${'ab'.repeat(32)}`, name: 'driver' }
const nodePeer = (id: string): Peer => ({ kind: 'node', id })

interface Sent {
  readonly node: string
  readonly text: string
}

class Fleet {
  readonly place: Signing
  readonly agents: ReadonlyMap<string, NodeAgent>
  readonly #tally = new Map<string, number>()
  /** Sets that nodes fetched because of a task. */
  fetched = 0

  constructor(place: Signing, root: string) {
    this.place = place
    const dir = mkdtempSync(join(tmpdir(), 'assay-fleet-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    this.agents = new Map(
      NODES.map((nodeId) => [
        nodeId,
        openNodeAgent({ dir: join(dir, nodeId), nodeId, root: [root], types: [installPackage] }),
      ]),
    )
  }

  /** Each node fetches the newest set and says that it has it. */
  async distribute(): Promise<void> {
    const { envelope } = await this.place.set()
    for (const [id, agent] of this.agents) {
      agent.ingestSet(JSON.stringify(createEnvelope(envelope)))
      const said = { ...TASK, verifier: id, version: agent.version }
      await this.place.ask('signer.acknowledge', said as Json, nodePeer(id))
    }
  }

  async send(count: number): Promise<readonly Sent[]> {
    const asked = Array.from({ length: count }, async (_, i) => {
      const node = NODES[i % NODES.length] as string
      const request = { node_id: node, params, type: 'node.install-package', version: 1 }
      const { allow, output, reasons } = await this.place.decide('task.sign', request)
      if (!allow) throw new Error(`not signed: ${reasons.map(({ code }) => code).join(' ')}`)
      return { node, text: JSON.stringify(signedEnvelope(output as never)) }
    })
    return Promise.all(asked)
  }

  /** A node that does not know the key as active yet fetches the newest set, and looks again. */
  async deliver({ node, text }: Sent): Promise<string> {
    let said = this.#accept(node, text)
    if (said === 'key_not_active') {
      this.fetched++
      const { envelope } = await this.place.set()
      this.agents.get(node)?.ingestSet(JSON.stringify(createEnvelope(envelope)))
      said = this.#accept(node, text)
    }
    this.#tally.set(said, (this.#tally.get(said) ?? 0) + 1)
    return said
  }

  #accept(node: string, text: string): string {
    const now = Math.floor(this.place.clock.now() / 1000)
    const answer = this.agents.get(node)?.accept(text, now)
    return answer?.accepted ? 'accepted' : (answer?.reason ?? 'nobody')
  }

  get tally(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#tally)
  }
}

async function begin(): Promise<Fleet> {
  const place = await signing({ custody: await keyFolder(), plugins: [task as Plugin] })
  onTestFinished(() => place.kernel.close())
  await place.ask('signer.create', ROOT)
  await place.ask('signer.create', TASK)
  await place.settled()
  await place.ask('signer.activate', { ...ROOT, version: 1 })
  await place.settled()
  await place.ask('signer.activate', { ...TASK, version: 1 })
  await place.settled()
  const root = (await place.key(ROOT)).versions[0]?.public_key ?? ''
  const fleet = new Fleet(place, root)
  for (const id of NODES)
    expect(
      await place.ask('signer.register', { ...TASK, peer: { ...nodePeer(id) }, verifier: id }),
    ).toEqual([true, 'registered'])
  await fleet.distribute()
  return fleet
}

/** Publish, let every node have it, activate; the old version goes on verifying for its grace. */
async function rotate({ place }: Fleet, distribute: () => Promise<void>): Promise<void> {
  expect(await place.ask('signer.rotate', TASK)).toEqual([true, 'rotation_begun'])
  await place.settled()
  await distribute()
  const { versions } = await place.key()
  const version = versions.at(-1)?.version ?? 0
  expect(await place.ask('signer.activate', { ...TASK, version })).toEqual([
    true,
    'activation_begun',
  ])
}

/** What waits is tried again as time goes on; nobody else moves the clock. */
async function settle({ clock, store }: Signing): Promise<void> {
  const waiting = async (): Promise<number> => {
    clock.advance(1000)
    let entries = 0
    for await (const _ of store.list('#outbox', '')) entries++
    return entries
  }
  await expect.poll(waiting, { interval: 50, timeout: 10_000 }).toBe(0)
}

test('a rotation under load loses no task and accepts no old one', {
  timeout: 120_000,
}, async () => {
  const fleet = await begin()
  const { place } = fleet
  const everything: Sent[] = []
  for (let round = 0; round < 3; round++) {
    const before = await fleet.send(9)
    const during = fleet.send(9)
    await rotate(fleet, () => fleet.distribute())
    const meanwhile = [...(await during), ...(await fleet.send(9))]
    await expect.poll(async () => (await place.key()).versions.at(-1)?.state).toBe('active')
    await settle(place)
    // No node has been told yet that the key is active.
    const after = await fleet.send(9)
    for (const each of [...after, ...meanwhile, ...before]) await fleet.deliver(each)
    await fleet.distribute()
    everything.push(...before, ...meanwhile, ...after)
  }
  expect(fleet.tally).toEqual({ accepted: everything.length })
  // Once a rotation and node: what a set says is known from then on.
  expect(fleet.fetched).toBe(3 * NODES.length)
  expect(new Set((await place.key()).versions.map(({ kid }) => kid)).size).toBe(4)

  for (const each of everything.slice(0, 30)) expect(await fleet.deliver(each)).toBe('replayed')
  const late = await fleet.send(3)
  const version = (await place.key()).versions.at(-1)?.version
  await place.ask('signer.revoke', { ...TASK, reason: 'stolen', version } as Json)
  await settle(place)
  await fleet.distribute()
  for (const each of late) expect(await fleet.deliver(each)).toBe('key_revoked')
  for (const each of await fleet.send(3)) expect(await fleet.deliver(each)).toBe('accepted')
})

test('a revoked key signs no further task, from that very decision on', async () => {
  const fleet = await begin()
  const version = (await fleet.place.key()).versions.at(-1)?.version
  const revoked = fleet.place.ask('signer.revoke', { ...TASK, reason: 'stolen', version } as Json)
  expect((await revoked)[0]).toBe(true)
  const { versions } = await fleet.place.key()
  expect(versions[0]?.state).toBe('revoked')
  const request = { node_id: 'node-1', params, type: 'node.install-package', version: 1 }
  const decision = await fleet.place.decide('task.sign', request)
  // Either nothing may sign yet, or the successor does.
  const { keyid } = (decision.output ?? {}) as { readonly keyid?: string }
  expect(keyid).not.toBe(versions[0]?.kid)
})

test('a task has one report, from its own node', async () => {
  const { place } = await begin()
  const request = { node_id: 'node-1', params, type: 'node.install-package', version: 1 }
  const { output } = await place.decide('task.sign', request)
  const { task_id } = output as { readonly task_id: string }
  const report = (node_id: string) =>
    place.ask('task.report', { node_id, outcome: 'done', task_id }, nodePeer(node_id))
  expect(await report('node-2')).toEqual([false, 'task_unknown'])
  expect(await report('node-1')).toEqual([true, 'closed'])
  expect(await report('node-1')).toEqual([false, 'task_unknown'])
})
