/** `assay policy explain`: of an input under a folder, and of a decision in a data folder. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { assay } from '../../test/command.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-explain-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const LIMIT = { timeout: 120_000 }

const DATA = {
  docs: [
    { id: 'plan', owner: 'ada', teams: ['ops'] },
    { id: 'memo', owner: 'ben', teams: [] },
  ],
  frozen: ['memo'],
}

it('explains an input as the page about it shows', LIMIT, async () => {
  const page = await readFile(new URL('../../docs/explain.md', import.meta.url), 'utf8')
  const [, rego = ''] = /```rego\n(.*?)```/s.exec(page) ?? []
  const [, shown] = /```text\n(.*?)```/s.exec(page) ?? []
  await mkdir(join(dir, 'p'))
  await writeFile(join(dir, 'p/authz.rego'), rego)
  await writeFile(join(dir, 'p/data.json'), JSON.stringify(DATA))
  const input = join(dir, 'input.json')
  await writeFile(input, '{"doc":"plan","user":{"name":"ben","team":"web"}}')
  const asked = ['--input', input, '--entrypoint', 'app/authz/allow', join(dir, 'p')]
  expect(await assay('policy', 'explain', ...asked)).toEqual({ code: 1, stdout: shown, stderr: '' })
  await writeFile(input, '{"doc":"plan","user":{"name":"ada"}}')
  const { code, stdout } = await assay('policy', 'explain', ...asked, '--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'assay.explanation/v1',
    outcome: 'allowed',
    fired: [
      { rule: 'data.app.authz.allow', file: 'authz.rego', row: 7, labels: { control: 'AC-3' } },
    ],
    missed: [],
  })
})

it('explains a decision in a data folder', LIMIT, async () => {
  const data = join(dir, 'data')
  const payload = JSON.stringify({
    subject: { type: 'user', id: 'ada' },
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: 'ckpt-9-0003' },
  })
  const decided = await assay('decide', '--payload', payload, '--data', data, '--json')
  const { id } = JSON.parse(decided.stdout) as { id: string }
  const { code, stdout } = await assay('policy', 'explain', id, '--data', data)
  expect(code).toBe(1)
  expect(stdout).toMatch(/access\.evaluate denied: not_owner \(assay\.access\.abac\.deny\)/)
  expect(stdout).toContain('input.facts.resource.related.workload.attributes.owner = "ben"')
  const none = await assay('policy', 'explain', '0'.repeat(32), '--data', data, '--json')
  expect([none.code, JSON.parse(none.stdout)]).toMatchObject([
    2,
    { error: { code: 'unknown_decision' } },
  ])
})

it('says how it is called', LIMIT, async () => {
  const id = await assay('policy', 'explain', 'x', '--json')
  expect([id.code, JSON.parse(id.stdout)]).toMatchObject([2, { error: { code: 'usage' } }])
  await writeFile(join(dir, 'input.json'), '{}')
  const bare = ['policy', 'explain', '--input', join(dir, 'input.json'), dir, '--json']
  const entry = await assay(...bare)
  expect([entry.code, JSON.parse(entry.stdout)]).toMatchObject([2, { error: { code: 'usage' } }])
})
