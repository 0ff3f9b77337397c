import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Custody, KeyRef, KeyScope } from '../../../core/ports/custody.ts'
import { findPrivate } from '../../../test/conformance/custody/private.ts'
import { keyIn, sign } from '../../../test/conformance/custody/subject.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { root as repository } from '../../../test/source.ts'
import { manualClock } from '../../clock/manual.ts'
import { openFileCustody } from './index.ts'

const message = new TextEncoder().encode('a message')
let outer = ''
let dir = ''
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'assay-keys-'))
  dir = join(outer, 'keys')
})
afterEach(() => rmSync(outer, { recursive: true }))

const open = (scopes: readonly KeyScope[] = ['log', 'witness']): Promise<Custody> =>
  openFileCustody({ dir, scopes })
const fileOf = ({ scope, name, version }: KeyRef): string =>
  join(dir, scope, `${name}.${version}.json`)
const MAIN: KeyRef = { scope: 'log', name: 'main', version: 1 }

/** A folder with one active key, as it was left by a process that is gone. */
async function made(): Promise<string> {
  const custody = await open()
  const key = await keyIn(custody, 'active')
  await custody.close()
  return fileOf(key)
}
function edit(path: string, change: Record<string, unknown>): void {
  const jwk: Record<string, unknown> = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify({ ...jwk, ...change }))
}

describe('files', () => {
  test('are JWKs that only their owner can read, in folders that only their owner can enter', async () => {
    const clock = manualClock(Date.UTC(2026, 10, 21))
    const custody = await openFileCustody({ dir, scopes: ['log'], clock })
    const key = await keyIn(custody, 'active')
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dir, 'log')).mode & 0o777).toBe(0o700)
    expect(statSync(fileOf(key)).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(dir, 'log'))).toEqual(['main.1.json'])
    expect(JSON.parse(readFileSync(fileOf(key), 'utf8'))).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: Buffer.from(key.publicKey).toString('base64url'),
      d: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      state: 'active',
      created: '2026-11-21T00:00:00.000Z',
    })
  })

  test('of other scopes are not looked at', async () => {
    const path = await made()
    writeFileSync(path, 'not a key')
    expect(await (await open(['witness'])).list('witness')).toEqual([])
    expect(await refusal(open(['log']))).toBe('corrupt')
  })

  test('with other names are not keys', async () => {
    const path = await made()
    for (const name of [
      'main.01.json',
      'main.0.json',
      'MAIN.2.json',
      'main.2.json~',
      '.main.2.json',
      'x.json',
    ])
      writeFileSync(join(dir, 'log', name), 'anything')
    const custody = await open()
    expect((await custody.list('log')).length).toBe(1)
    expect(existsSync(path)).toBe(true)
  })

  test('half written by a crash are swept away by the next change', async () => {
    await made()
    const left = join(dir, 'log', '.main.2.json.new')
    writeFileSync(left, 'half a k', { mode: 0o600 })
    const custody = await open()
    expect((await custody.list('log')).length).toBe(1)
    expect((await custody.create('log', 'main')).version).toBe(2)
    expect(existsSync(left)).toBe(false)
  })
})

