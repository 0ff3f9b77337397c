import { expect, test } from 'vitest'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { openPost } from '../../../test/messages.ts'
import { createRevoking } from './index.ts'

const never = new AbortController().signal
const lease = { cell: 'cell-b', id: 'l1', kind: 'lease', until: 1_800_000_300 }
const entry = (body: object) => ({ key: 'k/0', kind: 'announce.revoke', body: body as never })

test('what a decision revoked becomes a decision that tells the others', async () => {
  const kernel = new FakeKernel()
  const revoking = createRevoking({ cells: ['cell-a'], kernel })
  const outcome = await revoking.perform(entry(lease), never)
  expect(outcome).toMatchObject({ 'cell-b': { revoked: true } })
  const [{ submission } = { submission: undefined }] = kernel.dispatches
  expect(submission).toMatchObject({
    action: 'announce.revoke',
    peer: { kind: 'embedded', id: 'outbox' },
  })
  expect(submission?.payload.json()).toEqual(lease)
})

test('what names no cell, each cell of this kernel says', async () => {
  const kernel = new FakeKernel()
  const key = entry({ id: 'k', kind: 'tenant' })
  const outcome = await createRevoking({ cells: ['cell-a', 'cell-b'], kernel }).perform(key, never)
  expect(Object.keys(outcome as object)).toEqual(['cell-a', 'cell-b'])
  expect(kernel.dispatches.map(({ submission }) => submission.payload.json())).toEqual([
    { cell: 'cell-a', id: 'k', kind: 'tenant' },
    { cell: 'cell-b', id: 'k', kind: 'tenant' },
  ])
  expect(await createRevoking({ cells: [], kernel }).perform(key, never)).toEqual({})
})

const because = (code: string) =>
  new FakeKernel(async () => decision({ allow: false, reasons: [{ code, message: '', rule: '' }] }))

test('a refusal is an outcome, and a kernel that cannot decide is asked again', async () => {
  const refusing = createRevoking({ cells: ['cell-a'], kernel: because('until_over') })
  expect(await refusing.perform(entry(lease), never)).toMatchObject({
    'cell-b': { revoked: false, why: 'until_over' },
  })
  const busy = createRevoking({ cells: ['cell-a'], kernel: because('kernel/contended') })
  await expect(busy.perform(entry(lease), never)).rejects.toMatchObject({ code: 'not_taken' })
})

test('of many at once none is denied for the others', async () => {
  const post = await openPost()
  const revoking = createRevoking({ cells: ['cell-a'], kernel: post.kernel })
  const ids = Array.from({ length: 40 }, (_, i) => `l${i}`)
  const performed = ids.map((id) => revoking.perform(entry({ id, kind: 'lease' }), never))
  expect(await Promise.all(performed)).toEqual(
    ids.map(() => ({ 'cell-a': expect.objectContaining({ revoked: true }) })),
  )
  expect(await post.record('announce', 'own')).toMatchObject({ sequence: 40 })
  await post.kernel.close()
})
