/** A signed policy's revision in the kernel's own record: it goes forward with the activation, whoever else checked it before. */
import { describe, expect, it } from 'vitest'
import { openMemory } from '../adapters/store/memory/index.ts'
import { bundle, kit } from '../test/kernel/kit.ts'
import type { Bundle } from './ports/compiler.ts'

const content = (name: string): string => `sha256:${name.repeat(64)}`
const released = (counter: number, name: string): Bundle => ({
  ...bundle(name),
  release: { counter, content: content(name) },
})

describe('a release', () => {
  it('never goes back, and has one content', async () => {
    const { kernel, leaves } = await kit({ activate: false })
    await kernel.activate(released(2, 'a'))
    for (const bad of [released(1, 'b'), released(2, 'b')])
      await expect(kernel.activate(bad)).rejects.toMatchObject({ code: 'invalid_bundle' })
    expect(kernel.readiness().policy?.digest).toBe(bundle('a').digest)
    await kernel.activate(released(3, 'b'))
    await kernel.activate(released(4, 'b'))
    expect(await leaves()).toHaveLength(3)
  })

  it('is remembered by the store, also beside policies that have none', async () => {
    const { store, log } = openMemory()
    const first = await kit({ store, log, activate: false })
    await first.kernel.activate(released(2, 'a'))
    await first.kernel.activate(bundle('c'))
    await expect(first.kernel.activate(released(1, 'b'))).rejects.toMatchObject({
      code: 'invalid_bundle',
    })
    const row = await store.get({ partition: '#policy', sort: 'release' })
    expect(JSON.parse(new TextDecoder().decode(row?.value))).toEqual(released(2, 'a').release)
  })

  it('moves with a change of data, in the commit that logs it', async () => {
    const { kernel, leaves, store } = await kit({ activate: false })
    await kernel.activate(released(2, 'a'))
    const before = kernel.readiness().policy
    const change = [{ op: 'upsert', path: '/x', value: 1 }] as const
    for (const bad of [released(1, 'b'), released(2, 'b')])
      await expect(kernel.update(change, bad.release)).rejects.toMatchObject({
        code: 'invalid_bundle',
      })
    expect(kernel.readiness().policy).toEqual(before)
    expect(await leaves()).toHaveLength(1)
    await kernel.update(change, released(3, 'b').release)
    const row = await store.get({ partition: '#policy', sort: 'release' })
    expect(JSON.parse(new TextDecoder().decode(row?.value))).toEqual(released(3, 'b').release)
    await expect(kernel.activate(released(2, 'a'))).rejects.toMatchObject({
      code: 'invalid_bundle',
    })
    // A change that nobody signed is not another release.
    await kernel.update(change)
    const active = await store.get({ partition: '#policy', sort: 'active' })
    expect(JSON.parse(new TextDecoder().decode(active?.value))).toMatchObject({
      release: { counter: 3 },
    })
  })

  it('that is only compared is not recorded', async () => {
    const { kernel, store } = await kit()
    await kernel.shadow(released(9, 'b'))
    expect(await store.get({ partition: '#policy', sort: 'release' })).toBeUndefined()
  })
})

it('a refused policy is a decision of its own: denied, with its reason and what was offered', async () => {
  const { kernel, leaves } = await kit()
  const { policy } = kernel.readiness()
  await kernel.refusePolicy('bundle_unsigned', { archive: 'x' })
  expect((await leaves()).at(-1)).toMatchObject({
    action: 'kernel.refuse-policy',
    allow: false,
    policy: policy?.digest,
    reasons: [{ code: 'kernel/bundle_unsigned', rule: 'kernel/bundle_unsigned' }],
  })
  expect(kernel.readiness().policy).toEqual(policy)
})