test('a disk with room for half a file leaves the old one', { timeout: 20_000 }, async () => {
  const custody = await open()
  const key = await keyIn(custody, 'pre-active')
  const script = `
    import { openFileCustody } from './adapters/custody/file/index.ts'
    const custody = await openFileCustody({ dir: ${JSON.stringify(dir)}, scopes: ['log'] })
    const key = { scope: 'log', name: ${JSON.stringify(key.name)}, version: 1 }
    await custody.transition(key, 'active').catch(({ code }) => console.log(code))`
  // The system takes the first hundred bytes of a write, says so, and refuses the next one.
  const limited = ['--fsize=100', process.execPath, '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)('prlimit', limited, { cwd: repository })
  expect(stdout).toBe('unavailable\n')
  expect(await (await open()).list('log')).toEqual([key])
})

describe('owner and mode', () => {
  const loosenings: readonly (readonly [string, (path: string) => void])[] = [
    ['a file that the group may read', (path) => chmodSync(path, 0o640)],
    ['a file that others may read', (path) => chmodSync(path, 0o604)],
    ['a folder that the group may enter', () => chmodSync(join(dir, 'log'), 0o710)],
    ['the folder of all keys open to others', () => chmodSync(dir, 0o755)],
    [
      'a link in place of a file',
      (path) => {
        renameSync(path, join(outer, 'elsewhere.json'))
        symlinkSync(join(outer, 'elsewhere.json'), path)
      },
    ],
    [
      'a link in place of a folder',
      () => {
        renameSync(join(dir, 'log'), join(outer, 'elsewhere'))
        symlinkSync(join(outer, 'elsewhere'), join(dir, 'log'))
      },
    ],
    [
      'a link in place of all folders',
      () => {
        renameSync(dir, join(outer, 'elsewhere'))
        symlinkSync(join(outer, 'elsewhere'), dir)
      },
    ],
    [
      'a folder in place of a file',
      (path) => {
        rmSync(path)
        mkdirSync(path)
      },
    ],
    [
      'a pipe in place of a file',
      (path) => {
        rmSync(path)
        execFileSync('mkfifo', ['-m', '600', path])
      },
    ],
  ]

  test.each(loosenings)('are checked at the start: %s', async (_, loosen) => {
    loosen(await made())
    expect(await refusal(open())).toBe('insecure_permissions')
  })

  test.each(loosenings)('are checked at each use: %s', async (_, loosen) => {
    const path = await made()
    const custody = await open()
    await sign(custody, MAIN, message)
    loosen(path)
    expect(await refusal(sign(custody, MAIN, message))).toBe('insecure_permissions')
    expect(await refusal(custody.list('log'))).toBe('insecure_permissions')
    expect(await refusal(custody.transition(MAIN, 'grace'))).toBe('insecure_permissions')
  })

  test('belong to this process’s user', async () => {
    const path = await made()
    // Only root can give a file away; the rule is the same, so others check it on a file of root's.
    if (process.geteuid?.() === 0) {
      chownSync(path, 65_534, 65_534)
      expect(await refusal(open())).toBe('insecure_permissions')
    } else {
      expect(await refusal(openFileCustody({ dir: '/', scopes: ['log'] }))).toBe(
        'insecure_permissions',
      )
    }
  })
})

describe('what a file says', () => {
  /** The encoding of the neutral point: of small order, so that one fixed signature holds for every message. */
  const WEAK = Buffer.from([1, ...new Uint8Array(31)]).toString('base64url')
  const OTHER = Buffer.alloc(32, 9).toString('base64url')

  test.each<[string, Record<string, unknown>, string]>([
    ['a weak public key', { x: WEAK }, 'weak_key'],
    [
      'a public key that is not canonical',
      { x: Buffer.alloc(32, 255).toString('base64url') },
      'weak_key',
    ],
    ['another private key', { d: OTHER }, 'corrupt'],
    ['a short private key', { d: 'AAAA' }, 'corrupt'],
    ['a private key in another alphabet', { d: '+'.repeat(43) }, 'corrupt'],
    ['no private key', { d: undefined }, 'corrupt'],
    ['another curve', { crv: 'X25519' }, 'corrupt'],
    ['another type', { kty: 'EC' }, 'corrupt'],
    ['an unknown state', { state: 'resurrected' }, 'corrupt'],
    ['no state', { state: undefined }, 'corrupt'],
    ['more than it should', { use: 'sig' }, 'corrupt'],
    ['a date that is no text', { created: 5 }, 'corrupt'],
  ])('is refused for %s', async (_, change, code) => {
    edit(await made(), change)
    expect(await refusal(open())).toBe(code)
  })

  const X = Buffer.alloc(32, 3).toString('base64url')
  test.each<[string, (jwk: Record<string, string>) => Record<string, unknown>]>([
    ['halves of two points', ({ x }) => ({ y: x })],
    ['a point that is not on the curve', () => ({ x: X })],
    ['another private number', () => ({ d: X })],
    ['the private number 0', () => ({ d: Buffer.alloc(32).toString('base64url') })],
    [
      'a private number beyond the order',
      () => ({ d: Buffer.alloc(32, 255).toString('base64url') }),
    ],
    ['no y', () => ({ y: undefined })],
    ['a short x', () => ({ x: 'AAAA' })],
    ['another curve', () => ({ crv: 'P-384' })],
    ['the type of the other kind', () => ({ kty: 'OKP' })],
  ])('of a P-256 key is refused for %s', async (_, change) => {
    const custody = await open()
    const path = fileOf(await keyIn(custody, 'active', 'main', 'log', 'ecdsa-p256'))
    edit(path, change(JSON.parse(readFileSync(path, 'utf8'))))
    expect(await refusal(open())).toBe('corrupt')
  })

  test.each([
    ['nothing', ''],
    ['half of it', '{"kty":"OKP","d":"'],
    ['a list', '[]'],
    ['a member twice', '{"kty":"OKP","kty":"OKP"}'],
    ['too much', `${' '.repeat(5000)}{}`],
  ])('is refused for %s', async (_, content) => {
    writeFileSync(await made(), content)
    expect(await refusal(open())).toBe('corrupt')
  })

  test('does not get into an error', async () => {
    const path = await made()
    const before = readFileSync(path, 'utf8')
    const { d, x } = JSON.parse(before) as { d: string; x: string }
    const publicKey = new Uint8Array(Buffer.from(x, 'base64url'))
    const contents = [
      before.slice(0, -3),
      before.replace('Ed25519', 'X25519'),
      before.replace(x, WEAK),
      before.replace(x, OTHER),
      before.replace('{', '{"d":1,'),
      `${d}${before}`,
    ]
    for (const content of contents) {
      writeFileSync(path, content)
      const error: unknown = await open().catch((one: unknown) => one)
      expect(error).toBeInstanceOf(Error)
      const { message: words, stack, cause } = error as Error
      expect(cause).toBeUndefined()
      expect(`${words}${stack}`).not.toContain(d.slice(0, 12))
      expect(findPrivate([error], [publicKey])).toEqual([])
    }
  })

  test('is read again when another process has changed it', async () => {
    const path = await made()
    const custody = await open()
    const other = await open()
    await sign(custody, MAIN, message)
    await other.transition(MAIN, 'revoked')
    expect(await refusal(sign(custody, MAIN, message))).toBe('retired')
    expect((await custody.list('log'))[0]?.state).toBe('revoked')
    rmSync(path)
    expect(await refusal(sign(custody, MAIN, message))).toBe('unknown_key')
    expect(await custody.list('log')).toEqual([])
  })

  test('never leads back from a revocation, nor to another key, while it is in use', async () => {
    const path = await made()
    const custody = await open()
    const next = await keyIn(custody, 'active', 'next')
    copyFileSync(path, join(outer, 'active'))
    await custody.transition(MAIN, 'revoked')
    copyFileSync(join(outer, 'active'), path)
    expect(await refusal(sign(custody, MAIN, message))).toBe('corrupt')
    renameSync(fileOf(next), path)
    expect(await refusal(sign(custody, MAIN, message))).toBe('corrupt')
  })
})

describe('a key in two places', () => {
  test.each([
    ['names', { ...MAIN, name: 'other' }],
    ['versions', { ...MAIN, version: 2 }],
    ['scopes', { ...MAIN, scope: 'witness' as const }],
  ])('is refused at the start and when a key is made: two %s', async (_, copy) => {
    const path = await made()
    const custody = await open()
    mkdirSync(join(dir, copy.scope), { recursive: true, mode: 0o700 })
    copyFileSync(path, fileOf(copy))
    expect(await refusal(custody.create('witness', 'new'))).toBe('duplicate_key')
    expect(await refusal(sign(custody, copy, message))).toBe('duplicate_key')
    expect(await refusal(open())).toBe('duplicate_key')
    rmSync(fileOf(copy))
    expect((await custody.create('witness', 'new')).version).toBe(1)
    await (await open()).close()
  })

  test('may be moved', async () => {
    const path = await made()
    const custody = await open()
    const to = { ...MAIN, name: 'moved' }
    renameSync(path, fileOf(to))
    expect((await sign(custody, to, message)).length).toBe(64)
  })
})

describe('two processes', () => {
  const program = resolve(import.meta.dirname, '../../../test/conformance/custody/child.ts')
  const run = async (verb: string, count: number): Promise<unknown[]> => {
    const args = [program, verb, dir, String(count)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    return stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
      .slice(1)
  }

  test('that make versions of one key make different ones', async () => {
    const both = await Promise.all([run('create', 8), run('create', 8)])
    const made = both.flat() as { version: number; publicKey: string }[]
    const versions = made.map(({ version }) => version).sort((a, b) => a - b)
    expect(versions).toEqual(Array.from({ length: 16 }, (_, i) => i + 1))
    const listed = await (await open()).list('log')
    const keys = new Map(
      listed.map((key) => [key.version, Buffer.from(key.publicKey).toString('hex')]),
    )
    for (const { version, publicKey } of made) expect(keys.get(version)).toBe(publicKey)
  })

  test('that move one version on do it once', async () => {
    const custody = await open()
    for (let i = 0; i < 8; i++) await custody.create('log', 'main')
    const [one, other] = await Promise.all([run('states', 8), run('states', 8)])
    for (let i = 0; i < 8; i++)
      expect([one[i], other[i]].sort()).toEqual(['active', 'invalid_transition'])
    expect((await custody.list('log')).map(({ state }) => state)).toEqual(Array(8).fill('active'))
  })
})

test('a folder that is a file, and a scope that does not exist, are refused', async () => {
  writeFileSync(dir, '')
  expect(['insecure_permissions', 'unavailable']).toContain(await refusal(open()))
  const scopes = ['log', 'everything'] as KeyScope[]
  expect(await refusal(openFileCustody({ dir, scopes }))).toBe('scope_mismatch')
})
