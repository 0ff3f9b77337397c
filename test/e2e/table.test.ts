/** Two servers on one table, composed from configuration files: what one decides the other can prove, and `assay fsck` finds nothing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Composed, compose } from '../../adapters/compose.ts'
import { EXAMPLE_STATE } from '../../adapters/config/complete.ts'
import { loadConfig } from '../../adapters/config/load.ts'
import { verifyReceipt } from '../../core/log/receipt.ts'
import { Payload } from '../../core/request.ts'
import { dynamodb, REGION } from '../backends/dynamodb.ts'
import { assay } from '../command.ts'
import { COMPILER } from '../composed.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-table-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = (name: string): string => join(folder, `${name}.yaml`)
async function configure(name: string): Promise<void> {
  const { endpoint } = await dynamodb()
  const table = `table: e2e-${process.pid}, region: ${REGION}, endpoint: "${endpoint}"`
  const lines = [
    `store: { kind: dynamodb, ${table} }`,
    'custody: { kind: file, dir: ./keys }',
    'origin: log.example.com/table',
    `data: ./${name}`,
    `state: ${EXAMPLE_STATE}`,
  ]
  await writeFile(file(name), `${lines.join('\n')}\n`)
}
const start = async (name: string): Promise<Composed> =>
  compose(await loadConfig({ file: file(name) }), { watch: false, parts: [COMPILER] })

const ASKED = {
  action: 'access.evaluate',
  payload: Payload.fromJson({
    subject: { type: 'user', id: 'ada' },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
  }),
}

test('two servers decide on one log', { timeout: 120_000 }, async () => {
  await configure('one')
  await configure('two')
  await expect(start('one')).rejects.toMatchObject({ code: 'misconfigured' })
  expect(await assay('store', 'init', '--config', file('one'))).toMatchObject({ code: 0 })
  const [one, two] = [await start('one'), await start('two')]
  expect(one.config.seal).toBe('durable')
  const mine = await one.kernel.decide(ASKED)
  const theirs = await two.kernel.decide(ASKED, { seal: 'sealed' })
  expect([mine.allow, mine.seal, theirs.allow, theirs.seal]).toEqual([
    true,
    'durable',
    true,
    'sealed',
  ])
  for (const { kernel } of [one, two])
    for (const { id } of [mine, theirs]) {
      const receipt = (await kernel.receipt(id))!
      expect(verifyReceipt(receipt, two.anchor)).toMatchObject({ ok: true, leaf: { id } })
    }
  await one.close()
  await two.close()
  const trust = join(folder, 'one/trust.json')
  expect(await assay('log', 'rotate-key', '--config', file('one'))).toMatchObject({ code: 0 })
  const checked = await assay('fsck', '--config', file('two'), '--trust', trust)
  expect(checked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^valid: \d+ leaves/) })
})
