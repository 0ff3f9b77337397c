/**
 * Envoy, nginx and Caddy as people run them, each with the configuration of docs/envoy.md or docs/proxies.md, in front of `bin/assay serve`.
 * What counts is what reaches the service behind them.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Asked, askProxy, basic, documented, freePort, Program, Upstream } from '../proxies.ts'
import { Server } from '../server.ts'
import { readText, root } from '../source.ts'
import { envoyProgram, proxyProgram } from '../tools.ts'

/** The place of one proxy: its folder and the ports of the documented configuration. */
interface Place {
  readonly folder: string
  readonly ports: { readonly assay: number; readonly proxy: number; readonly upstream: number }
}
interface Proxy {
  readonly name: string
  /** `http.forwardAuth.proxy` */
  readonly asks: 'caddy' | 'envoy' | 'nginx'
  /** What a client gets while the server is down. */
  readonly outage: number
  start(place: Place): Promise<Program>
}

/** A documented file with the ports of this run, written into the folder. */
function configure(page: string, name: string, place: Place, change = (text: string) => text) {
  const { assay, proxy, upstream } = place.ports
  const text = documented(page, name)
    .replaceAll('8180', String(assay))
    .replaceAll('10000', String(proxy))
    .replaceAll('9000', String(upstream))
    // A machine that runs tests is busy.
    .replaceAll(/\b(?:0\.2s|200ms)/g, '5s')
  const path = join(place.folder, name.split(' ')[1] as string)
  writeFileSync(path, change(text))
  return path
}

function writeUsers({ folder }: Place): void {
  const sha = createHash('sha1').update('secret').digest('base64')
  const path = join(folder, 'htpasswd')
  writeFileSync(path, `ada:{SHA}${sha}\nben:{SHA}${sha}\n`, { mode: 0o644 })
  // nginx reads it as another user.
  chmodSync(folder, 0o755)
}

/** @param change what is done to the documented configuration */
async function startEnvoy(place: Place, change?: (text: string) => string): Promise<Program> {
  const program = await envoyProgram()
  writeUsers(place)
  const path = configure('docs/envoy.md', 'envoy envoy.yaml', place, change)
  const args = ['-c', path, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning']
  return new Program(program, args, place.folder)
}

const envoy: Proxy = {
  name: 'envoy',
  asks: 'envoy',
  outage: 503,
  start: (place) => startEnvoy(place),
}

/** Without what the page recommends: every path reaches the server as the client wrote it. */
const laxEnvoy: Proxy = {
  ...envoy,
  name: 'envoy that normalises nothing',
  start: (place) =>
    startEnvoy(place, (text) =>
      text
        .replace('normalize_path: true', 'normalize_path: false')
        .replace('REJECT_REQUEST', 'KEEP_UNCHANGED'),
    ),
}

const nginx: Proxy = {
  name: 'nginx',
  asks: 'nginx',
  outage: 500,
  async start(place) {
    const program = await proxyProgram('nginx')
    writeUsers(place)
    const { folder } = place
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(' ')
    const path = configure('docs/proxies.md', 'nginx nginx.conf', place, (text) =>
      text.replace('http {', `http { access_log off; ${temporary}`),
    )
    const global = `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;`
    return new Program(program, ['-p', folder, '-c', path, '-g', global], folder)
  },
}

const caddy: Proxy = {
  name: 'caddy',
  asks: 'caddy',
  outage: 502,
  async start(place) {
    const program = await proxyProgram('caddy')
    const path = configure('docs/proxies.md', 'caddy Caddyfile', place)
    const args = ['run', '--config', path, '--adapter', 'caddyfile']
    const env = { HASH, XDG_CONFIG_HOME: place.folder, XDG_DATA_HOME: place.folder }
    return new Program(program, args, place.folder, env)
  },
}
/** What `caddy hash-password --plaintext secret` printed. */
const HASH = '$2a$14$HZvADxANasGHZhgGQC9L8.wT7pZHUk.SV6H6PV4iB2SVQA2JTO77G'

const CKPT = '/checkpoints/ckpt-7-0041'

interface Stand {
  readonly server: Server
  readonly port: number
  close(): Promise<void>
}

/** A server and a proxy in front of `upstream`. `change`: what is done to the documented configuration of the server. */
async function stand(
  { asks, start }: Proxy,
  upstream: Upstream,
  change: (text: string) => string = (text) => text,
): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), `assay-${asks}-`))
  const ports = {
    assay: await freePort(),
    proxy: await freePort(),
    upstream: await upstream.listen(),
  }
  const place = { folder, ports }
  const config = configure('docs/envoy.md', 'envoy assay.yaml', place, (text) =>
    change(text)
      .replace('./state.json', join(root, 'adapters/config/example-state.json'))
      .replace('proxy: envoy', `proxy: ${asks}`),
  )
  const server = new Server({ data: join(folder, 'data'), config, port: ports.assay })
  let program: Program | undefined
  const close = async (): Promise<void> => {
    await program?.stop()
    await server.stop('SIGKILL')
    upstream.close()
    rmSync(folder, { recursive: true })
  }
  try {
    await server.ready
    program = await start(place)
    await program.listening(ports.proxy)
  } catch (error) {
    await close()
    throw error
  }
  return { server, port: ports.proxy, close }
}

