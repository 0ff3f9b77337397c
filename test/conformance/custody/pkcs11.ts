/** The PKCS #11 custody as a subject: one SoftHSM token for a test process, and a prefix of its own for each that is opened. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPkcs11Custody } from '../../../adapters/custody/pkcs11/index.ts'
import { softHsmToken, type Token } from '../../backends/softhsm.ts'
import { reopened } from './reopened.ts'
import { type CustodySubject, type OpenedCustody, SCOPES } from './subject.ts'

let made: Promise<Token> | undefined
let opened = 0

/** The token of this process; it is removed at the end. */
export function token(): Promise<Token> {
  if (made === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'assay-hsm-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    made = softHsmToken(folder)
  }
  return made
}

async function open(): Promise<OpenedCustody> {
  const { folder, ...place } = await token()
  const prefix = `p${++opened}`
  const options = { ...place, prefix, scopes: SCOPES, timeoutMs: 4000 }
  return await reopened(() => openPkcs11Custody(options), {
    stall: () => lockAll(folder),
    dispose: async () => undefined,
  })
}

const LOCK = `
import fcntl, sys
files = [open(path, 'r+b') for path in sys.argv[1:]]
for file in files: fcntl.lockf(file, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()`

/** SoftHSM locks a token's files while it looks at them, and waits for whoever has locked them: here, without end. */
async function lockAll(folder: string): Promise<() => Promise<void>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
  const child = spawn('python3', ['-c', LOCK, ...files], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('exit', (code) => reject(new Error(`the files cannot be locked (${code})`)))
  })
  return async () => {
    child.stdin.end()
    await ended
  }
}

export const pkcs11Subject: CustodySubject = {
  name: 'custody/pkcs11',
  algorithms: ['ed25519', 'ecdsa-p256'],
  open,
}
