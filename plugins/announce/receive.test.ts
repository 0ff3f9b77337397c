/** Messages that come, through a real kernel with the package's policies. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { announcement, messageOf, NOW, openPost, type Post } from '../../test/messages.ts'

let post: Post
beforeEach(async () => {
  post = await openPost()
})
afterEach(() => post.kernel.close())

test('the controller announces and withdraws what a cell offers', async () => {
  expect(await post.receive(messageOf(post.controller, announcement()))).toEqual([
    true,
    'signed_message',
  ])
  expect(await post.record('announce', 'announced/cell-b/gpu')).toMatchObject({
    endpoint: 'https://cell-b.test:7443',
  })
  const withdrawal = { type: 'WITHDRAW', cell: 'cell-b', service: 'gpu', seq: 2 }
  expect(await post.receive(messageOf(post.controller, withdrawal))).toEqual([
    true,
    'signed_message',
  ])
  expect(await post.record('announce', 'announced/cell-b/gpu')).toBeUndefined()
})

test('a revocation made here reaches another kernel', async () => {
  const other = await openPost()
  const id = 'a'.repeat(64)
  const revoked = await post.decide('announce.revoke', { cell: 'cell-a', id, kind: 'token' })
  expect(revoked.reasons).toMatchObject([{ code: 'peer_allowed' }])
  expect(await post.record('announce', `revoked/token/${id}`)).toMatchObject({ until: NOW + 330 })
  await other.kernel.close()
})
