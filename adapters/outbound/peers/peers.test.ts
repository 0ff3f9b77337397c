/** What goes to other kernels, over real HTTP: what is acknowledged, what is sent again, and for how long. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ed25519Key } from '../../../core/crypto.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import type { OutboundAction } from '../../../core/ports/outbound.ts'
import { type Frame, openBody, readFrame, verifyFrame } from '../../../formats/wire/index.ts'
import { Authority } from '../../../test/certificates.ts'
import { broadcastEntry, reportEntry, START_MS } from '../../../test/outbox.ts'
import { type OtherKernel, otherKernel } from '../../../test/peer.ts'
import { createPeers, type Peers, type PeersOptions } from './index.ts'

let first: OtherKernel
let second: OtherKernel
let peers: Peers | undefined
let now: number
beforeEach(async () => {
  ;[first, second] = await Promise.all([otherKernel(), otherKernel()])
  now = START_MS
})
afterEach(async () => {
  await peers?.close()
  await Promise.all([first.close(), second.close()])
})

function open(options: Partial<PeersOptions> = {}): Peers {
  peers = createPeers({
    clock: { now: () => now },
    peers: { 'cell-b': { url: first.url }, 'cell-c': { url: `${second.url}/` } },
    ...options,
  })
  return peers
}
const action = (kind: string, body: Json): OutboundAction => ({ key: 'k/0', kind, body })
const never = new AbortController().signal
const broadcast = (seq = 1): Promise<Json> =>
  (peers as Peers).perform(action('announce.broadcast', broadcastEntry(seq)), never)
const sequences = async (other: OtherKernel): Promise<readonly number[]> => {
  const bodies = other.heard.map(({ body }) => openBody(readFrame(body) as Frame))
  return (await Promise.all(bodies)).map((body) => (body as { readonly seq: number }).seq)
}

describe('a broadcast', () => {
  test('reaches every peer as it was signed', async () => {
    open()
    expect(await broadcast()).toEqual({ acknowledged: [first.url, second.url].sort(), pending: [] })
    for (const { heard } of [first, second]) {
      expect(heard).toHaveLength(1)
      const [message] = heard
      expect(message).toMatchObject({
        path: '/assay/v1/announce',
        headers: { 'content-type': 'application/octet-stream' },
      })
      const frame = readFrame(message?.body ?? new Uint8Array()) as Frame
      expect(verifyFrame(frame, ed25519Key(frame.signer))).toBe(true)
    }
  })

  test('goes once to a kernel that keeps several cells', async () => {
    open({ peers: { 'cell-b': { url: first.url }, 'cell-c': { url: first.url } } })
    expect(await broadcast()).toEqual({ acknowledged: [first.url], pending: [] })
    expect(first.heard).toHaveLength(1)
  })

  test('is sent again to the one that did not acknowledge, and to no other', async () => {
    let failures = 2
    second.reply = () => (failures-- > 0 ? { status: 503 } : { status: 204 })
    open()
    expect(await broadcast()).toMatchObject({ pending: [] })
    expect(first.heard).toHaveLength(1)
    expect(second.heard).toHaveLength(3)
  })

  test('that is not acknowledged soon goes on in the background', async () => {
    let deaf = true
    second.reply = () => (deaf ? 'hang' : { status: 204 })
    open()
    expect(await broadcast()).toEqual({ acknowledged: [first.url], pending: [second.url] })
    deaf = false
    await expect.poll(() => second.heard.length, { timeout: 10_000 }).toBeGreaterThan(1)
    expect(first.heard).toHaveLength(1)
  })

  test('is not insisted on where it is denied', async () => {
    second.reply = () => ({ status: 403, body: 'signer_revoked: not in force any more' })
    open()
    expect(await broadcast()).toEqual({ acknowledged: [first.url], pending: [second.url] })
    expect(second.heard).toHaveLength(1)
  })

  test('is not insisted on for long where nobody answers', async () => {
    second.reply = () => 'cut'
    open()
    expect(await broadcast()).toEqual({ acknowledged: [first.url], pending: [second.url] })
    await expect.poll(() => second.heard.length, { timeout: 10_000 }).toBe(6)
    // It is down then: a later one waits for nobody.
    await expect
      .poll(() => broadcast(2), { timeout: 10_000 })
      .toMatchObject({ pending: [second.url] })
  })

  test('whose acknowledgement was lost was heard all the same', async () => {
    let lost = true
    second.reply = () => {
      if (!lost) return { status: 403, body: 'replayed: heard already' }
      lost = false
      return 'cut'
    }
    open()
    expect(await broadcast()).toMatchObject({ pending: [] })
    expect(second.heard).toHaveLength(2)
  })

  test('does not wait for an earlier one, which is not sent again after it', async () => {
    second.reply = ({ body }) =>
      Buffer.from(body).includes('"seq":1') ? { status: 503 } : { status: 204 }
    open()
    const [one, two] = await Promise.all([broadcast(1), broadcast(2)])
    expect(two).toMatchObject({ pending: [] })
    // What a later message makes good counts as heard.
    expect(one).toMatchObject({ pending: [] })
    const tries = (await sequences(second)).filter((seq) => seq === 1).length
    expect(tries).toBeLessThanOrEqual(2)
  })

  test('keeps nobody waiting for a peer that is known to be down', async () => {
    await second.close()
    open({ giveUpMs: 300 })
    await broadcast(1)
    await expect
      .poll(
        async () => {
          const before = performance.now()
          await broadcast(2)
          return performance.now() - before
        },
        { timeout: 20_000 },
      )
      .toBeLessThan(900)
    expect(first.heard.length).toBeGreaterThan(1)
  })

  test('ends with the adapter', async () => {
    second.reply = () => 'hang'
    const performed = open().perform(action('announce.broadcast', broadcastEntry()), never)
    await expect.poll(() => second.heard.length).toBe(1)
    await peers?.close()
    await expect(performed).rejects.toMatchObject({ code: 'closed' })
    await expect(broadcast()).rejects.toMatchObject({ code: 'closed' })
    expect(second.heard).toHaveLength(1)
  })
})

describe('a report', () => {
  const ALLOWED = { status: 200, body: '{"allow":true,"reasons":[]}' }
  const report = (named: string): Promise<Json> =>
    (peers as Peers).perform(action('capability.report', reportEntry(named)), never)

  test('is a signed call to the kernel that keeps the cell', async () => {
    second.reply = () => ALLOWED
    open()
    expect(await report('cell-c')).toEqual({ reported: true })
    expect(first.heard).toEqual([])
    const [{ body, path } = { body: new Uint8Array(), path: '' }] = second.heard
    expect(path).toBe('/assay/v1/decisions')
    expect(parseJson(body)).toEqual({
      action: 'capability.report',
      payload: {
        body: expect.objectContaining({ at: 'cell-a', cell: 'cell-c' }),
        call: {
          cell: 'cell-a',
          nonce: 'A'.repeat(22),
          signature: expect.stringMatching(/^[\w-]{86}$/),
          time: START_MS / 1000,
        },
      },
    })
  })

  test('that is denied, too late or for nobody is not made again', async () => {
    second.reply = () => ({ status: 200, body: '{"allow":false,"reasons":[{"code":"x"}]}' })
    open()
    expect(await report('cell-c')).toEqual({ reported: false, why: 'denied' })
    expect(await report('cell-x')).toEqual({ reported: false, why: 'no_peer' })
    now += 26_000
    expect(await report('cell-c')).toEqual({ reported: false, why: 'too_late' })
    expect(second.heard).toHaveLength(1)
  })

  test.each([
    [{ status: 503, body: '' }, 'unexpected_status'],
    [{ status: 200, body: 'not JSON' }, 'malformed_answer'],
    [{ status: 200, body: '{"allow":"yes","reasons":[]}' }, 'malformed_answer'],
    [{ status: 200, body: `"${'x'.repeat(300_000)}"` }, 'malformed_answer'],
    ['cut', 'refused'],
  ] as const)('that is answered with %j waits in the outbox', async (reply, code) => {
    second.reply = () => reply
    open()
    await expect(report('cell-c')).rejects.toMatchObject({ code })
  })

  test('to a peer that is down waits in the outbox', async () => {
    await second.close()
    open()
    await expect(report('cell-c')).rejects.toMatchObject({ code: 'unreachable' })
  })
})

test('a gap is passed on to whoever pulls', async () => {
  const missing: string[] = []
  open({ onGap: (cell) => missing.push(cell) })
  await peers?.perform(action('announce.fetch', { cell: 'cell-b' }), never)
  expect(missing).toEqual(['cell-b'])
})

test('a token goes along, and certificates are checked with the authority that is named', async () => {
  const authority = await Authority.make()
  try {
    const { cert, key } = await authority.issue({ altNames: 'IP:127.0.0.1' })
    const tls = { cert: readFileSync(cert), key: readFileSync(key) }
    const secure = await otherKernel(() => createServer(tls) as never)
    const tokenFile = join(authority.folder, 'token')
    await writeFile(tokenFile, 'secret\n')
    open({ peers: { 'cell-b': { caFile: authority.cert, tokenFile, url: secure.url } } })
    expect(await broadcast()).toEqual({ acknowledged: [secure.url], pending: [] })
    expect(secure.heard[0]?.headers.authorization).toBe('Bearer secret')
    await peers?.close()
    open({ peers: { 'cell-b': { url: secure.url } }, giveUpMs: 100 })
    expect(await broadcast()).toEqual({ acknowledged: [], pending: [secure.url] })
    await secure.close()
  } finally {
    await authority.remove()
  }
})
