/** What is exported, read by the types of its receivers: OPA's event of a decision log, and OTLP's protobuf definitions. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startExport } from '../../adapters/export/index.ts'
import type { Json } from '../../core/json.ts'
import { testEngine } from '../engine.ts'
import { kit, ORIGIN, submission } from '../kernel/kit.ts'
import { openReceiver } from '../receiver.ts'
import { compiler } from '../rego.ts'
import { exportReader } from '../tools.ts'

let folder: string
let reader: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-export-'))
  reader = await exportReader()
}, 300_000)
afterAll(() => rm(folder, { recursive: true }))

const PAYLOADS: readonly Json[] = [
  {},
  { password: 'secret', cards: ['1', '2'], nested: [null, true, 0.5, -1, { 'a b': [] }] },
  'text with \u0000, 😀 and "quotes"',
  { n: 9007199254740991, big: '18446744073709551616', tiny: 1e-7 },
]
const MASK = `package system.log

mask contains sprintf("/input/%s/password", [part]) if {
	some part in ["payload", "facts.claimed"]
}

mask contains {"op": "upsert", "path": "/input/payload/cards/0", "value": {"hidden": true}}
`
const OPENINGS = ['payload', 'request', 'verdict', 'facts.claimed', 'facts.record']

test.each(['opa-logs', 'otlp'] as const)('%s', async (kind) => {
  const receiver = await openReceiver()
  const { kernel, store, log, leaves } = await kit()
  for (const payload of PAYLOADS) await kernel.decide(submission('note.read', payload))
  const exporting = await startExport(
    {
      kind,
      name: kind,
      url: receiver.url,
      headers: {},
      labels: { env: 'test' },
      openings: OPENINGS,
      batch: { maxEvents: 2, delayMs: 10, timeoutMs: 10_000 },
    },
    {
      origin: ORIGIN,
      dataFolder: folder,
      store,
      log,
      compiler,
      engine: testEngine(),
      maskSources: { 'mask.rego': MASK },
      watch: () => ({ done() {}, failed() {}, resumed() {}, quarantined() {} }),
    },
  )
  await expect.poll(() => receiver.taken.length, { timeout: 10_000 }).toBe(3)
  await exporting.close()
  await receiver.close()
  const ids: string[] = []
  for (const { body } of receiver.taken) ids.push(...(await read(kind, JSON.stringify(body))))
  expect(ids).toEqual((await leaves()).map(({ id }) => id))
  expect(JSON.stringify(receiver.taken)).not.toContain('secret')
  await kernel.close()
})

test('a member that the types do not know is refused', async () => {
  await expect(read('opa-logs', '[{"decision_identifier":"1"}]')).rejects.toThrow(/unknown field/)
  await expect(read('otlp', '{"resourceLogs":[{"records":[]}]}')).rejects.toThrow(/unknown field/)
})

/** The ids of the decisions, as the receiver's types found them. */
async function read(kind: string, body: string): Promise<string[]> {
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(reader, [kind], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.end(body)
  })
  return output.split('\n').filter((line) => line !== '')
}
