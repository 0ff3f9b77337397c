/** The example's template, without asking AWS: it is one, and gives the function what it needs and no more. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { installCfnLint } from '../backends/lambda.ts'
import { readText } from '../source.ts'

const TEMPLATE = readText('examples/lambda/template.yaml')
const folder = mkdtempSync(join(tmpdir(), 'assay-template-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly stdout: string
  readonly stderr: string
}
/** What cfn-lint says; empty where it is content. */
async function linted(template: string): Promise<string> {
  const file = join(folder, 'template.yaml')
  writeFileSync(file, template)
  const [python, program] = await installCfnLint()
  const ran = promisify(execFile)(python, [program, file])
  const { stderr, stdout } = await ran.catch((error: Ended) => error)
  return `${stdout}${stderr}`.trim()
}

test('it is a template, and a mistake in one is noticed', async () => {
  expect(await linted(TEMPLATE)).toBe('')
  expect(await linted(TEMPLATE.replace('InlineCode', 'InlineKode'))).toContain('E3002')
  expect(await linted(TEMPLATE.replace('MemorySize: 1024', 'MemorySize: lots'))).toContain('E3012')
}, 600_000)

interface Statement {
  readonly Sid: string
  readonly Action: string | readonly string[]
}
const actionsOf = (statements: readonly Statement[], only?: RegExp): readonly string[] =>
  [
    ...new Set(
      statements.filter(({ Sid }) => only?.test(Sid) ?? true).flatMap(({ Action }) => Action),
    ),
  ].sort()

test('its role may do what store and keys need, and makes no keys', () => {
  const template = parseDocument(TEMPLATE, { logLevel: 'silent' }).toJS() as {
    Resources: { Decide: { Properties: { Policies: { Statement: Statement[] }[] } } }
  }
  const [policy] = template.Resources.Decide.Properties.Policies
  const own = (path: string) => (JSON.parse(readText(path)) as { Statement: Statement[] }).Statement
  const store = own('adapters/store/dynamodb/iam-policy.json')
  const keys = own('adapters/custody/kms/iam-policy.json')
  const needed = [...actionsOf(store), ...actionsOf(keys, /^(FindKeys|ReadKeys|Sign)$/)].sort()
  expect(actionsOf(policy?.Statement ?? [])).toEqual(needed)
})

test('the cache of its authorizer is off, as its routes need', () => {
  expect(TEMPLATE).toContain('ReauthorizeEvery: 0')
})
