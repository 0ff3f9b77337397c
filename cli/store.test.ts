import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSdk } from '../adapters/store/dynamodb/client.ts'
import { dynamodb, REGION, SECRET } from '../test/backends/dynamodb.ts'
import { moto } from '../test/backends/moto.ts'
import { assay, type Ran } from '../test/command.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
let endpoint: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-store-'))
  endpoint = (await dynamodb()).endpoint
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const KINDS = { pk: 'S', sk: 'S', id: 'S', n: 'N' } as const
/** A table that somebody else made. */
async function foreignTable(table: string, hash: 'id' | 'pk', range?: 'n' | 'sk'): Promise<void> {
  const sdk = await openSdk({ table, region: REGION, endpoint })
  const names = range === undefined ? [hash] : [hash, range]
  await sdk.createTable({
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: names.map((name) => ({
      AttributeName: name,
      AttributeType: KINDS[name],
    })),
    KeySchema: names.map((name, i) => ({
      AttributeName: name,
      KeyType: i === 0 ? 'HASH' : 'RANGE',
    })),
  })
  sdk.destroy()
}

async function config(store: object): Promise<string> {
  const file = join(dir, `${Math.trunc(performance.now() * 1000)}.yaml`)
  await writeFile(file, JSON.stringify({ data: join(dir, 'data'), store }))
  return file
}
const at = (table: string, more: object = {}): Promise<string> =>
  config({ kind: 'dynamodb', table, region: REGION, endpoint, ...more })

const told = ({ code, stdout }: Ran): unknown => ({ code, ...JSON.parse(stdout) })

describe('assay store init', () => {
  test('makes the table once, and changes what differs', async () => {
    const file = await at('made')
    const init = ['store', 'init', '--config', file, '--json']
    expect(told(await assay(...init))).toEqual({ code: 0, table: 'made', made: true })
    expect(told(await assay(...init))).toEqual({ code: 0, table: 'made', made: false })
    expect(told(await assay(...init, '--deletion-protection'))).toMatchObject({ code: 0 })
    const sdk = await openSdk({ table: 'made', region: REGION, endpoint })
    const { Table } = await sdk.describeTable({ TableName: 'made' })
    expect(Table?.DeletionProtectionEnabled).toBe(true)
    sdk.destroy()
  })

  test('has the table backed up continuously, or says that it cannot', async () => {
    const keep = '--point-in-time-recovery'
    const refused = await assay('store', 'init', '--config', await at('made'), keep)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('misconfigured')])
    const elsewhere = { table: 'kept', region: REGION, endpoint: (await moto()).endpoint }
    const file = await config({ kind: 'dynamodb', ...elsewhere })
    expect((await assay('store', 'init', '--config', file, keep)).code).toBe(0)
    const sdk = await openSdk(elsewhere)
    const { ContinuousBackupsDescription: backups } = await sdk.describeContinuousBackups({
      TableName: 'kept',
    })
    const { PointInTimeRecoveryStatus } = backups?.PointInTimeRecoveryDescription ?? {}
    expect(PointInTimeRecoveryStatus).toBe('ENABLED')
    sdk.destroy()
  })

  test('by several at once makes one', async () => {
    const file = await at('raced')
    const ran = await Promise.all([1, 2, 3].map(() => assay('store', 'init', '--config', file)))
    expect(ran.map(({ code, stderr }) => [code, stderr])).toEqual([1, 2, 3].map(() => [0, '']))
  })

  test('takes no table with other keys', async () => {
    await foreignTable('other-names', 'id')
    await foreignTable('other-types', 'pk', 'n')
    for (const table of ['other-names', 'other-types']) {
      const { code, stderr } = await assay('store', 'init', '--config', await at(table))
      expect(code).toBe(2)
      expect(stderr).toContain('misconfigured')
      expect(stderr).toContain(`"${table}"`)
    }
  })

  test('is for tables', async () => {
    const file = await config({ kind: 'memory' })
    expect((await assay('store', 'init', '--config', file)).code).toBe(2)
  })
})