describe.each([envoy, laxEnvoy, nginx, caddy])('$name', (proxy) => {
  const upstream = new Upstream()
  let server: Server
  let port = 0
  let close = async (): Promise<void> => undefined

  beforeAll(async () => {
    const standing = await stand(proxy, upstream)
    server = standing.server
    port = standing.port
    close = standing.close
  }, 300_000)
  afterAll(() => close())
  beforeEach(() => {
    upstream.reached.length = 0
  })

  const ask = (target: string, ...headers: string[]): Promise<Asked> =>
    askProxy(port, target, headers)

  test('an allow reaches the service, which learns who it is', async () => {
    expect((await ask(CKPT, basic('ada'))).status).toBe(200)
    expect(upstream.reached.map(({ line }) => line)).toEqual([`GET ${CKPT}`])
    expect(upstream.reached[0]?.headers['x-assay-subject']).toBe('user/ada')
  })

  test.each([
    ['somebody else', CKPT, 'ben', 'not_permitted'],
    ['another resource', '/checkpoints/ckpt-9-0003', 'ada', 'not_owner'],
    ['a path without a route', '/admin', 'ada', 'unknown_resource'],
  ])('a deny is 403 with its reason: %s', async (_, target, user, reason) => {
    const { status, headers } = await ask(target, basic(user))
    expect([status, headers.get('assay-reason')]).toEqual([403, reason])
    expect(headers.get('x-decision-id')).toMatch(/^[0-9a-f]{32}$/)
    expect(upstream.reached).toEqual([])
  })

  test('the requests that the page shows get what it says', async () => {
    const [, block = ''] = readText('docs/envoy.md').match(/^```sh\n(curl[\s\S]*?)^```$/m) ?? []
    const script = block.replaceAll('10000', String(port))
    // Not execFileSync: the service behind the proxy runs in this process.
    const { stdout } = await promisify(execFile)('sh', ['-euc', script])
    const statuses = [...stdout.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    expect(statuses).toEqual(['200', '403', '403'])
    expect(stdout).toMatch(/assay-reason: not_permitted[\s\S]*assay-reason: unknown_resource/i)
    // nginx answers a deny with a page of its own.
    const denials = stdout.match(/^content-type: application\/json\r$/gim) ?? []
    expect(denials).toHaveLength(proxy.name === 'nginx' ? 0 : 2)
    expect(upstream.reached.map(({ line }) => line)).toEqual([`GET ${CKPT}`])
  })

  test('nobody gets in without a password, or with the wrong one', async () => {
    expect((await ask(CKPT)).status).toBe(401)
    expect((await ask(CKPT, 'X-Auth-User: ada')).status).toBe(401)
    expect((await ask(CKPT, basic('ada', 'guess'))).status).toBe(401)
    expect(upstream.reached).toEqual([])
  })

  test('forged headers make nobody somebody else, and no path another', async () => {
    const forged = [
      'X-Auth-User: ada',
      'X-Assay-Subject: user/ada',
      'X-Forwarded-User: ada',
      'Assay-Obligations: step-up',
      'Idempotency-Key: k',
      ...['X-Forwarded', 'X-Original'].flatMap((prefix) => [
        `${prefix}-Method: GET`,
        `${prefix}-Uri: ${CKPT}`,
        `${prefix}-Host: app.example.com`,
      ]),
    ]
    expect((await ask(CKPT, basic('ben'), ...forged)).status).toBe(403)
    expect((await ask('/checkpoints/ckpt-9-0003', basic('ada'), ...forged)).status).toBe(403)
    expect(upstream.reached).toEqual([])
    expect((await ask(CKPT, basic('ada'), 'X-Assay-Subject: user/root')).status).toBe(200)
    expect(upstream.reached[0]?.headers['x-assay-subject']).toBe('user/ada')
  })

  test.each([
    '/admin/..%2f..%2fcheckpoints%2fckpt-7-0041',
    '/admin%2f..%2fcheckpoints/ckpt-7-0041',
    '/checkpoints%2fckpt-7-0041',
    '/checkpoints/ckpt-7-0041%2f..%2fckpt-9-0003',
    '/checkpoints/ckpt-7-0041;x=/../ckpt-9-0003',
    '/checkpoints/%252e%252e/admin',
    '/checkpoints/ckpt-7-0041%00',
  ])('a path with two readings does not get through: %s', async (target) => {
    const { status } = await ask(target, basic('ada'))
    expect([400, 403]).toContain(status)
    expect(upstream.reached).toEqual([])
  })

  test('a proxy that repairs a backslash does so for the question and the service alike', async () => {
    const { status } = await ask('/checkpoints\\ckpt-7-0041', basic('ada'))
    expect([status, ...upstream.reached.map(({ line }) => line)]).toEqual(
      status === 200 ? [200, `GET ${CKPT}`] : [403],
    )
  })

  test.each(['/../health/live', '/x/../../health/live', '//health/live', '/./health/live'])(
    'no path leads past the question to an answer of the server itself: %s',
    async (target) => {
      const { status } = await ask(target, basic('ada'))
      expect([400, 403]).toContain(status)
      expect(upstream.reached).toEqual([])
    },
  )

  test('while the server hangs nothing gets through, and afterwards it goes on', async () => {
    server.signal('SIGSTOP')
    const { status } = await ask(CKPT, basic('ada'))
    server.signal('SIGCONT')
    expect([proxy.outage, 504]).toContain(status)
    expect(upstream.reached).toEqual([])
    await expect.poll(async () => (await ask(CKPT, basic('ada'))).status).toBe(200)
  })

  test('while the server is down nothing gets through', async () => {
    await server.stop('SIGKILL')
    expect((await ask(CKPT, basic('ada'))).status).toBe(proxy.outage)
    expect(upstream.reached).toEqual([])
  })
})

test('callers whom the server authenticates are the subject, their tokens passed on by Envoy', {
  timeout: 300_000,
}, async () => {
  const upstream = new Upstream()
  const token = (user: string): string => `token-of-${user}-${'0'.repeat(20)}`
  const users = ['ada', 'ben'].map((user) => {
    const sha256 = createHash('sha256').update(token(user)).digest('hex')
    return { sha256, peer: { kind: 'user', id: user } }
  })
  const auth = JSON.stringify({ kind: 'bearer', tokens: users })
  const alone: Proxy = {
    ...envoy,
    start: (place) =>
      startEnvoy(place, (text) =>
        text.replace(/ +# Who it is:[\s\S]*?( +# Whether they may)/, '$1'),
      ),
  }
  const { close, port } = await stand(alone, upstream, (text) =>
    text.replace(/ +subject: .*\n/, '').replace('http:\n', `http:\n  auth: ${auth}\n`),
  )
  onTestFinished(close)
  const ask = async (...headers: string[]): Promise<number> =>
    (await askProxy(port, CKPT, headers)).status
  expect(await ask()).toBe(401)
  expect(await ask('X-Auth-User: ada')).toBe(401)
  expect(await ask(`Authorization: Bearer ${token('eve')}`)).toBe(401)
  expect(await ask(`Authorization: Bearer ${token('ben')}`, 'X-Auth-User: ada')).toBe(403)
  expect(upstream.reached).toEqual([])
  expect(await ask(`Authorization: Bearer ${token('ada')}`, 'X-Assay-Subject: user/root')).toBe(200)
  expect(upstream.reached[0]?.headers['x-assay-subject']).toBe('user/ada')
})
