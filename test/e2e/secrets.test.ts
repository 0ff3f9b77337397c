/** A secret with `assay secret`: from standard input into custody, to its consumer sealed, and nowhere else in between. */
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assay } from '../command.ts'
import { keyFileIn } from '../conformance/custody/file.ts'
import { Server } from '../server.ts'
import { root } from '../source.ts'

const VALUE = 'hunter2-robot-password-4711'
let dir: string
let at: readonly string[]
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-secrets-'))
  const tokens = ['operator:ann', 'service:puller'].map((peer) => {
    const [kind = '', id = ''] = peer.split(':')
    return { file: join(dir, `${id}-token`), peer: { kind, id } }
  })
  for (const { file } of tokens)
    await writeFile(file, `a-token-of-one-peer-${file.length}-${file.slice(-12)}`, { mode: 0o600 })
  const policies = join(dir, 'policies')
  await cp(join(root, 'policies'), policies, { recursive: true })
  const file = join(policies, 'signer/data.json')
  const data = JSON.parse(await readFile(file, 'utf8')) as object
  const deliver = [{ kind: 'service', id: 'puller', names: ['robot'] }]
  await writeFile(file, JSON.stringify({ ...data, deliver }))
  const config = join(dir, 'assay.json')
  await writeFile(
    config,
    JSON.stringify({
      http: { auth: { kind: 'bearer', tokens } },
      plugins: ['audit', 'signer'],
      policies,
      secrets: { kind: 'file', ...keyFileIn(dir) },
    }),
  )
  at = ['--config', config, '--data', join(dir, 'data')]
})
afterAll(() => rm(dir, { recursive: true }))

/** In a process of its own, which has a standard input. */
async function put(...args: string[]): Promise<{ readonly code: number; readonly said: string }> {
  const child = spawn(join(root, 'bin/assay'), ['secret', 'put', 'robot', ...at, ...args], {
    env: { PATH: process.env.PATH },
  })
  child.stdin.end(`${VALUE}\n`)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  const code = await new Promise<number>((resolve) =>
    child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode),
  )
  return { code, said: out + err }
}

/** Every file, one after the other. */
async function everything(): Promise<Buffer> {
  const files = await readdir(dir, { recursive: true, withFileTypes: true })
  const paths = files.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  return Buffer.concat(await Promise.all(paths.map((path) => readFile(path))))
}

function keyPair(name: string): readonly [publicFile: string, privateFile: string, Promise<void>] {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const files = [join(dir, `${name}.pub`), join(dir, `${name}.key`)] as const
  const written = Promise.all([
    writeFile(files[0], publicKey.export({ format: 'pem', type: 'spki' })),
    writeFile(files[1], privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 }),
  ]).then(() => undefined)
  return [...files, written]
}

test('a value from its import to the one who may have it', { timeout: 180_000 }, async () => {
  const server = new Server({ data: join(dir, 'data'), config: at[1] ?? '' })
  const url = await server.ready
  const as = (id: string): string[] => ['--url', url, '--token-file', join(dir, `${id}-token`)]
  const [recipient, keyFile, written] = keyPair('puller')
  const [, otherKey, alsoWritten] = keyPair('other')
  await Promise.all([written, alsoWritten])
  const deliver = (id: string) =>
    assay('secret', 'deliver', 'robot', '--recipient', recipient, ...as(id), ...at)

  const refused = await put(...as('puller'))
  expect(refused.code).toBe(1)
  const made = await put(...as('ann'))
  expect(made.code).toBe(0)
  const said = [refused.said, made.said]
  const activated = await assay('key', 'activate', 'secret', 'robot', '2', ...as('ann'), ...at)
  expect(activated.code).toBe(0)
  const listed = await assay('secret', 'list', ...at, '--json')
  expect(JSON.parse(listed.stdout).secrets).toMatchObject([
    { state: 'retired', version: 1 },
    { state: 'active', version: 2 },
  ])

  expect((await deliver('ann')).code).toBe(1)
  const delivered = await deliver('puller')
  expect(delivered.code).toBe(0)
  const file = join(dir, 'delivered.json')
  await writeFile(file, delivered.stdout)
  expect((await assay('secret', 'open', file, '--key-file', otherKey)).code).toBe(1)
  expect(await assay('secret', 'open', file, '--key-file', recipient)).toMatchObject({ code: 2 })
  const opened = await assay('secret', 'open', file, '--key-file', keyFile)
  expect(opened).toMatchObject({ code: 0, stdout: `${VALUE}\n` })

  const queried = await assay('log', 'query', ...at, '--json')
  await server.stop()
  said.push(activated.stdout, listed.stdout, delivered.stdout, queried.stdout, server.output)
  const all = Buffer.concat([await everything(), Buffer.from(said.join('\n'))])
  expect(all.includes(JSON.parse(delivered.stdout).sealed)).toBe(true)
  for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const)
    expect(all.includes(Buffer.from(VALUE).toString(encoding).replace(/=+$/, ''))).toBe(false)

  const value = join(dir, 'value')
  await assay('secret', 'open', file, '--key-file', keyFile, '--out', value)
  expect(await readFile(value, 'utf8')).toBe(VALUE)
  expect((await stat(value)).mode & 0o777).toBe(0o600)
})
