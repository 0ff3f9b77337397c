import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { OWN_POLICIES } from '../adapters/config/complete.ts'
import { Authority } from '../test/certificates.ts'
import { assay } from '../test/command.ts'
import { filesOf, layOut, type Served } from '../test/release/desk.ts'
import { released, Signer } from '../test/release/signer.ts'
import { ASSAY } from '../test/server.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

const [first, second, third] = ['first', 'second', 'third'].map((name) => new Signer(name)) as [
  Signer,
  Signer,
  Signer,
]
const ARTIFACT = 'grafos-1.4.2-x86_64-linux.tar.gz'

// Only what is asked here: other plugins' rules take seconds to compile, each time.
let policies: string
beforeAll(async () => {
  policies = await mkdtemp(join(tmpdir(), 'assay-release-policies-'))
  for (const name of ['data.json', 'lib', 'main.rego', 'release'])
    await cp(join(OWN_POLICIES, name), join(policies, name), { recursive: true })
})
afterAll(() => rm(policies, { recursive: true, force: true }))

// Each call of the command compiles the policies that it asks.
vi.setConfig({ testTimeout: 120_000 })

let dir: string
let data: string
let target: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-release-'))
  data = join(dir, 'data')
  target = join(dir, 'place', 'it')
  await mkdir(join(dir, 'place'))
  await writeFile(join(dir, 'assay.yaml'), `plugins: [release]\npolicies: ${policies}\n`)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function lay(release: Served, folder = 'release'): Promise<string> {
  const at = join(dir, folder)
  await mkdir(at, { recursive: true })
  return layOut(release, at)
}

interface Answer {
  readonly code: number
  readonly value: {
    readonly ok: boolean
    readonly reasons: readonly { readonly code: string }[]
    readonly error: { readonly code: string }
    readonly [more: string]: unknown
  }
}
async function json(...args: string[]): Promise<Answer> {
  const config = ['--config', join(dir, 'assay.yaml'), '--json']
  const { code, stderr, stdout } = await assay('release', ...args, ...config)
  expect(stderr).toBe('')
  return { code, value: JSON.parse(stdout) }
}
const verify = (place: string, key: string, ...more: string[]): Promise<Answer> =>
  json('verify', place, '--artifact', ARTIFACT, '--key', key, '--data', data, ...more)
const reason = ({ value }: Answer): string => value.reasons.map(({ code }) => code).join(' ')
const pub = async (signer: Signer, name: string): Promise<string> => {
  await writeFile(join(dir, name), signer.file)
  return join(dir, name)
}

