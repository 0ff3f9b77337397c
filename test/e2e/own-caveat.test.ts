/** examples/own-caveat as its page tells it: one command shows it, and its folder keeps what the shipped types keep. */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { assay } from '../server.ts'
import { readText, root } from '../source.ts'

const run = promisify(execFile)
const EXAMPLE = 'examples/own-caveat'
const TYPE = 'only_from_partition'

test('its command prints what its page says', { timeout: 180_000 }, async () => {
  const page = readText(`${EXAMPLE}/README.md`)
  const [, expected = ''] = /^```text\n([\s\S]*?)^```$/m.exec(page) ?? []
  const [, script = ''] = /^npm run (\S+)$/m.exec(page) ?? []
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
  const [command = '', ...args] = scripts[script]?.split(' ') ?? []
  const PATH = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  // To its end: it stops its own server.
  const { stdout } = await run(command, args, { cwd: root, env: { ...process.env, PATH } })
  expect(stdout).toBe(expected)
})

test('a rule, a schema and a test are all of it', async () => {
  expect(readdirSync(join(root, EXAMPLE, TYPE)).sort()).toEqual([
    'data.json',
    `${TYPE}.rego`,
    `${TYPE}_test.rego`,
  ])
})

test('beside the shipped types its tests pass and cover every line', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-own-caveat-'))
  try {
    for (const name of ['capability', 'lib', 'data.json', 'main.rego', 'main_test.rego'])
      cpSync(join(root, 'policies', name), join(folder, name), { recursive: true })
    cpSync(join(root, EXAMPLE, TYPE), join(folder, 'capability/caveats', TYPE), {
      recursive: true,
    })
    const { code, output } = await assay('policy', 'test', folder, '--threshold', '100')
    expect([code, output]).toEqual([0, expect.stringMatching(/coverage 100%/)])
    const formatted = await assay('policy', 'fmt', '--check', folder)
    expect([formatted.code, formatted.output]).toEqual([0, expect.any(String)])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
