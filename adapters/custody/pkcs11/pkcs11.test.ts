/** What the laws of custody do not ask: what a token gives out of a key, and what is said when something is wrong with it. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pkcs11, { type Handle } from 'pkcs11js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Custody } from '../../../core/ports/custody.ts'
import { PIN, type Token } from '../../../test/backends/softhsm.ts'
import { token as sharedToken } from '../../../test/conformance/custody/pkcs11.ts'
import { keyIn, sign, verifies } from '../../../test/conformance/custody/subject.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { root as repository } from '../../../test/source.ts'
import { errorOf, isLost } from './failure.ts'
import { openPkcs11Custody, type Pkcs11CustodyOptions } from './index.ts'
import { versionOf } from './labels.ts'

const message = new TextEncoder().encode('a message')
let token: Token
let folder = ''
let count = 0
let prefix = ''
beforeAll(async () => {
  token = await sharedToken()
  folder = mkdtempSync(join(tmpdir(), 'assay-pkcs11-'))
})
beforeEach(() => {
  prefix = `own${++count}`
})
afterAll(async () => {
  for (const custody of opened) await custody.close()
  rmSync(folder, { recursive: true })
})

const opened: Custody[] = []
async function open(changed: Partial<Pkcs11CustodyOptions> = {}): Promise<Custody> {
  const { module, pinFile, token: label } = token
  const custody = await openPkcs11Custody({ module, token: label, pinFile, prefix, ...changed })
  opened.push(custody)
  return custody
}
function pipe(): string {
  const path = join(mkdtempSync(join(folder, 'pin-')), 'pipe')
  execFileSync('mkfifo', ['-m', '600', path])
  return path
}
function pinFile(text: string, mode = 0o600): string {
  const path = join(mkdtempSync(join(folder, 'pin-')), 'pin')
  writeFileSync(path, text, { mode: 0o600 })
  chmodSync(path, mode)
  return path
}

/** The token as another program sees it that has the PIN. */
function withSession<T>(work: (library: pkcs11.PKCS11, session: Handle) => T): T {
  const library = new pkcs11.PKCS11()
  library.load(token.module)
  library.C_Initialize()
  try {
    const [slot] = library.C_GetSlotList(true)
    const flags = pkcs11.CKF_RW_SESSION | pkcs11.CKF_SERIAL_SESSION
    const session = library.C_OpenSession(slot as Handle, flags)
    library.C_Login(session, pkcs11.CKU_USER, PIN)
    return work(library, session)
  } finally {
    library.C_Finalize()
    library.close()
  }
}
function find(library: pkcs11.PKCS11, session: Handle, label: string, kind: number): Handle[] {
  library.C_FindObjectsInit(session, [
    { type: pkcs11.CKA_CLASS, value: kind },
    { type: pkcs11.CKA_LABEL, value: label },
  ])
  const found = library.C_FindObjects(session, 100)
  library.C_FindObjectsFinal(session)
  return found
}

describe('a private key', () => {
  test.each(['ed25519', 'ecdsa-p256'] as const)(
    'of %s cannot be read, copied out or made readable, with the PIN neither',
    async (algorithm) => {
      const custody = await open()
      await custody.create('log', 'main', algorithm)
      withSession((library, session) => {
        const { CKA_EXTRACTABLE, CKA_SENSITIVE, CKA_VALUE, CKO_PRIVATE_KEY } = pkcs11
        const all = find(library, session, `${prefix}/log/main`, CKO_PRIVATE_KEY)
        expect(all).toHaveLength(1)
        const key = all[0] as Handle
        const read = (): unknown => library.C_GetAttributeValue(session, key, [{ type: CKA_VALUE }])
        expect(read).toThrow(/CKR_ATTRIBUTE_SENSITIVE/)
        for (const [type, value] of [
          [CKA_EXTRACTABLE, true],
          [CKA_SENSITIVE, false],
        ] as const) {
          expect(() => library.C_SetAttributeValue(session, key, [{ type, value }])).toThrow(/CKR_/)
          const [now] = library.C_GetAttributeValue(session, key, [{ type }])
          expect(Buffer.from(now?.value as Buffer)[0]).toBe(value ? 0 : 1)
        }
        const wrapping = library.C_GenerateKey(session, { mechanism: pkcs11.CKM_AES_KEY_GEN }, [
          { type: pkcs11.CKA_VALUE_LEN, value: 32 },
          { type: pkcs11.CKA_WRAP, value: true },
        ])
        const how = { mechanism: 0x210a } // CKM_AES_KEY_WRAP_PAD
        expect(() => library.C_WrapKey(session, how, wrapping, key, Buffer.alloc(512))).toThrow(
          /CKR_KEY_UNEXTRACTABLE/,
        )
      })
    },
  )

  test('that was revoked is gone, and only its public half is left', async () => {
    const custody = await open()
    const key = await keyIn(custody, 'revoked')
    withSession((library, session) => {
      const label = `${prefix}/log/main/1/revoked`
      expect(find(library, session, label, pkcs11.CKO_PUBLIC_KEY)).toHaveLength(1)
      expect(find(library, session, `${prefix}/log/main`, pkcs11.CKO_PRIVATE_KEY)).toEqual([])
      // Whoever writes another state into the label brings nothing back.
      const [half] = find(library, session, label, pkcs11.CKO_PUBLIC_KEY)
      library.C_SetAttributeValue(session, half as Handle, [
        { type: pkcs11.CKA_LABEL, value: `${prefix}/log/main/1/active` },
      ])
    })
    expect((await custody.list('log'))[0]?.state).toBe('revoked')
    expect(await refusal(sign(custody, key, message))).toBe('retired')
  })
})

