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
  expect(await revoking.perform(entry(lease), never)).toMatchObject({ revoked: true })
  const [{ submission } = { submission: undefined }] = kernel.dispatches
  expect(submission).toMatchObject({
    action: 'announce.revoke',
    peer: { kind: 'embedded', id: 'outbox' },
  })
  expect(submission?.payload.json()).toEqual(lease)
})

test('what names no cell is signed by a cell of this kernel, where there is one', async () => {
  const kernel = new FakeKernel()
  const key = entry({ id: 'k', kind: 'key' })
  await createRevoking({ cells: ['cell-a'], kernel }).perform(key, never)
  expect(kernel.dispatches[0]?.submission.payload.json()).toMatchObject({ cell: 'cell-a' })
  const none = createRevoking({ cells: [], kernel })
  expect(await none.perform(key, never)).toEqual({ revoked: false, why: 'no_cell' })
  expect(kernel.dispatches).toHaveLength(1)
})

const because = (code: string) =>
  new FakeKernel(async () => decision({ allow: false, reasons: [{ code, message: '', rule: '' }] }))

test('a refusal is an outcome, and a kernel that cannot decide is asked again', async () => {
  const refusing = createRevoking({ cells: ['cell-a'], kernel: because('until_over') })
  expect(await refusing.perform(entry(lease), never)).toMatchObject({
    revoked: false,
    why: 'until_over',
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
    ids.map(() => expect.objectContaining({ revoked: true })),
  )
  expect(await post.record('announce', 'own')).toMatchObject({ sequence: 40 })
  await post.kernel.close()
})

test('another cell of this kernel signs that the key of the first one is revoked', async () => {
  const kernel = new FakeKernel(async ({ submission }) => {
    const { cell } = submission.payload.json() as { readonly cell: string }
    const reasons = [{ code: 'signer_not_held', message: '', rule: '' }]
    return decision(cell === 'cell-b' ? {} : { allow: false, reasons })
  })
  const key = entry({ id: 'k', kind: 'key' })
  const two = createRevoking({ cells: ['cell-a', 'cell-b'], kernel })
  expect(await two.perform(key, never)).toMatchObject({ revoked: true })
  const one = createRevoking({ cells: ['cell-a'], kernel })
  expect(await one.perform(key, never)).toMatchObject({ revoked: false, why: 'signer_not_held' })
})
