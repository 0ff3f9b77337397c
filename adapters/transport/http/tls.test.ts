import { once } from 'node:events'
import { copyFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Authority, type Certificate } from '../../../test/certificates.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { RawClient, rawPost } from '../../../test/raw-http.ts'
import { systemClock } from '../../clock/system.ts'
import { type HttpOptions, type HttpServer, serveHttp } from './index.ts'
import type { HttpEvent } from './options.ts'
import type { TlsOptions } from './tls.ts'

const EVALUATION = JSON.stringify({
  subject: { type: 'user', id: 'a' },
  action: { name: 'read' },
  resource: { type: 'r', id: 'b' },
})

let authority: Authority
let other: Authority
let own: Certificate
let later: Certificate
beforeAll(async () => {
  authority = await Authority.make()
  other = await Authority.make('Other Authority')
  own = await authority.server()
  later = await authority.server()
})
afterAll(async () => {
  await authority.remove()
  await other.remove()
})

async function served(
  tls: TlsOptions,
  use: (server: HttpServer, events: readonly HttpEvent[], kernel: FakeKernel) => Promise<void>,
  more: HttpOptions = {},
): Promise<void> {
  const events: HttpEvent[] = []
  const kernel = new FakeKernel()
  const server = await serveHttp(kernel, {
    tls,
    lookMs: 20,
    onEvent: (event) => events.push(event),
    ...more,
  })
  try {
    await use(server, events, kernel)
  } finally {
    await server.close()
  }
}

interface Got {
  readonly status: number | undefined
  readonly serial: string
}

/** One request on a connection of its own, or through `agent`. */
async function get(url: string, options: ConnectionOptions = {}, agent?: Agent): Promise<Got> {
  const ca = await readFile(authority.cert)
  return await new Promise((resolve, reject) => {
    const asked = request(`${url}/health/live`, { agent: agent ?? false, ca, ...options })
    asked.on('error', reject)
    asked.on('response', (response) => {
      const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber
      response.resume().on('end', () => resolve({ status: response.statusCode, serial }))
    })
    asked.end()
  })
}

const identity = async ({ cert, key }: Certificate): Promise<ConnectionOptions> => ({
  cert: await readFile(cert),
  key: await readFile(key),
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5)
}

describe('HTTPS', () => {
  test('is what a server with a certificate speaks, and its URL says so', async () => {
    await served(own, async ({ port, url }) => {
      expect(url).toBe(`https://127.0.0.1:${port}`)
      expect((await get(url)).status).toBe(200)
      await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow()
    })
  })

  test('has a least version', async () => {
    const old: ConnectionOptions = { maxVersion: 'TLSv1.2' }
    await served(own, async ({ url }) => expect((await get(url, old)).status).toBe(200))
    await served({ ...own, minVersion: 'TLSv1.3' }, async ({ url }, _, kernel) => {
      await expect(get(url, old)).rejects.toThrow()
      expect((await get(url)).status).toBe(200)
      await until(() => kernel.refusals.includes('http tls_handshake'))
    })
    await served(own, async ({ url }) => {
      const older: ConnectionOptions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }
      await expect(get(url, older)).rejects.toThrow()
    })
  })

  test('waits for no handshake longer than for a request, and at its end for none', async () => {
    await served(
      own,
      async ({ port }, _, kernel) => {
        const silent = await RawClient.to(port)
        await silent.end()
        expect(kernel.refusals).toEqual(['http tls_handshake'])
      },
      { requestTimeoutMs: 100 },
    )
    let unfinished: RawClient | undefined
    await served(
      own,
      async ({ port }) => {
        unfinished = await RawClient.to(port)
        // The begin of a handshake's record.
        unfinished.write(Uint8Array.of(0x16, 0x03, 0x01))
        await sleep(50)
      },
      { requestTimeoutMs: 600_000 },
    )
    await unfinished?.end()
  })

  test('takes nothing for HTTP that is not secure', async () => {
    await served(own, async ({ port }, _, kernel) => {
      const raw = await RawClient.to(port)
      raw.write(rawPost('/access/v1/evaluation', EVALUATION))
      expect(await raw.answer()).toBeUndefined()
      expect([kernel.dispatches.length, kernel.refusals]).toEqual([0, ['http tls_handshake']])
    })
  })

  test.each<[string, () => Partial<TlsOptions>]>([
    ['no such file', () => ({ cert: '/nowhere.pem' })],
    ["another certificate's key", () => ({ key: later.key })],
    ['a key for a certificate', () => ({ cert: own.key })],
    ['no certificate of a client authority', () => ({ clientCa: own.key })],
  ])('%s is refused before anything listens', async (_, wrong) => {
    const tls = { ...own, ...wrong() }
    expect(await refusal(serveHttp(new FakeKernel(), { tls }))).toBe('invalid_options')
  })
})

