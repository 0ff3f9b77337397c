/** Custodies as a configuration names them, opened for a kernel: files and a token side by side, and what is said of a mistake. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Custody } from '../core/ports/custody.ts'
import { token } from '../test/conformance/custody/pkcs11.ts'
import { refusal } from '../test/conformance/laws.ts'
import { Adapters } from './compose.ts'
import { complete } from './config/complete.ts'
import type { ConfigFile } from './config/file.ts'

let data = ''
let opened: Adapters[] = []
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'assay-compose-custody-'))
})
afterEach(async () => {
  for (const adapters of opened) await adapters.close()
  opened = []
  rmSync(data, { recursive: true })
})

function custodyOf(written: ConfigFile): Promise<Custody> {
  const adapters = new Adapters(complete(written, undefined, { data }))
  opened.push(adapters)
  return adapters.get('custody')
}

test('one for all scopes, encrypted where the configuration says so', async () => {
  const keyFile = join(data, 'secret')
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 })
  const custody = await custodyOf({ custody: { kind: 'file', keyFile } })
  await custody.create('task', 'main')
  expect(readFileSync(join(data, 'keys', 'task', 'main.1.json'), 'utf8')).toContain('assay-key-1')
  expect(await refusal(custodyOf({}))).toBe('misconfigured')
})

test('several, each with its scopes; what nobody serves is refused when it is asked for', async () => {
  const { module, pinFile, token: label } = await token()
  const prefix = 'composed'
  const custody = await custodyOf({
    custody: [
      { kind: 'pkcs11', module, token: label, pinFile, prefix, scopes: ['log'] },
      { kind: 'file', scopes: ['task', 'policy'] },
    ],
  })
  expect(custody.scopes).toEqual(['log', 'task', 'policy'])
  await custody.create('log', 'main', 'ecdsa-p256')
  await custody.create('task', 'main')
  expect((await custody.list('log')).map(({ algorithm }) => algorithm)).toEqual(['ecdsa-p256'])
  expect(readdirSync(join(data, 'keys')).filter((name) => !name.startsWith('.'))).toEqual(['task'])
  expect(await refusal(custody.create('release', 'main'))).toBe('scope_mismatch')
})

test('all that was opened is closed when one cannot be', async () => {
  const { pinFile } = await token()
  const broken = {
    kind: 'pkcs11',
    module: '/none.so',
    token: 'x',
    pinFile,
    scopes: ['log'],
  } as const
  const custody = custodyOf({ custody: [{ kind: 'file', scopes: ['task'] }, broken] })
  expect(await refusal(custody)).toBe('misconfigured')
})

test('a log in memory takes its keys in files with it', async () => {
  const custody = await custodyOf({
    store: { kind: 'memory' },
    custody: [{ kind: 'file', scopes: ['log'] }],
  })
  await custody.create('log', 'main')
  expect(readdirSync(data)).toEqual([])
})
