/** `task` with its own policies in a real kernel: a gateway that takes sets and tasks, and reports that come once. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { type Real, realKernel, START_MS } from '../../test/kernel/real.ts'
import { Platform, START } from '../../test/task/platform.ts'
import { task } from './facts.ts'

const platform = new Platform()
const [a, b] = [platform.key('a'), platform.key('b')]
const node = { kind: 'node', id: 'node-7' }
const json = (text: string): Json => JSON.parse(text) as Json

let real: Real
beforeEach(async () => {
  expect(START_MS / 1000).toBe(START)
  real = await realKernel([task as Plugin])
})
afterEach(() => real.kernel.close())

const ingest = (set: string) => real.ask('task.ingest', { envelope: json(set) })
const accept = (text: string, node_id = 'node-7') =>
  real.ask('task.accept', { envelope: json(text), node_id }, node)

test('a gateway takes sets of its root, and each task once', async () => {
  const first = platform.set(1, [a.active, b.preActive])
  expect(await ingest(first)).toEqual([false, 'key_unknown'])
  const trust = (root: string, trusted: boolean) => real.ask('task.trust', { root, trusted })
  expect(await trust(platform.root.x, true)).toEqual([true, 'trust_changed'])
  expect(await ingest(first)).toEqual([true, 'set_taken'])
  expect(await ingest(first)).toEqual([false, 'not_newer'])
  const asked = platform.task('t', [a])
  expect(await accept(asked, 'node-8')).toEqual([false, 'not_allowed_here'])
  expect(await accept(asked)).toEqual([true, 'accepted'])
  expect(await accept(asked)).toEqual([false, 'replayed'])
  expect(await ingest(platform.set(2, [a.revoked, b.active]))).toEqual([true, 'set_taken'])
  expect(await accept(platform.task('u', [a]))).toEqual([false, 'key_revoked'])
  expect(await ingest(platform.set(9, [b.active]))).toEqual([true, 'set_taken'])
  expect(await ingest(platform.set(10, [a.active]))).toEqual([false, 'revoked_key_reactivated'])
  expect(await trust(platform.root.x, false)).toEqual([false, 'root_count'])
  expect(await trust(a.x, true)).toEqual([true, 'trust_changed'])
  expect(await trust(platform.root.x, false)).toEqual([true, 'trust_changed'])
  expect(await ingest(platform.set(11, [b.active]))).toEqual([false, 'key_unknown'])
})

test('what is over makes room, and is not taken again', async () => {
  await real.ask('task.trust', { root: platform.root.x, trusted: true })
  await ingest(platform.set(1, [a.active]))
  const short = platform.task('short', [a], { expires_at: START + 5 })
  expect(await accept(short)).toEqual([true, 'accepted'])
  real.clock.advance(6000)
  expect(await accept(platform.task('next', [a]))).toEqual([true, 'accepted'])
  expect(await accept(short)).toEqual([false, 'task_expired'])
  // Another server's clock, as far behind as kernels bear with.
  real.clock.set(START_MS + 4000)
  expect(await accept(short)).toEqual([false, 'replayed'])
  real.clock.advance(62_000)
  const last = platform.task('last', [a], { expires_at: START + 600 })
  expect(await accept(last)).toEqual([true, 'accepted'])
  expect(await real.record('task', 'used/node-7')).toEqual([
    ['next', START + 600],
    ['last', START + 600],
  ])
})

test('a key that nobody manages signs no task, and nobody reports what was not sent', async () => {
  const params = { digest: `sha256:${'ab'.repeat(32)}`, name: 'driver' }
  const asked = { node_id: 'node-7', params, type: 'node.install-package', version: 1 }
  expect(await real.ask('task.sign', asked)).toEqual([false, 'key_not_managed'])
  expect(await real.ask('task.sign', { ...asked, params: {} })).toEqual([false, 'params_mismatch'])
  const report = { node_id: 'node-7', outcome: 'done', task_id: 't' }
  expect(await real.ask('task.report', report, node)).toEqual([false, 'task_unknown'])
})
