/** OPA's own program and ours over the same bundles: each loads what the other wrote, and accepts what the other signed. */
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patched } from '../../adapters/engine/data/index.ts'
import type { Value } from '../../adapters/engine/value/value.ts'
import { DEFAULT_LIMITS, pack, readBundleAt } from '../../adapters/policies/bundle/archive.ts'
import { dataOperations } from '../../adapters/policies/bundle/delta.ts'
import { httpSource } from '../../adapters/policies/bundle/http-source.ts'
import type { TokenKey } from '../../adapters/policies/bundle/token.ts'
import { verifyDelta } from '../../adapters/policies/bundle/verify.ts'
import { readBundle } from '../../adapters/policies/opa/source.ts'
import type { Json } from '../../core/json.ts'
import { contentDigest, importRoots, readPolicyBundle } from '../../formats/bundle/index.ts'
import { BundleService } from '../bundle-service.ts'
import { signedBy, signer } from '../bundles.ts'
import { assay } from '../command.ts'
import { serveOpa } from '../opa.ts'
import { opaProgram } from '../tools.ts'

const run = promisify(execFile)
let folder: string
let opa: string
const at = (name: string): string => join(folder, name)

const SOURCES = {
  'roles/roles.rego': `package roles

import rego.v1

# METADATA
# entrypoint: true
default allow := false

allow if data.grants[input.user][_] == input.action

limit := 12345678901234567890
`,
  'grants/data.json': '{"ann": ["read", "write"], "bob": ["read"], "ü": [], "big": 1e3}',
}