describe('certificates that change', () => {
  /** A folder as a secret is mounted: `current` links to the folder with the files. */
  async function mounted(name: string, first: Certificate): Promise<(next: Certificate) => string> {
    const folder = join(authority.folder, name)
    let version = 0
    const put = async (pair: Certificate): Promise<void> => {
      const version_ = `v${version++}`
      await mkdir(join(folder, version_), { recursive: true })
      await copyFile(pair.cert, join(folder, version_, 'tls.crt'))
      await copyFile(pair.key, join(folder, version_, 'tls.key'))
      await symlink(version_, join(folder, 'next'))
      await rename(join(folder, 'next'), join(folder, 'current'))
    }
    await put(first)
    return (next) => {
      void put(next)
      return folder
    }
  }
  const inside = (name: string): TlsOptions => ({
    cert: join(authority.folder, name, 'current/tls.crt'),
    key: join(authority.folder, name, 'current/tls.key'),
  })

  test('new connections get the new one after a swapped link', async () => {
    const swap = await mounted('swapped', own)
    await served(inside('swapped'), async ({ url }, events) => {
      const before = await get(url)
      swap(later)
      await until(() => events.length > 0)
      const after = await get(url)
      expect(events).toEqual([{ kind: 'tls_reloaded' }])
      expect([before.status, after.status]).toEqual([200, 200])
      expect(after.serial).not.toBe(before.serial)
    })
  })

  test('a pair that does not fit is reported, and the one before it stays', async () => {
    const swap = await mounted('broken', own)
    await served(inside('broken'), async ({ url }, events) => {
      const before = await get(url)
      swap({ cert: later.cert, key: own.key })
      await until(() => events.length > 0)
      expect(events[0]?.kind).toBe('tls_refused')
      expect((await get(url)).serial).toBe(before.serial)
      swap(later)
      await until(() => events.length > 1)
      expect(events[1]).toEqual({ kind: 'tls_reloaded' })
      expect((await get(url)).serial).not.toBe(before.serial)
    })
  })
})

describe('client certificates', () => {
  test('are needed where there is an authority for them', async () => {
    const good = await identity(await authority.issue({}))
    const foreign = await identity(await other.issue({}))
    await served({ ...own, clientCa: authority.cert }, async ({ url }, _, kernel) => {
      expect((await get(url, good)).status).toBe(200)
      await expect(get(url)).rejects.toThrow()
      await expect(get(url, foreign)).rejects.toThrow()
      await until(() => kernel.refusals.length === 2)
      expect(new Set(kernel.refusals)).toEqual(new Set(['http tls_handshake']))
    })
  })

  test('of an authority that is gone are worth nothing, whatever the client kept', async () => {
    const clientCa = join(authority.folder, 'roots.pem')
    await copyFile(other.cert, clientCa)
    const old = await identity(await other.issue({}))
    const fresh = await identity(await authority.issue({}))
    await served({ ...own, clientCa }, async ({ port, url }, events) => {
      const kept = new Agent({ keepAlive: true, maxSockets: 1 })
      expect((await get(url, old, kept)).status).toBe(200)
      const sessions: Buffer[] = []
      const ca = await readFile(authority.cert)
      const socket = connect({ port, host: '127.0.0.1', ca, ...old })
      socket.on('session', (session) => sessions.push(session))
      await once(socket, 'secureConnect')
      await writeFile(clientCa, await readFile(authority.cert))
      await until(() => events.length > 0)
      expect(events).toEqual([{ kind: 'tls_reloaded' }])
      await expect(get(url, old, kept)).rejects.toThrow()
      for (const session of [...sessions, socket.getSession()])
        await expect(get(url, { ...old, ...(session ? { session } : {}) })).rejects.toThrow()
      expect((await get(url, fresh)).status).toBe(200)
      kept.destroy()
      socket.destroy()
    })
  })

  test('are asked for again on a connection that was busy when their authority went', async () => {
    const clientCa = join(authority.folder, 'busy.pem')
    await copyFile(other.cert, clientCa)
    const old = await identity(await other.issue({}))
    const ca = await readFile(authority.cert)
    const options: HttpOptions = { auth: { kind: 'mtls' }, clock: systemClock }
    const tls = { ...own, clientCa, requireClientCert: false }
    const use = async (
      { port }: HttpServer,
      events: readonly HttpEvent[],
      kernel: FakeKernel,
    ): Promise<void> => {
      let release = (): void => {}
      kernel.script = async () => {
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return decision()
      }
      const socket = connect({ port, host: '127.0.0.1', ca, ...old })
      let received = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        received += text
      })
      socket.write(rawPost('/access/v1/evaluation', EVALUATION))
      await until(() => kernel.dispatches.length === 1)
      await writeFile(clientCa, ca)
      await until(() => events.length > 0)
      release()
      await until(() => received.includes('"decision":true'))
      socket.write(rawPost('/access/v1/evaluation', EVALUATION))
      await once(socket, 'close')
      expect(received).toMatch(/HTTP\/1\.1 401 /)
      expect(received).toMatch(/^invalid_certificate: /m)
      expect(kernel.dispatches.length).toBe(1)
    }
    await served(tls, use, options)
  })
})