describe('assay release verify', () => {
  it('installs what a key of the command line released, and says why it may', async () => {
    const place = await lay(released(first))
    const { code, stdout } = await assay(
      'release',
      'verify',
      place,
      '--artifact',
      ARTIFACT,
      '--key',
      await pub(first, 'k.pub'),
      '--install',
      target,
      '--data',
      data,
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^ok {3}sums signature\n(ok {3}.*\n){5}released: grafos.* 1\.4\.2, signed by [0-9A-F]{16}\ninstalled as .*\ndecision [0-9a-f]{32}, leaf \d+\n$/,
    )
    expect(await readFile(target)).toEqual(Buffer.from(released(first).artifact))
    expect(await readdir(join(dir, 'place'))).toEqual(['it'])
  })

  it('leaves the target as it was where a link of the chain does not hold', async () => {
    await writeFile(target, 'before')
    const place = await lay({ ...released(first), artifact: new TextEncoder().encode('other') })
    const answer = await verify(place, first.text, '--install', target)
    expect(answer).toMatchObject({
      code: 1,
      value: { ok: false, checks: [{ ok: true }, { ok: false, what: 'artifact_signature' }] },
    })
    expect(reason(answer)).toBe('signature_invalid')
    expect(await readFile(target, 'utf8')).toBe('before')
    expect(await readdir(join(dir, 'place'))).toEqual(['it'])
  })

  it('accepts legacy signatures of small files, and nothing older than it has seen', async () => {
    const newer = await lay(
      released(first, { name: ARTIFACT, algorithm: 'legacy', timestamp: 1_800_000_000 }),
    )
    expect(await verify(newer, first.text)).toMatchObject({ code: 0 })
    const older = await lay(released(first, { name: ARTIFACT }), 'older')
    expect(reason(await verify(older, first.text))).toBe('version_rollback')
    expect(reason(await verify(newer, first.text, '--minimum', '2'))).toBe('version_rollback')
    const large = await lay(
      released(first, { algorithm: 'legacy', artifact: new Uint8Array(200_000) }),
      'large',
    )
    expect(reason(await verify(large, first.text))).toBe('unsupported_algorithm')
  })

  it('follows a hand-over, and then the old key is over', async () => {
    const old = await lay(released(first), 'old')
    expect(await verify(old, first.text)).toMatchObject({ code: 0 })
    const next = await pub(second, 'next.pub')
    await writeFile(`${next}.minisig`, first.sign(second.file))
    expect(reason(await json('hand-over', next, '--data', data))).toBe('handed_over')
    expect(await verify(old, first.text), 'in grace').toMatchObject({ code: 0 })
    const newer = await lay(released(second, { name: ARTIFACT, timestamp: 1_800_000_000 }), 'newer')
    expect(await verify(newer, first.text), 'by the successor').toMatchObject({ code: 0 })
    expect(reason(await verify(old, first.text)), 'and no more').toBe('key_id_mismatch')
    expect(reason(await json('hand-over', next, '--data', data))).toBe('key_id_mismatch')
    const stray = await pub(third, 'stray.pub')
    await writeFile(`${stray}.minisig`, third.sign(third.file))
    expect(reason(await json('hand-over', stray, '--data', data))).toBe('key_id_mismatch')
  })

  it('accepts nothing by a key that was dropped', async () => {
    const place = await lay(released(first))
    expect(reason(await json('pin', first.text, '--data', data))).toBe('pinned')
    expect(reason(await json('drop', first.text, '--data', data))).toBe('dropped')
    expect(reason(await verify(place, first.text))).toBe('key_id_mismatch')
    expect(await json('pin', first.text, '--data', data)).toMatchObject({ code: 1 })
  })

  it.each<[string, (place: string) => Promise<readonly string[]> | readonly string[]]>([
    ['a name with a path', (place) => [place, '--artifact', '../x', '--key', first.text]],
    ['no key', (place) => [place, '--artifact', ARTIFACT]],
    [
      'a key that is none',
      (place) => [place, '--artifact', ARTIFACT, '--key', join(place, 'SHA256SUMS')],
    ],
    [
      'a folder as the target',
      (place) => [place, '--artifact', ARTIFACT, '--key', first.text, '--install', place],
    ],
    [
      'a folder that is not there',
      (place) => [
        place,
        '--artifact',
        ARTIFACT,
        '--key',
        first.text,
        '--install',
        join(place, 'no', 'x'),
      ],
    ],
    ['no such artifact', (place) => [place, '--artifact', 'other', '--key', first.text]],
    [
      'a folder for an artifact',
      async (place) => {
        await mkdir(join(place, 'folder'))
        return [place, '--artifact', 'folder', '--key', first.text]
      },
    ],
    [
      'a listing that is too long',
      async (place) => {
        await writeFile(join(place, 'SHA256SUMS'), new Uint8Array(131_073))
        return [place, '--artifact', ARTIFACT, '--key', first.text]
      },
    ],
  ])('is an error with %s', async (_, args) => {
    const place = await lay(released(first))
    expect(await json('verify', ...(await args(place)), '--data', data)).toMatchObject({ code: 2 })
    expect((await readdir(place)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('reads a release through links, and never a pipe', async () => {
    const place = await lay(released(first))
    await mkdir(join(dir, 'linked'))
    for (const name of await readdir(place))
      await symlink(join(place, name), join(dir, 'linked', name))
    expect(await verify(join(dir, 'linked'), first.text)).toMatchObject({ code: 0 })
    await rm(join(place, 'SHA256SUMS'))
    const [code] = await once(spawn('mkfifo', [join(place, 'SHA256SUMS')]), 'exit')
    expect(code).toBe(0)
    expect(await verify(place, first.text)).toMatchObject({ code: 2 })
  })
})

const serve = (release: Served): RequestListener => {
  const files = filesOf(release)
  return ({ url = '' }, response) => {
    const bytes = files[url.replace('/v1.4.2/', '')]
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
  }
}

const at = (server: Server | SecureServer, scheme: string): string =>
  `${scheme}://localhost:${(server.address() as AddressInfo).port}`

describe('from a server', () => {
  let server: Server
  let answer: RequestListener
  let base: string
  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1.4.2/`
  })
  afterAll(() => server.close())

  it('installs what holds, and refuses what is missing', async () => {
    answer = serve(released(first))
    expect(await verify(base, first.text, '--install', target)).toMatchObject({ code: 0 })
    expect(await readFile(target)).toEqual(Buffer.from(released(first).artifact))
    answer = serve({ ...released(first), sums: undefined })
    expect(reason(await verify(base, first.text))).toBe('sums_missing')
  })

  it.each<[string, RequestListener, string]>([
    [
      'a redirect to http',
      (_, response) => response.writeHead(302, { location: base }).end(),
      'redirect',
    ],
    ['a redirect to nowhere', (_, response) => response.writeHead(302).end(), 'unavailable'],
    ['an error', (_, response) => response.writeHead(500).end(), 'unavailable'],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half')
        setTimeout(() => response.destroy(), 20)
      },
      'unavailable',
    ],
    [
      'a listing without end',
      (request, response) => {
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(65_536), more)
        }
        if (request.url?.endsWith('SHA256SUMS')) more()
        else response.writeHead(404).end()
      },
      'too_large',
    ],
  ])('fails on %s, with nothing written', async (_, listener, code) => {
    answer = listener
    const failed = await verify(base, first.text, '--install', target)
    expect(failed).toMatchObject({ code: 2, value: { error: { code } } })
    expect(await readdir(join(dir, 'place'))).toEqual([])
  })
})

describe('assay release installer', () => {
  it('prints a script that installs', async () => {
    const place = await lay(released(first))
    const args = [
      '--key',
      first.text,
      '--key',
      await pub(second, 'b.pub'),
      '--from',
      place,
      '--artifact',
      ARTIFACT,
    ]
    const { code, stdout } = await assay('release', 'installer', ...args)
    expect(code).toBe(0)
    await writeFile(join(dir, 'install.sh'), stdout)
    const options = { env: { ...process.env, HOME: dir }, stdio: 'ignore' } as const
    const ran = spawn('sh', [join(dir, 'install.sh'), '--install', target], options)
    expect(await once(ran, 'exit')).toEqual([0, null])
    expect(await readFile(target)).toEqual(Buffer.from(released(first).artifact))
  })
})

it('the command as it is installed follows a redirect to https, where the server proves its name', async () => {
  const authority = await Authority.make()
  const { cert, key } = await authority.server()
  const secure = createSecureServer(
    { cert: await readFile(cert), key: await readFile(key) },
    serve(released(first)),
  )
  const plain = createServer(({ url }, response) =>
    response.writeHead(307, { location: `${at(secure, 'https')}${url}` }).end(),
  )
  for (const server of [secure, plain]) await once(server.listen(0, '127.0.0.1'), 'listening')
  const args = [
    'release',
    'verify',
    `${at(plain, 'http')}/v1.4.2`,
    '--artifact',
    ARTIFACT,
    '--key',
    first.text,
    '--data',
    data,
    '--install',
    target,
  ]
  const command = async (env: NodeJS.ProcessEnv): Promise<unknown> => {
    const [code] = await once(
      spawn(ASSAY, args, { env: { ...process.env, ...env }, stdio: 'ignore' }),
      'exit',
    )
    return code
  }
  expect(await command({})).toBe(2)
  expect(await readdir(join(dir, 'place'))).toEqual([])
  expect(await command({ NODE_EXTRA_CA_CERTS: authority.cert })).toBe(0)
  expect(await readFile(target)).toEqual(Buffer.from(released(first).artifact))
  secure.close()
  plain.close()
  await authority.remove()
})
