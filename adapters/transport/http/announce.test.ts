/** The endpoint for wire messages: a real kernel with the package's policies, and real sockets. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { signingKey } from '../../../test/keys.ts'
import { announcement, messageOf, openPost, type Post } from '../../../test/messages.ts'
import { RawClient } from '../../../test/raw-http.ts'
import { createApp, serveHttp } from './index.ts'
import type { HttpServer } from './serve.ts'

let post: Post
let server: HttpServer
beforeEach(async () => {
  post = await openPost({ limits: { windowMs: 50 } })
  server = await serveHttp(post.kernel, { clock: post.clock })
})
afterEach(async () => {
  await server.close()
  await post.kernel.close()
})

const send = (message: Uint8Array): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}/assay/v1/announce`, {
    method: 'POST',
    body: Uint8Array.from(message),
  })
const bySomebody = messageOf(signingKey('somebody'), announcement())

/** What the leaves about refusals count, by source and code. */
async function counted(): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {}
  const size = await post.log.size()
  for (const bytes of await post.log.leaves(0n, Number(size))) {
    const leaf = JSON.parse(new TextDecoder().decode(bytes))
    if (leaf.type !== 'assay.counts/v1' || leaf.kind !== 'refused') continue
    for (const { code, count, source } of leaf.counts)
      found[`${source} ${code}`] = (found[`${source} ${code}`] ?? 0) + count
  }
  return found
}

test('a signed message is acknowledged with its decision', async () => {
  const answer = await send(messageOf(post.controller, announcement()))
  expect(answer.status).toBe(204)
  expect(answer.headers.get('x-decision-id')).toMatch(/^[0-9a-f]{32}$/)
  expect(answer.headers.get('content-length')).toBeNull()
})

test('a signed message that is denied is told why', async () => {
  const message = messageOf(post.controller, announcement())
  await send(message)
  const again = await send(message)
  expect([again.status, await again.text()]).toEqual([403, expect.stringMatching(/^replayed: /)])
})

describe('nobody is answered who signed nothing that counts', () => {
  const whole = messageOf(signingKey('controller'), announcement())
  test.each<readonly [string, Uint8Array]>([
    ['signer_unknown', bySomebody],
    ['signature_invalid', whole.with(120, (whole[120] as number) ^ 1)],
    ['unsigned', Uint8Array.from(whole).fill(0, 37, 101)],
    ['malformed', whole.subarray(0, 60)],
    ['too_large', new Uint8Array(65_537)],
    ['too_large', new Uint8Array(2_000_000)],
  ])('%s: the connection ends, and that is counted', async (code, message) => {
    const raw = await RawClient.to(server.port)
    raw.write(
      `POST /assay/v1/announce HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${message.length}\r\n\r\n`,
    )
    raw.write(message)
    expect(await raw.answer()).toBeUndefined()
    await expect.poll(counted).toEqual({ [`announce.receive ${code}`]: 1 })
  })
})

test('an address that sends nothing good is not listened to for a while', async () => {
  for (let i = 0; i < 11; i++) await send(bySomebody).catch(() => undefined)
  await expect(send(messageOf(post.controller, announcement()))).rejects.toThrow()
  post.clock.advance(60_000)
  const later = messageOf(post.controller, { ...announcement(), time: 1_800_000_060 })
  expect((await send(later)).status).toBe(204)
  const bad = { 'announce.receive signer_unknown': 10 }
  await expect.poll(counted).toEqual({ ...bad, 'announce.receive rate_limited': 2 })
})

test('what was heard already is not denied over and over, a leaf each', async () => {
  const message = messageOf(post.controller, announcement())
  await send(message)
  const again = Array.from({ length: 200 }, async () => (await send(message)).status)
  expect(new Set(await Promise.all(again))).toEqual(new Set([403]))
  await expect(send(message)).rejects.toThrow()
  post.clock.advance(1000)
  const next = messageOf(post.controller, announcement({ seq: 2 }))
  expect((await send(next)).status).toBe(204)
})

describe('on a platform without connections', () => {
  const asked = async (script: FakeKernel['script']): Promise<Response> => {
    const kernel = Object.assign(new FakeKernel(script), { actions: ['announce.receive'] })
    const app = createApp(kernel, { publicUrl: 'http://127.0.0.1' })
    return await app.request('/assay/v1/announce', { method: 'POST', body: 'any' })
  }

  test('silence is a status and nothing else', async () => {
    const answer = await asked(async () => {
      throw new NoDecision('refused', 'unsigned')
    })
    expect([answer.status, await answer.text()]).toEqual([444, ''])
  })

  test('a kernel that could not decide is asked again', async () => {
    const reason = { code: 'kernel/contended', message: 'try later', rule: 'kernel/contended' }
    const answer = await asked(async () => decision({ allow: false, reasons: [reason] }))
    expect([answer.status, await answer.text()]).toEqual([503, 'unavailable: try later'])
    expect(answer.headers.get('retry-after')).toBe('1')
  })
})