test('one command decides, another process proves it', async () => {
  const file = await at('decided')
  await assay('store', 'init', '--config', file)
  const payload = {
    subject: { type: 'user', id: 'ada' },
    action: { name: 'read' },
    resource: { type: 'document', id: '1' },
  }
  const where = ['--config', file, '--json']
  const decided = await assay('decide', '--payload', JSON.stringify(payload), ...where)
  expect(decided.code).toBe(1)
  const { id } = JSON.parse(decided.stdout) as { id: string }
  const trust = ['--trust', join(dir, 'data', 'trust.json')]
  const receipt = await assay('receipt', id, '--config', file)
  await writeFile(join(dir, 'receipt.json'), receipt.stdout)
  expect((await assay('verify', join(dir, 'receipt.json'), ...trust)).code).toBe(0)
  expect((await assay('fsck', ...trust, ...where)).code).toBe(0)
})

const NO_DECISION = '0'.repeat(32)

describe('a table that cannot be opened is one clear error', () => {
  /** What every one of them does: one line with the backend, the setting and the way out. */
  async function refused(file: string, code: string, ...named: readonly string[]): Promise<void> {
    const ran = await assay('receipt', NO_DECISION, '--config', file)
    expect([ran.code, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr.trim().split('\n').length).toBe(1)
    for (const part of ['[store/dynamodb]', code, ...named]) expect(ran.stderr).toContain(part)
    expect(ran.stderr).not.toContain(SECRET)
  }

  test('another name', async () => {
    const words = ['"nowhere"', REGION, endpoint, 'store.table', 'assay store init']
    await refused(await at('nowhere'), 'misconfigured', ...words)
  })

  test('other keys, and no preparation', async () => {
    await foreignTable('id-keys', 'id')
    await refused(await at('id-keys'), 'misconfigured', '"id-keys"')
    await foreignTable('unprepared', 'pk', 'sk')
    await refused(await at('unprepared'), 'misconfigured', '"unprepared"', 'assay store init')
  })

  test('another layout', async () => {
    await assay('store', 'init', '--config', await at('later'))
    const sdk = await openSdk({ table: 'later', region: REGION, endpoint })
    const Item = { pk: { S: '|assay' }, sk: { S: 'layout' }, layout: { N: '2' } }
    await sdk.putItem({ TableName: 'later', Item })
    sdk.destroy()
    await refused(await at('later'), 'newer_version', '"later"')
    expect((await assay('store', 'init', '--config', await at('later'))).code).toBe(2)
  })

  test('another endpoint', async () => {
    const timeoutMs = 900
    const nobody = { endpoint: 'http://127.0.0.1:1', timeoutMs }
    await refused(await at('made', nobody), 'unavailable', '127.0.0.1:1', 'store.endpoint')
    const unknown = { endpoint: 'http://dynamodb.invalid', timeoutMs }
    await refused(await at('made', unknown), 'misconfigured', 'dynamodb.invalid', 'store.endpoint')
    const encrypted = { endpoint: endpoint.replace('http:', 'https:'), timeoutMs }
    await refused(await at('made', encrypted), 'misconfigured', 'store.endpoint')
  })

  test('a password in the endpoint is not shown', async () => {
    const secret = endpoint.replace('//', `//us:${encodeURIComponent(SECRET)}@`)
    const ran = await assay(
      'receipt',
      NO_DECISION,
      '--config',
      await at('nowhere', { endpoint: secret }),
    )
    expect(ran.code).toBe(2)
    expect(ran.stderr).not.toContain(encodeURIComponent(SECRET))
  })

  test('a server of something else', async () => {
    const web = createServer((_, answer) => answer.writeHead(404).end('<html>no such page</html>'))
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    const elsewhere = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
    await refused(await at('made', { endpoint: elsewhere }), 'misconfigured', 'store.endpoint')
    web.close()
  })

  test('no credentials', async () => {
    const { AWS_ACCESS_KEY_ID } = process.env
    delete process.env.AWS_ACCESS_KEY_ID
    process.env.AWS_EC2_METADATA_DISABLED = 'true'
    try {
      await refused(await at('made'), 'denied', 'credentials')
    } finally {
      process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID
    }
  })
})
