/** Keys that are encrypted at rest: what opens them, what does not, and a change of the secret that is killed at any step. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Custody, KeyScope, PublicKey } from '../../../core/ports/custody.ts'
import { keyFileIn } from '../../../test/conformance/custody/file.ts'
import { keyIn, sign, verifies } from '../../../test/conformance/custody/subject.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { openFileCustody, reencryptKeys, type SecretFiles } from './index.ts'

const message = new TextEncoder().encode('a message')
const SCOPES: readonly KeyScope[] = ['log', 'witness']
let outer = ''
let dir = ''
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'assay-sealed-'))
  dir = join(outer, 'keys')
})
afterEach(() => rmSync(outer, { recursive: true }))

const open = (secret: SecretFiles = {}, from = dir): Promise<Custody> =>
  openFileCustody({ dir: from, scopes: SCOPES, ...secret })
const raw = (): SecretFiles => keyFileIn(mkdtempSync(join(outer, 'secret-')))
function passphrase(text: string): SecretFiles {
  const passphraseFile = join(mkdtempSync(join(outer, 'secret-')), 'passphrase')
  writeFileSync(passphraseFile, text, { mode: 0o600 })
  return { passphraseFile }
}
/** Three keys, one of each kind and one that is revoked. */
async function fill(secret: SecretFiles, folder = dir): Promise<readonly PublicKey[]> {
  const custody = await open(secret, folder)
  await keyIn(custody, 'active', 'main')
  await keyIn(custody, 'active', 'p256', 'witness', 'ecdsa-p256')
  await keyIn(custody, 'revoked', 'gone')
  return all(custody)
}
const all = async (custody: Custody): Promise<PublicKey[]> =>
  (await Promise.all(SCOPES.map((scope) => custody.list(scope)))).flat()
const keyFiles = (folder = dir): string[] =>
  SCOPES.flatMap((scope) =>
    existsSync(join(folder, scope))
      ? readdirSync(join(folder, scope)).map((name) => join(folder, scope, name))
      : [],
  )

describe('an encrypted folder', () => {
  test('opens with its passphrase, whether a line end follows or not, and with no other', async () => {
    const keys = await fill(passphrase('correct horse battery\n'))
    for (const path of keyFiles()) expect(readFileSync(path, 'utf8')).not.toMatch(/"d"|active|kty/)
    const again = await open(passphrase('correct horse battery'))
    expect(await all(again)).toEqual(keys)
    for (const key of keys.filter(({ state }) => state === 'active'))
      expect(verifies(key, await sign(again, key, message), message)).toBe(true)
    expect(await refusal(open(passphrase('correct horse batterx')))).toBe('denied')
  })

  test('opens with its key file, and with nothing else', async () => {
    const key = raw()
    await fill(key)
    await (await open(key)).close()
    expect(await refusal(open(raw()))).toBe('denied')
    expect(await refusal(open())).toBe('misconfigured')
    expect(await refusal(open(passphrase('correct horse battery')))).toBe('misconfigured')
    expect(await refusal(open({ ...key, ...passphrase('correct horse battery') }))).toBe(
      'misconfigured',
    )
  })

  test('takes no file that is not encrypted, and none of another key', async () => {
    const key = raw()
    await fill(key)
    const [main = '', gone = ''] = keyFiles()
      .filter((path) => path.includes('/log/'))
      .reverse()
    const custody = await open(key)
    const kept = readFileSync(main)
    copyFileSync(gone, main)
    expect(await refusal(open(key))).toBe('corrupt')
    expect(await refusal(custody.list('log'))).toBe('corrupt')
    writeFileSync(main, kept)
    renameSync(main, main.replace('.1.json', '.2.json'))
    expect(await refusal(open(key))).toBe('corrupt')
    rmSync(main.replace('.1.json', '.2.json'))
    const plain = join(outer, 'plain')
    await fill({}, plain)
    copyFileSync(join(plain, 'log', 'main.1.json'), main)
    expect(await refusal(open(key))).toBe('corrupt')
  })

  test('notices every changed bit', async () => {
    const key = raw()
    await fill(key)
    const files = [join(dir, 'encryption.json'), ...keyFiles()]
    for (const path of files) {
      const before = readFileSync(path, 'utf8')
      const at = before.indexOf('"sealed"') + 20
      for (const offset of [0, 7, 31]) {
        const letter = before[at + offset] === 'A' ? 'B' : 'A'
        writeFileSync(path, before.slice(0, at + offset) + letter + before.slice(at + offset + 1))
        expect(['corrupt', 'denied']).toContain(await refusal(open(key)))
      }
      writeFileSync(path, before)
    }
    expect(await all(await open(key))).toHaveLength(3)
  })

  test('is refused for a header that was changed, before anything is derived', async () => {
    const path = join(dir, 'encryption.json')
    const secret = passphrase('correct horse battery')
    await (await open(secret)).close()
    const before = readFileSync(path, 'utf8')
    for (const after of [
      before.replace('131072', '16384'),
      before.replace('131072', '1073741824'),
      before.replace('131072', '131073'),
      before.replace('"r": 8', '"r": 9'),
      before.replace('"p": 1', '"p": 1000'),
      before.replace('"p": 1', '"p": 1.5'),
      before.replace('assay-keys-1', 'assay-keys-2'),
      before.replace(/"salt": "[^"]+"/, '"salt": "AAAA"'),
      '',
    ]) {
      expect(after).not.toBe(before)
      writeFileSync(path, after)
      expect(await refusal(open(secret))).toBe('corrupt')
    }
    // Sound, but not what the header was sealed with.
    writeFileSync(path, before.replace('131072', '262144'))
    expect(await refusal(open(secret))).toBe('denied')
  })

  test('is not made of one with keys that are not encrypted', async () => {
    await fill({})
    expect(await refusal(open(raw()))).toBe('misconfigured')
    expect(existsSync(join(dir, 'encryption.json'))).toBe(false)
  })

  test('takes no plain key from a process that opened it before it was encrypted', async () => {
    const early = await open()
    const key = raw()
    await fill(key)
    expect(await refusal(early.create('log', 'plain'))).toBe('misconfigured')
    expect(await refusal(early.list('log'))).toBe('misconfigured')
  })
})

