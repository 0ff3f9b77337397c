import { describe, expect, it } from 'vitest'
import { ALLOW, functionEngine, kit, submission } from '../test/kernel/kit.ts'
import { PARTITION } from './decision.ts'
import { EngineError } from './error.ts'
import type { DataOperation } from './ports/engine.ts'
import { revisionAfter, revisionOf } from './revision.ts'

const CHANGE: readonly DataOperation[] = [{ op: 'upsert', path: '/roles/ada', value: ['admin'] }]

describe('a change of the policy’s data', () => {
  it('names its revision by the one before it and what changed', async () => {
    const { kernel } = await kit()
    const { digest, revision } = kernel.readiness().policy!
    const policy = await kernel.update(CHANGE)
    expect(policy.digest).toBe(digest)
    expect(policy.revision).toBe(revisionAfter(revision, CHANGE))
    expect(kernel.readiness().policy).toEqual({ digest, revision: policy.revision })
    expect(revisionAfter(revision, CHANGE)).not.toBe(revisionAfter(revision, []))
    expect(revisionAfter(revisionOf({}), CHANGE)).not.toBe(revisionAfter(revision, CHANGE))
  })

  it('is in the log, the next decision is under it, and the change is kept for those who run decisions again', async () => {
    const { kernel, leaves, store } = await kit()
    const before = kernel.readiness().policy!.revision
    const { digest, revision } = await kernel.update(CHANGE)
    const { id } = await kernel.decide(submission())
    const logged = await leaves()
    expect(logged.find(({ action }) => action === 'kernel.update-data')).toMatchObject({ revision })
    expect(logged.find((leaf) => leaf.id === id)).toMatchObject({ revision })
    const row = await store.get({ partition: PARTITION.policy, sort: `${digest}/${revision}` })
    expect(JSON.parse(new TextDecoder().decode(row!.value))).toEqual({
      operations: CHANGE,
      previous: before,
    })
  })

  it('that the engine refuses, or that is no JSON, leaves all as it was', async () => {
    const inner = functionEngine(() => ALLOW)
    const engine = {
      name: 'picky',
      load: async (made: Parameters<typeof inner.load>[0]) => ({
        ...(await inner.load(made)),
        patch: () => {
          throw new EngineError('picky', 'invalid_patch', 'no')
        },
      }),
    }
    const { kernel, leaves } = await kit({ engine })
    const before = kernel.readiness().policy
    await expect(kernel.update(CHANGE)).rejects.toMatchObject({ code: 'invalid_patch' })
    const odd = [{ op: 'add', path: '/x', value: undefined }] as unknown as DataOperation[]
    await expect(kernel.update(odd)).rejects.toMatchObject({ code: 'invalid_patch' })
    expect(kernel.readiness().policy).toEqual(before)
    expect((await leaves()).some(({ action }) => action === 'kernel.update-data')).toBe(false)
    expect((await kernel.decide(submission())).allow).toBe(true)
  })

  it('is what it was when it was asked for', async () => {
    const { kernel, store } = await kit()
    const before = kernel.readiness().policy!.revision
    const operations = [{ op: 'add' as const, path: '/x', value: 1 }]
    const updating = kernel.update(operations)
    operations[0]!.value = 2
    const { digest, revision } = await updating
    const asked = [{ op: 'add', path: '/x', value: 1 }] as const
    expect(revision).toBe(revisionAfter(before, asked))
    const row = await store.get({ partition: PARTITION.policy, sort: `${digest}/${revision}` })
    expect(JSON.parse(new TextDecoder().decode(row!.value))).toMatchObject({ operations: asked })
  })

  it('follows the others in their order, activations among them', async () => {
    const { kernel } = await kit()
    let expected = kernel.readiness().policy!.revision
    const steps = Array.from({ length: 5 }, (_, i): readonly DataOperation[] => [
      { op: 'upsert', path: `/roles/user-${i}`, value: i },
    ])
    for (const step of steps) expected = revisionAfter(expected, step)
    await Promise.all(steps.map((step) => kernel.update(step)))
    expect(kernel.readiness().policy!.revision).toBe(expected)
  })

  it('needs a policy', async () => {
    const { kernel } = await kit({ activate: false })
    await expect(kernel.update(CHANGE)).rejects.toMatchObject({ code: 'closed' })
  })
})
