/** The life of a key with `assay key`: on a stopped server's folder, on a running one, by several processes, with the log as witness. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { assay } from '../command.ts'
import { Server } from '../server.ts'

let dir: string
let config: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-keys-'))
  config = join(dir, 'assay.json')
  const token = { file: join(dir, 'token'), peer: { kind: 'operator', id: 'ann' } }
  await writeFile(token.file, 'a-token-that-only-ann-has-0123456789', { mode: 0o600 })
  const node = { file: join(dir, 'node-token'), peer: { kind: 'node', id: 'node-7' } }
  await writeFile(node.file, 'a-token-that-only-node-7-has-012345', { mode: 0o600 })
  const auth = { kind: 'bearer', tokens: [token, node] }
  await writeFile(config, JSON.stringify({ http: { auth }, plugins: ['audit', 'signer'] }))
})
afterAll(() => rm(dir, { recursive: true }))

interface Said {
  readonly code: number
  readonly value: { readonly [member: string]: Json }
}
async function key(...args: string[]): Promise<Said> {
  const { code, stdout } = await assay(
    'key',
    ...args,
    '--config',
    config,
    '--data',
    data(),
    '--json',
  )
  return { code, value: JSON.parse(stdout) }
}
const data = (): string => join(dir, 'data')
const reason = ({ value }: Said): string =>
  (value.reasons as readonly { readonly code: string }[])[0]?.code ?? ''
const states = ({ value }: Said): readonly string[] =>
  (value.status as { key: { versions: { state: string }[] } }).key.versions.map((one) => one.state)

test('a key from its first version to a rollback', { timeout: 180_000 }, async () => {
  for (const name of [
    ['bootstrap', 'verifier-root'],
    ['task', 'task'],
  ]) {
    expect((await key('create', '--managed', ...name)).code).toBe(0)
    expect((await key('activate', ...name)).code).toBe(0)
  }
  expect((await key('register', 'task', 'task', 'node-7', '--peer', 'node:node-7')).code).toBe(0)

  const server = new Server({ data: data(), config })
  const url = await server.ready
  const there = ['--url', url, '--token-file', join(dir, 'token')]
  const asNode = ['--url', url, '--token-file', join(dir, 'node-token')]
  expect(states(await key('rotate', 'task', 'task', ...there))).toEqual(['active', 'pre-active'])
  const early = await key('activate', 'task', 'task', ...there)
  expect([early.code, reason(early)]).toEqual([1, 'not_acknowledged'])
  expect(reason(await key('rotate', 'task', 'task', ...asNode))).toBe('peer_not_permitted')
  expect((await key('acknowledge', 'task', 'task', 'node-7', '2', ...asNode)).code).toBe(0)
  const activated = await key('activate', 'task', 'task', ...there)
  expect([reason(activated), states(activated)]).toEqual(['activation_begun', ['grace', 'active']])
  expect((await key('set', 'task', 'task', ...asNode)).value).toHaveProperty('payloadType')
  expect(reason(await key('set', 'task', 'task', '--have', '3', ...asNode))).toBe('unchanged')
  expect(await key('publish', 'task', 'task')).toMatchObject({
    code: 2,
    value: { error: { code: 'locked' } },
  })
  await server.stop()

  const back = await key('rollback', 'task', 'task', '1', '--reason', 'version 2 is slow')
  expect(states(back)).toEqual(['active', 'grace'])
  const retired = await key('retire', 'task', 'task')
  expect([retired.code, reason(retired)]).toEqual([1, 'grace_not_over'])
  const revoked = await key('revoke', 'task', 'task', '2', '--reason', 'stolen')
  expect(states(revoked)).toEqual(['active', 'revoked'])
  expect(await trail()).toEqual(TRAIL)
})

const TRAIL = [
  'signer.rotate rotation_begun',
  'signer.created created',
  'signer.activate not_acknowledged',
  'signer.rotate peer_not_permitted',
  'signer.acknowledge acknowledged',
  'signer.activate activation_begun',
  'signer.moved activated',
]

/** What the log says of the rotation: the steps from its begin to its end. */
async function trail(): Promise<readonly string[]> {
  const actions = ['rotate', 'created', 'acknowledge', 'activate', 'moved'].map(
    (verb) => `signer.${verb}`,
  )
  const args = ['log', 'query', '--action', ...actions, '--config', config, '--data', data()]
  const { stdout } = await assay(...args)
  const all = stdout.split('\n').map((line) => line.split(' '))
  const steps = all.map(([, , , action, , code]) => `${action} ${code}`)
  const begin = steps.indexOf('signer.rotate rotation_begun')
  return steps.slice(begin, begin + TRAIL.length)
}

test('a key that nobody manages moves as custody says', async () => {
  const offline = await key('create', 'witness', 'w')
  expect(offline.value).toMatchObject({ state: 'pre-active', version: 1 })
  expect((await key('activate', 'witness', 'w')).value).toMatchObject({ state: 'active' })
  expect((await key('rollback', 'witness', 'w', '1', '--reason', 'x')).value).toMatchObject({
    reasons: [{ code: 'unknown_key' }],
  })
})

test('what is missing is said in one clear error', async () => {
  expect((await key('revoke', 'task', 'task', '--url', 'ftp://x')).value).toMatchObject({
    error: { code: 'usage' },
  })
  expect((await key('revoke', 'task', 'task')).value).toMatchObject({ error: { code: 'usage' } })
  expect((await key('status', 'task', 'none')).code).toBe(1)
  expect((await key('status', 'task', 'task', '--url', 'http://127.0.0.1:1')).value).toMatchObject({
    error: { code: 'unavailable' },
  })
})

test('what custody never will do is said, and is no success', { timeout: 60_000 }, async () => {
  const without = join(dir, 'without.json')
  const custody = [{ kind: 'file', scopes: ['log'] }]
  await writeFile(without, JSON.stringify({ custody, plugins: ['audit', 'signer'] }))
  const of = ['--config', without, '--data', join(dir, 'without'), '--json']
  const { code, stdout } = await assay('key', 'create', '--managed', 'task', 'task', ...of)
  const said = { code, value: JSON.parse(stdout) } as Said
  expect([said.code, reason(said), states(said)]).toEqual([1, 'creation_begun', []])
  const log = await assay('log', 'query', '--action', 'signer.created', ...of)
  expect(log.stdout).toContain('creation_failed')
})