describe('labels', () => {
  const found = {
    id: '00',
    algorithm: 'ed25519',
    publicKey: new Uint8Array(32),
    canSign: true,
  } as const
  test.each([
    'somebody else',
    'assay/log/main/1',
    'assay/log/main/1/active/x',
    'assay/log/main/01/active',
    'assay/log/main/0/active',
    'assay/log/main/1/resurrected',
    'assay/log/../1/active',
    'assay/logs/main/1/active',
    'assay2/log/main/1/active',
  ])('that are not ours are no keys: %s', (label) => {
    expect(versionOf('assay', 'log', { ...found, label })).toBeUndefined()
  })

  test('of a claim that was left behind hide it, and its version is never used again', async () => {
    const custody = await open()
    await custody.create('log', 'main')
    withSession((library, session) => {
      const [half] = find(
        library,
        session,
        `${prefix}/log/main/1/pre-active`,
        pkcs11.CKO_PUBLIC_KEY,
      )
      library.C_SetAttributeValue(session, half as Handle, [
        { type: pkcs11.CKA_LABEL, value: `${prefix}/log/main/1/claimed` },
      ])
    })
    expect(await custody.list('log')).toEqual([])
    const one = { scope: 'log', name: 'main', version: 1 } as const
    expect(await refusal(custody.transition(one, 'active'))).toBe('unknown_key')
    expect((await custody.create('log', 'main')).version).toBe(2)
  })

  test('with another prefix are another log', async () => {
    const custody = await open()
    await custody.create('log', 'main')
    expect(await (await open({ prefix: `${prefix}x` })).list('log')).toEqual([])
  })
})

describe('what is wrong is said at the start:', () => {
  test('the PIN', async () => {
    const wrong = pinFile('7654321\n')
    expect(await refusal(open({ pinFile: wrong }))).toBe('denied')
    expect(await refusal(open({ pinFile: pinFile('1\n') }))).toBe('denied')
  })

  test.each<[string, () => string, string]>([
    ['a PIN that others may read', () => pinFile(PIN, 0o640), 'insecure_permissions'],
    ['no PIN file', () => join(folder, 'none'), 'misconfigured'],
    ['a folder for a PIN', () => folder, 'misconfigured'],
    ['an empty PIN', () => pinFile('\n'), 'misconfigured'],
    ['two PINs', () => pinFile('1234567\n7654321\n'), 'misconfigured'],
    ['a pipe that nobody writes into', () => pipe(), 'misconfigured'],
    ['no end of a PIN', () => pinFile('1'.repeat(300)), 'misconfigured'],
  ])('%s', async (_, file, code) => {
    expect(await refusal(open({ pinFile: file() }))).toBe(code)
  })

  test.each<[string, Partial<Pkcs11CustodyOptions>, string]>([
    ['a library that is not there', { module: '/none/such.so' }, 'misconfigured'],
    ['a library that is none', { module: import.meta.filename }, 'misconfigured'],
    ['a token that is not there', { token: 'Another' }, 'misconfigured'],
    ['a prefix', { prefix: 'A/B' }, 'misconfigured'],
    ['a scope', { scopes: ['everything' as 'log'] }, 'scope_mismatch'],
    ['a deadline that nobody can keep', { timeoutMs: 1 }, 'unavailable'],
  ])('%s', async (_, changed, code) => {
    expect(await refusal(open(changed))).toBe(code)
  })

  test('and no message holds a PIN', async () => {
    for (const file of [pinFile('7654321\n'), pinFile('765\n4321\n')]) {
      const error = (await open({ pinFile: file }).catch((one: unknown) => one)) as Error
      expect(`${error.message}${error.stack}${String(error.cause)}`).not.toMatch(/765/)
    }
  })
})