describe('a secret', () => {
  test.each<[string, (path: string) => void, string]>([
    ['that others may read', (path) => chmodSync(path, 0o644), 'insecure_permissions'],
    ['that is not there', (path) => rmSync(path), 'unavailable'],
    ['that is too short', (path) => writeFileSync(path, 'eleven char\n'), 'misconfigured'],
    ['of two lines', (path) => writeFileSync(path, 'correct horse\nbattery\n'), 'misconfigured'],
    ['that is empty', (path) => writeFileSync(path, ''), 'misconfigured'],
  ])('in a file %s is refused', async (_, change, code) => {
    const secret = passphrase('correct horse battery')
    change(secret.passphraseFile ?? '')
    expect(await refusal(open(secret))).toBe(code)
  })

  test('in a key file has 32 bytes', async () => {
    const secret = raw()
    for (const bytes of [31, 33]) {
      writeFileSync(secret.keyFile ?? '', randomBytes(bytes))
      expect(await refusal(open(secret))).toBe('misconfigured')
    }
  })
})

describe('encrypting anew', () => {
  test.each<[string, () => SecretFiles, () => SecretFiles]>([
    ['from no encryption', () => ({}), raw],
    ['from one key file to another', raw, raw],
    ['from a key file to a passphrase', raw, () => passphrase('correct horse battery')],
  ])('%s', async (_, from, to) => {
    const [before, after] = [from(), to()]
    const keys = await fill(before)
    const open1 = await open(before)
    await reencryptKeys({ dir, from: before, to: after })
    expect(await all(await open(after))).toEqual(keys)
    expect(['denied', 'misconfigured']).toContain(await refusal(open(before)))
    // Who had it open is told to start again, and writes nothing that the others could not read.
    expect(await refusal(open1.create('log', 'main'))).toBe('misconfigured')
    expect(keyFiles().every((path) => readFileSync(path, 'utf8').includes('assay-key-1'))).toBe(
      true,
    )
  })

  test('needs the secret of now, and one for then', async () => {
    const [before, after] = [raw(), raw()]
    const keys = await fill(before)
    expect(await refusal(reencryptKeys({ dir, from: raw(), to: after }))).toBe('denied')
    expect(await refusal(reencryptKeys({ dir, from: {}, to: after }))).toBe('misconfigured')
    expect(await refusal(reencryptKeys({ dir, from: before, to: {} }))).toBe('misconfigured')
    const none = join(outer, 'none')
    expect(await refusal(reencryptKeys({ dir: none, from: {}, to: after }))).toBe('misconfigured')
    expect(await all(await open(before))).toEqual(keys)
  })
})

/** The folder as it was before each step on the disk, in the order of the steps: what a process leaves that is killed there. */
describe('killed before any step', () => {
  const program = resolve(import.meta.dirname, '../../../test/conformance/custody/steps.ts')
  let base = ''
  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'assay-steps-'))
  })
  afterAll(() => rmSync(base, { recursive: true }))

  async function steps(verb: string, from: SecretFiles, to: SecretFiles): Promise<string[]> {
    const into = mkdtempSync(join(base, 'steps-'))
    const args = [program, verb, dir, into, JSON.stringify({ from, to })]
    await promisify(execFile)(process.execPath, args)
    const count = readdirSync(into).length
    expect(count).toBeGreaterThan(5)
    return Array.from({ length: count }, (_, i) => join(into, String(i)))
  }

  test.each<[string, () => SecretFiles, () => SecretFiles]>([
    ['the first encryption', () => ({}), raw],
    ['a change of key file', raw, raw],
  ])('of %s, the old secret or the new one opens all keys', async (_, from, to) => {
    const [before, after] = [from(), to()]
    const keys = await fill(before)
    let changed = 0
    for (const copy of await steps('reencrypt', before, after)) {
      const isNew = await opens(after, copy)
      if (isNew) changed += 1
      else expect(changed).toBe(0)
      const custody = await open(isNew ? after : before, copy)
      expect(await all(custody)).toEqual(keys)
      expect((await custody.create('log', 'main')).version).toBe(2)
      // Whatever was under way has been done: every file is of one kind now.
      if (isNew)
        for (const path of keyFiles(copy))
          expect(readFileSync(path, 'utf8')).toContain('assay-key-1')
    }
    expect(changed).toBeGreaterThan(0)
  })

  async function opens(secret: SecretFiles, folder: string): Promise<boolean> {
    return await open(secret, folder).then(
      () => true,
      () => false,
    )
  }

  test.each<[string, () => SecretFiles]>([
    ['plain', () => ({})],
    ['encrypted', raw],
  ])('of a change, every %s key is as before or as after', async (_, make) => {
    const secret = make()
    const keys = await fill(secret)
    for (const copy of await steps('change', secret, {})) {
      const custody = await open(secret, copy)
      const found = await all(custody)
      const main = found.find(({ name, version }) => name === 'main' && version === 1)
      expect(['active', 'grace']).toContain(main?.state)
      expect(found.length - keys.length).toBeLessThanOrEqual(1)
      const next = await custody.create('log', 'main')
      expect(next.version).toBe(found.filter(({ name }) => name === 'main').length + 1)
      expect(readdirSync(join(copy, 'log')).filter((name) => name.startsWith('.'))).toEqual([])
    }
  })
})
