/** Erasing in the kernel: who may, what is left, and what wins a race. */
import { describe, expect, it } from 'vitest'
import { testCustody } from '../../test/kernel/custody.ts'
import {
  ALLOW,
  bundle,
  kit,
  notePlugin,
  ORIGIN,
  type PolicyArgs,
  submission,
} from '../../test/kernel/kit.ts'
import { formatVkey } from '../log/note.ts'
import { verifyReceipt } from '../log/receipt.ts'
import type { EffectKind, ReadPorts } from '../plugin.ts'
import { schema } from '../schema.ts'

const eraseKind: EffectKind = {
  onDeny: false,
  schema: schema.object({ ids: schema.array(schema.string()), kind: schema.literal('note.erase') }),
  plan: ({ ids }) => ({ erase: ids as readonly string[] }),
}
/** Its `note.write` erases the decisions that the payload lists, if it may; facts read those in `read`. */
function eraser(onRead: (read: ReadPorts) => Promise<void> = async () => undefined) {
  const plugin = notePlugin({
    effects: { 'note.erase': eraseKind },
    facts: async ({ payload }, read) => {
      const asked = payload.json() as { readonly read?: readonly string[] }
      for (const id of asked.read ?? []) await read.audit?.decision(id)
      await onRead(read)
      return { claimed: payload.json(), evidence: { check: 'valid' }, record: null }
    },
  })
  const policy = ({ facts, request }: PolicyArgs): unknown => {
    const { erase = [] } = facts.claimed as { erase?: readonly string[] }
    return request.action === 'note.write'
      ? { ...ALLOW, effects: [{ kind: 'note.erase', ids: erase }] }
      : ALLOW
  }
  return { plugin, policy }
}

const erasing = (erase: readonly string[], read = erase) =>
  submission('note.write', { erase, read })

describe('an auditor', () => {
  it('erases openings; leaf, proof and index stay', async () => {
    const custody = await testCustody()
    const { kernel } = await kit({ ...eraser(), auditor: 'note', custody })
    const { id, index } = await kernel.decide(submission())
    const before = await kernel.receipt(id)
    expect(await kernel.decide(erasing([id]))).toMatchObject({ allow: true })
    const after = await kernel.receipt(id)
    expect(after).not.toHaveProperty('openings')
    expect(after?.leaf).toBe(before?.leaf)
    const { publicKey } = (await custody.list('log'))[0]!
    const anchor = {
      type: 'assay.trust/v1',
      origin: ORIGIN,
      keys: [{ vkey: formatVkey(ORIGIN, publicKey), from: '0' }],
    } as const
    const verified = verifyReceipt(after!, anchor)
    expect(verified).toMatchObject({ ok: true, index: BigInt(index ?? -1) })
    expect(
      verified.checks.filter(({ name }) => name.startsWith('opening/')).length,
    ).toBeGreaterThan(3)
  })

  it('may erase what is erased already, and many at once', async () => {
    const { kernel } = await kit({ ...eraser(), auditor: 'note' })
    const ids: string[] = []
    for (let i = 0; i < 20; i++) ids.push((await kernel.decide(submission())).id)
    for (let i = 0; i < 2; i++)
      expect(await kernel.decide(erasing([...ids, ...ids], ids))).toMatchObject({ allow: true })
    for (const id of ids) expect(await kernel.receipt(id)).not.toHaveProperty('openings')
  })

  it('erases only what its facts read, and never what is no decision', async () => {
    const { kernel } = await kit({ ...eraser(), auditor: 'note' })
    const { id } = await kernel.decide(submission())
    for (const [erase, read] of [
      [[id], []],
      [['f'.repeat(32)], ['f'.repeat(32)]],
    ] as const) {
      const decision = await kernel.decide(erasing(erase, read))
      expect(decision.reasons.map(({ code }) => code)).toEqual(['kernel/effect_failed'])
    }
    expect(await kernel.receipt(id)).toHaveProperty('openings')
  })

  it('may look at more that was erased before than a batch holds', async () => {
    const { kernel, store } = await kit({ ...eraser(), auditor: 'note' })
    const decided = Array.from({ length: store.maxBatch + 1 }, () => kernel.decide(submission()))
    const ids = (await Promise.all(decided)).map(({ id }) => id)
    for (let at = 0; at < ids.length; at += 400)
      await kernel.decide(erasing(ids.slice(at, at + 400)))
    const { id } = await kernel.decide(submission())
    expect(await kernel.decide(erasing([id], [...ids, id]))).toMatchObject({ allow: true })
    expect(await kernel.receipt(id)).not.toHaveProperty('openings')
  })

  it('decides again when a record changed after its facts were read', async () => {
    let attempts = 0
    const other: { erase: () => Promise<unknown> } = { erase: async () => undefined }
    const { kernel } = await kit({
      ...eraser(async () => {
        attempts++
        const { erase } = other
        other.erase = async () => undefined
        await erase()
      }),
      auditor: 'note',
    })
    const { id } = await kernel.decide(submission())
    attempts = 0
    other.erase = () => kernel.decide(erasing([id]))
    expect(await kernel.decide(erasing([id]))).toMatchObject({ allow: true })
    // The inner one, the outer one, and the outer one again.
    expect(attempts).toBe(3)
    expect(await kernel.receipt(id)).not.toHaveProperty('openings')
  })
})

describe('any other plugin', () => {
  it('reads no decision and erases none', async () => {
    let seen: unknown = 'not asked'
    const { kernel } = await kit(
      eraser(async ({ audit }) => {
        seen = audit
      }),
    )
    const { id } = await kernel.decide(submission())
    const decision = await kernel.decide(erasing([id]))
    expect(decision).toMatchObject({ allow: false, reasons: [{ code: 'kernel/effect_failed' }] })
    expect(seen).toBeUndefined()
    expect(await kernel.receipt(id)).toHaveProperty('openings')
  })

  it('named otherwise than the auditor is no auditor', async () => {
    const { kernel } = await kit({ ...eraser(), auditor: 'audit', activate: false })
    await kernel.activate(bundle())
    const { id } = await kernel.decide(submission())
    expect((await kernel.decide(erasing([id]))).allow).toBe(false)
  })
})

it('a repeated idempotency key of an erased decision gets no half of it', async () => {
  const { kernel } = await kit({ ...eraser(), auditor: 'note' })
  const again = { ...submission(), idempotencyKey: 'k' }
  const { id } = await kernel.decide(again)
  expect((await kernel.decide(again)).id).toBe(id)
  await kernel.decide(erasing([id]))
  await expect(kernel.decide(again)).rejects.toMatchObject({ code: 'unavailable', decisionId: id })
})