describe('a session that is lost', () => {
  /** The processes that this one, or another, started for its custodies. */
  async function children(of = process.pid): Promise<number[]> {
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
    return stdout.split('\n').flatMap((line) => {
      const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return Number(parent) === of && args.includes('pkcs11/process') ? [Number(pid)] : []
    })
  }

  test('with its process comes back with the next call', async () => {
    const before = new Set(await children())
    const custody = await open()
    const key = await keyIn(custody, 'active')
    const [pid] = (await children()).filter((one) => !before.has(one))
    process.kill(pid as number, 'SIGKILL')
    expect(verifies(key, await sign(custody, key, message), message)).toBe(true)
    const [next] = (await children()).filter((one) => !before.has(one))
    process.kill(next as number, 'SIGKILL')
    expect((await custody.transition(key, 'grace')).state).toBe('grace')
  })

  test("is nobody else's: no PIN for who lists processes, and no process after its parent", {
    timeout: 20_000,
  }, async () => {
    const { module, pinFile: file, token: label } = token
    const script = `
      import { openPkcs11Custody } from './adapters/custody/pkcs11/index.ts'
      const custody = await openPkcs11Custody(${JSON.stringify({ module, pinFile: file, token: label })})
      console.log('open')
      setInterval(() => custody, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(parent.stdout, 'data')
    const [pid = 0] = await children(parent.pid)
    for (const shown of ['cmdline', 'environ'])
      expect(readFileSync(`/proc/${pid}/${shown}`, 'latin1')).not.toContain(PIN)
    parent.kill('SIGKILL')
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5000 }).toBe(false)
  })

  test('ends with the custody', async () => {
    const before = new Set(await children())
    const custody = await open()
    await custody.close()
    await expect.poll(async () => (await children()).filter((one) => !before.has(one))).toEqual([])
  })

  test('since the PIN was changed is said once, and not tried again before the file changes', async () => {
    const file = pinFile(`${PIN}\n`)
    const before = new Set(await children())
    const custody = await open({ pinFile: file })
    const kill = async (): Promise<void> => {
      for (const pid of await children()) if (!before.has(pid)) process.kill(pid, 'SIGKILL')
      await pause(100)
    }
    writeFileSync(file, '7654321\n')
    await kill()
    expect(await refusal(custody.list('log'))).toBe('denied')
    expect(await refusal(custody.list('log'))).toBe('denied')
    // The second time no process was asked.
    expect((await children()).filter((one) => !before.has(one))).toEqual([])
    writeFileSync(file, `${PIN}\n`)
    expect(await custody.list('log')).toEqual([])
  })

  test('with the token, which was taken out, comes back when it is put back', async () => {
    const before = new Set(await children())
    const custody = await open()
    const key = await keyIn(custody, 'active')
    const [name = ''] = readdirSync(token.folder)
    const away = join(folder, 'away')
    renameSync(join(token.folder, name), away)
    // SoftHSM notices in a new process only; hardware says so itself.
    for (const pid of await children()) if (!before.has(pid)) process.kill(pid, 'SIGKILL')
    await pause(100)
    try {
      expect(await refusal(sign(custody, key, message))).toBe('unavailable')
      expect(await refusal(custody.create('log', 'main'))).toBe('unavailable')
    } finally {
      renameSync(away, join(token.folder, name))
    }
    expect((await sign(custody, key, message)).length).toBe(64)
  })
})

describe('what a library says', () => {
  const place = { module: 'm', token: 't', pinFile: 'p' }
  test.each([
    ['CKR_PIN_INCORRECT', 'denied'],
    ['CKR_PIN_LOCKED', 'denied'],
    ['CKR_PIN_EXPIRED', 'denied'],
    ['CKR_USER_PIN_NOT_INITIALIZED', 'denied'],
    ['CKR_TOKEN_WRITE_PROTECTED', 'denied'],
    ['CKR_MECHANISM_INVALID', 'misconfigured'],
    ['CKR_TEMPLATE_INCONSISTENT', 'misconfigured'],
    ['CKR_DEVICE_REMOVED', 'unavailable'],
    ['CKR_HOST_MEMORY', 'unavailable'],
    ['CKR_VENDOR_DEFINED', 'unavailable'],
  ])('%s is %s', (name, code) => {
    expect(errorOf({ kind: 'pkcs11', code: 1, name }, place).code).toBe(code)
  })

  test('a session, a device or a log-in that is lost is made again', () => {
    for (const name of ['CKR_SESSION_HANDLE_INVALID', 'CKR_DEVICE_ERROR', 'CKR_USER_NOT_LOGGED_IN'])
      expect(isLost({ kind: 'pkcs11', code: 1, name })).toBe(true)
    expect(isLost({ kind: 'pkcs11', code: 1, name: 'CKR_PIN_LOCKED' })).toBe(false)
  })

  test('without the package, how to install it', () => {
    const { code, message: text } = errorOf({ kind: 'no_sdk' }, place)
    expect(code).toBe('misconfigured')
    expect(text).toContain('npm install pkcs11js')
  })
})