beforeAll(async () => {
  opa = await opaProgram()
  folder = await mkdtemp(join(tmpdir(), 'assay-bundle-interop-'))
  for (const [path, text] of Object.entries(SOURCES)) {
    await run('mkdir', ['-p', join(at('src'), path, '..')])
    await writeFile(join(at('src'), path), text)
  }
  const keys = [
    ['EdDSA', ['genpkey', '-algorithm', 'ed25519']],
    ['ES256', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['RS256', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ] as const
  for (const [name, args] of keys) {
    await run('openssl', [...args, '-out', at(`${name}.pem`)])
    await run('openssl', ['pkey', '-in', at(`${name}.pem`), '-pubout', '-out', at(`${name}.pub`)])
  }
  const made = await build('b.tar.gz')
  expect(made.code, made.stderr).toBe(0)
}, 600_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

function build(output: string, ...more: string[]): ReturnType<typeof assay> {
  const what = ['--entrypoint', 'roles/allow', '--output', at(output), '--revision', '3']
  return assay('policy', 'build', at('src'), ...what, ...more)
}

test('a build is the same, byte for byte, each time', async () => {
  await build('again.tar.gz')
  expect(Buffer.compare(await readFile(at('b.tar.gz')), await readFile(at('again.tar.gz')))).toBe(0)
}, 120_000)

test('OPA inspects and evaluates an archive and a folder', async () => {
  await build('folder')
  const inspected = await run(opa, ['inspect', '--format', 'json', at('b.tar.gz')])
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    manifest: { revision: '3', roots: ['grants', 'roles'], rego_version: 1 },
  })
  for (const bundle of ['b.tar.gz', 'folder']) {
    const input = spawn(opa, ['eval', '-f', 'raw', '-I', '-b', at(bundle), 'data.roles.allow'])
    input.stdin.end('{"user": "ann", "action": "write"}')
    let said = ''
    for await (const text of input.stdout) said += text
    expect(said.trim(), bundle).toBe('true')
  }
}, 120_000)

describe.each(['EdDSA', 'ES256', 'RS256'])('%s:', (algorithm) => {
  const token = (kind: 'pem' | 'pub'): string[] => [
    '--opa-key',
    at(`${algorithm}.${kind}`),
    '--opa-alg',
    algorithm,
  ]

  test('OPA serves what was signed here, and only with its key', async () => {
    const bundle = at(`${algorithm}.tar.gz`)
    await cp(at('b.tar.gz'), bundle)
    const signed = await assay('policy', 'sign', bundle, ...token('pem'), '--opa-scope', 'live')
    expect(signed.code, signed.stderr).toBe(0)
    const verifying = (key: string, scope = 'live'): string[] => [
      ...['--bundle', bundle, '--verification-key', at(key)],
      ...['--signing-alg', algorithm, '--scope', scope],
    ]
    const server = await serveOpa(...verifying(`${algorithm}.pub`))
    const answer = await fetch(`${server.url}/v1/data/roles/allow`, {
      method: 'POST',
      body: '{"input": {"user": "bob", "action": "read"}}',
    })
    expect(await answer.json()).toMatchObject({ result: true })
    await server.stop()
    const other = [
      'run',
      '--server',
      '--addr',
      '127.0.0.1:0',
      ...verifying(`${algorithm}.pub`, 'x'),
    ]
    await expect(run(opa, other, { timeout: 60_000 })).rejects.toMatchObject({ code: 1 })
  }, 120_000)

  test('what opa sign signed is accepted here, and nothing else', async () => {
    const dir = at(`signed-${algorithm}`)
    await build(`signed-${algorithm}`)
    const sign = ['sign', '--signing-alg', algorithm, '--signing-key', at(`${algorithm}.pem`)]
    await run(opa, [...sign, '--bundle', '.'], { cwd: dir })
    const verify = (...more: string[]): ReturnType<typeof assay> =>
      assay('policy', 'verify', dir, ...token('pub'), '--json', ...more)
    const verified = await verify()
    expect(verified.code, verified.stdout).toBe(0)
    expect(JSON.parse(verified.stdout)).toMatchObject({ valid: true, revision: 3 })
    expect((await verify('--opa-scope', 'live')).code).toBe(1)
    const refused = async (): Promise<unknown> => {
      const { code, stdout } = await verify()
      return code === 1 ? (JSON.parse(stdout) as { readonly code: string }).code : code
    }
    await writeFile(join(dir, 'more.rego'), 'package more')
    expect(await refused()).toBe('corrupted')
    await rm(join(dir, 'more.rego'))
    expect(await refused()).toBe(0)
    const data = await readFile(join(dir, 'data.json'), 'utf8')
    await writeFile(join(dir, 'data.json'), data.replace('write', 'wrote'))
    expect(await refused()).toBe('corrupted')
    await rm(join(dir, '.signatures.json'))
    expect(await refused()).toBe('unsigned')
  }, 120_000)
})

test('policies that opa build signed are served as they are, with the key of who signed them', async () => {
  const bundle = at('users.tar.gz')
  const key = ['--signing-key', at('ES256.pem'), '--signing-alg', 'ES256']
  await run(opa, ['build', '--bundle', at('src'), '--output', bundle, ...key])
  const pem = async (name: string): Promise<TokenKey> => ({
    pem: await readFile(at(name), 'utf8'),
    algorithm: 'ES256',
  })
  const { documents, modules } = await readBundle(bundle, await pem('ES256.pub'))
  expect(documents).toMatchObject({ grants: { bob: ['read'] } })
  expect(Object.values(modules)).toEqual([SOURCES['roles/roles.rego']])
  await expect(readBundle(bundle)).rejects.toMatchObject({ code: 'unverified_signature' })
  await expect(readBundle(bundle, await pem('EdDSA.pub'))).rejects.toMatchObject({
    code: 'signature_invalid',
  })
  await run(opa, ['build', '--bundle', at('src'), '--output', bundle])
  await expect(readBundle(bundle, await pem('ES256.pub'))).rejects.toMatchObject({
    code: 'unsigned',
  })
}, 120_000)

test('OPA and a source of ours ask one bundle service alike, and both get what was signed here', async () => {
  const service = await BundleService.start('secret')
  const source = httpSource({
    url: `${service.url}/bundles/main`,
    limits: DEFAULT_LIMITS,
    timeoutMs: 30_000,
    longPollSeconds: 5,
    headers: async () => ({ authorization: 'Bearer secret' }),
  })
  const bundle = at('service.tar.gz')
  const offer = async (revision: string): Promise<void> => {
    await build('service.tar.gz', '--revision', revision)
    const key = ['--opa-key', at('ES256.pem'), '--opa-alg', 'ES256']
    expect((await assay('policy', 'sign', bundle, ...key)).code).toBe(0)
    service.offer(await readFile(bundle))
  }
  await offer('1')
  const polling = { long_polling_timeout_seconds: 5, min_delay_seconds: 1, max_delay_seconds: 2 }
  const config = {
    services: { main: { url: service.url, credentials: { bearer: { token: 'secret' } } } },
    keys: { release: { algorithm: 'ES256', key: await readFile(at('ES256.pub'), 'utf8') } },
    bundles: { main: { resource: 'bundles/main', polling, signing: { keyid: 'release' } } },
  }
  await writeFile(at('opa.json'), JSON.stringify(config))
  const server = await serveOpa('--config-file', at('opa.json'))
  const revision = async (): Promise<unknown> => {
    const answer = await fetch(`${server.url}/v1/data/system/bundles/main/manifest/revision`)
    return ((await answer.json()) as { readonly result?: string }).result
  }
  try {
    await expect.poll(revision, { timeout: 30_000 }).toBe('1')
    await offer('2')
    await expect.poll(revision, { timeout: 30_000 }).toBe('2')

    const { signal } = new AbortController()
    const first = await source.ask({ tag: undefined, signal })
    const tag = first.kind === 'bundle' ? first.tag : undefined
    const second = source.ask({ tag, deltas: true, signal })
    const asked = { prefer: 'modes=snapshot,delta;wait=5', tag }
    const both = (): number =>
      service.asked.filter((each) => each.prefer === asked.prefer && each.tag === tag).length
    await expect.poll(both, { timeout: 30_000 }).toBeGreaterThanOrEqual(2)
    await offer('3')
    expect((await second).kind).toBe('bundle')
  } finally {
    await source.close()
    await server.stop()
    await service.stop()
  }
}, 120_000)

test('OPA applies deltas that were made here, and ours that were written by hand come to the same documents', async () => {
  const service = await BundleService.start('secret')
  const built = async (revision: number, data: string): Promise<string> => {
    await writeFile(at('src/grants/data.json'), data)
    const bundle = at(`d${revision}.tar.gz`)
    await build(`d${revision}.tar.gz`, '--revision', `${revision}`)
    const key = ['--opa-key', at('ES256.pem'), '--opa-alg', 'ES256']
    expect((await assay('policy', 'sign', bundle, ...key)).code).toBe(0)
    return bundle
  }
  const first = await built(1, '{"ann": ["read"], "many": {"a/b": 1, "100%": 2, "x~y": 3, "": 4}}')
  const second = await built(2, '{"ann": ["read", "write"], "many": {"a/b": 2, "x~y": 5}, "ü": {}}')
  const output = at('d1-d2.tar.gz')
  const made = await assay('policy', 'delta', first, second, '--output', output)
  expect(made.code, made.stdout + made.stderr).toBe(0)
  service.offer(await readFile(first))
  const config = {
    services: { main: { url: service.url, credentials: { bearer: { token: 'secret' } } } },
    keys: { release: { algorithm: 'ES256', key: await readFile(at('ES256.pub'), 'utf8') } },
    bundles: {
      main: {
        resource: 'bundles/main',
        polling: { long_polling_timeout_seconds: 5, min_delay_seconds: 1, max_delay_seconds: 2 },
        signing: { keyid: 'release', allow_unsigned_delta_bundles: true },
      },
    },
  }
  await writeFile(at('opa-delta.json'), JSON.stringify(config))
  const server = await serveOpa('--config-file', at('opa-delta.json'))
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${server.url}/v1/data/${path}`)
    return ((await answer.json()) as { readonly result?: unknown }).result
  }
  const revision = (): Promise<unknown> => get('system/bundles/main/manifest/revision')
  try {
    await expect.poll(revision, { timeout: 30_000 }).toBe('1')
    service.offer(await readFile(second), await readFile(output))
    await expect.poll(revision, { timeout: 30_000 }).toBe('2')
    expect(service.deltas).toBe(1)
    const whole = readPolicyBundle(await readBundleAt(second, DEFAULT_LIMITS), { maxBytes: 1e6 })
    expect(await get('grants')).toEqual((whole.data as { readonly grants: Json }).grants)

    const patch = {
      data: [
        { op: 'upsert', path: 'grants/ann/1', value: 'list' },
        { op: 'upsert', path: '/grants/ann/-', value: 'share' },
        { op: 'replace', path: '/grants/many/a%2Fb', value: { deep: [] } },
        { op: 'upsert', path: '/grants/new/made/here/', value: null },
        { op: 'remove', path: '/grants/many/x~0y' },
        { op: 'remove', path: '/grants/ann/0' },
      ],
    }
    const base = contentDigest(await readBundleAt(second, DEFAULT_LIMITS))
    const own = { type: 'assay.delta/v1', base, result: `sha256:${'a'.repeat(64)}` }
    const manifest = { revision: '3', roots: ['grants', 'roles'], metadata: { assay: own } }
    await mkdir(at('hand'))
    await writeFile(at('hand/patch.json'), JSON.stringify(patch))
    await writeFile(at('hand/.manifest'), JSON.stringify(manifest))
    await run('tar', ['-czf', at('hand.tar.gz'), '-C', at('hand'), 'patch.json', '.manifest'])
    const ann = signer('ann')
    const files = signedBy(await readBundleAt(at('hand.tar.gz'), DEFAULT_LIMITS), ann)
    const roots = importRoots({ keys: [ann.vkey], threshold: 1 })
    const { delta } = await verifyDelta(files, { roots }, DEFAULT_LIMITS)
    const ours = patched(whole.data as Value, dataOperations(delta)) as { readonly grants: Json }
    expect(ours.grants).toEqual({
      ann: ['list', 'write', 'share'],
      many: { 'a/b': { deep: [] } },
      new: { made: { here: null } },
      ü: {},
    })
    // Nobody takes this one as a whole.
    service.offer(Uint8Array.of(3), await pack(files))
    await expect.poll(revision, { timeout: 30_000 }).toBe('3')
    expect(await get('grants')).toEqual(ours.grants)
  } finally {
    await server.stop()
    await service.stop()
  }
}, 180_000)
