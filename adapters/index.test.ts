import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyReceipt } from '../core/log/receipt.ts'
import { bundle, compiler } from '../test/rego.ts'
import { readAnchor } from './datafolder/anchor.ts'
import { open, type Part } from './index.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-index-'))
})
afterAll(async () => {
  await compiler.close()
  await rm(dir, { recursive: true })
})
const parts: Part[] = [
  {
    port: 'compiler',
    open: () => ({
      ...compiler,
      close: async () => undefined,
      build: (sources, { entrypoints }) => bundle(sources, entrypoints),
      syntax: (sources) => compiler.syntax(sources),
    }),
  },
]
const READ = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
}

it('opens, decides as the program that it is in, proves, and lets the next one in', async () => {
  const data = join(dir, 'data')
  const assay = await open({ data, parts, watch: false, id: 'shop' })
  await expect(open({ data, parts })).rejects.toMatchObject({ code: 'locked' })
  const decision = await assay.decide(READ)
  expect(decision).toMatchObject({ allow: true, seal: 'sealed' })
  const anchor = (await readAnchor(join(data, 'trust.json')))!
  const receipt = await decision.receipt()
  expect(verifyReceipt(receipt, anchor)).toMatchObject({ ok: true })
  expect(receipt.openings?.request?.json).toContain('"id":"shop"')
  expect(await assay.check(READ)).toMatchObject({ dryRun: true, allow: true })
  expect((await assay.receipt(decision.id))?.leaf).toBe(receipt.leaf)
  await assay.close()
  await expect(assay.decide(READ)).rejects.toMatchObject({ code: 'closed' })
  await (await open({ data, parts, watch: false })).close()
})

it('takes a configuration file, whose seal holds where a call does not say', async () => {
  const config = join(dir, 'assay.yaml')
  await writeFile(config, 'data: own\nseal: durable\n')
  const assay = await open({ config, parts, watch: false })
  expect(await assay.decide(READ)).toMatchObject({ allow: false, seal: 'durable' })
  expect(await assay.decide(READ, { seal: 'sealed' })).toMatchObject({ seal: 'sealed' })
  await assay.close()
  await expect(open({ config: join(dir, 'none.yaml') })).rejects.toMatchObject({
    code: 'not_found',
  })
})

it('says why, where it is asked to, and never instead of the decision', async () => {
  const assay = await open({ data: join(dir, 'why'), parts, watch: false })
  const denied = { ...READ, resource: { type: 'checkpoint', id: 'ckpt-9-0003' } }
  const decision = await assay.decide(denied, { explain: true })
  expect(decision).toMatchObject({ allow: false, seal: 'sealed' })
  expect(decision.explanation).toMatchObject({
    outcome: 'denied',
    nearest: { file: 'access/abac.rego', why: 'false' },
  })
  expect((await decision.receipt()).leaf).toContain(decision.id)
  expect(await assay.explain(decision.id)).toMatchObject({
    decision: { id: decision.id },
    explanation: decision.explanation,
  })
  expect(await assay.decide(denied)).not.toHaveProperty('explanation')
  const unknown = await assay.decideAction('nobody.knows', {}, { explain: true })
  expect(unknown).toMatchObject({ allow: false, unexplained: { code: 'kernel_decision' } })
  await assay.close()
})
