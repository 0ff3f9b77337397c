/** The verbs for people who edit Rego: findings in place, tables, reasons, differences, exit codes. */
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assay, type Ran } from '../../test/command.ts'
import { ASSAY } from '../../test/server.ts'
import { lineDiff } from './line-diff.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-policy-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function write(files: Readonly<Record<string, string>>, folder = 'p'): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  return join(dir, folder)
}

async function json(...args: string[]): Promise<{ code: number; value: Record<string, unknown> }> {
  const { code, stdout } = await assay('policy', ...args, '--json')
  return { code, value: JSON.parse(stdout) }
}

const LIMIT = { timeout: 60_000 }

const RULES = `package assay.main

deny contains {
	"code": "frozen",
	"message": "this is frozen",
	"rule": "assay.main.deny",
} if {
	input.request.action in data.freeze.actions
}

deny contains {
	"code": "late",
	"message": "it is too late",
	"rule": "assay.main.deny",
} if {
	input.now > 100
}
`
const FOLDER = { 'main.rego': RULES, 'data.json': '{"freeze":{"actions":["a"]}}' }
const TABLE = `defaults:
  query: assay/main/deny
  now: 5
cases:
  - name: frozen
    request: {action: a}
    expect: {value: [{code: frozen, message: this is frozen, rule: assay.main.deny}]}
  - name: thawed
    request: {action: a}
    data: {freeze: {actions: []}}
    expect: {value: []}
`

describe('check', () => {
  it('shows the line, the place in it and the way out', LIMIT, async () => {
    const folder = await write({
      'a.rego': 'package assay.a\n\nb if {\n\t"é😀" == input.x; time.now_ns() == 1\n}\n',
    })
    const { code, stdout } = await assay('policy', 'check', folder)
    expect(code).toBe(1)
    const [place, line, caret, next] = stdout.split('\n')
    expect(place).toMatch(/a\.rego:4:19: purity\/forbidden-builtin: /)
    expect(line).toBe('  4 | \t"é😀" == input.x; time.now_ns() == 1')
    expect(caret).toBe(`    | \t${' '.repeat(17)}^`)
    expect(next).toMatch(/^ {2}next: .*input\.now/)
  })

  it('lints what compiles, and only the compiler with --no-lint', LIMIT, async () => {
    const folder = await write({ 'a.rego': 'package assay.a\n\ndefault allow := true\n' })
    const { code, value } = await json('check', folder)
    expect(code).toBe(1)
    expect(value.problems).toEqual([
      {
        code: 'assay/default-allow',
        file: 'a.rego',
        row: 3,
        col: 1,
        message: expect.any(String),
        next: expect.any(String),
      },
    ])
    expect(await json('check', folder, '--no-lint')).toEqual({ code: 0, value: { problems: [] } })
  })

  const FORBIDDEN = ['http.send({})', 'rand.intn("a", 1)', 'opa.runtime()', 'crypto.md5("a")']
  it.each(FORBIDDEN)('names the way out of %s', LIMIT, async (call) => {
    const folder = await write({ 'a.rego': `package assay.a\n\nb := ${call}\n` })
    const { value } = await json('check', folder)
    expect(value.problems).toEqual([
      expect.objectContaining({
        code: 'purity/forbidden-builtin',
        row: 3,
        next: expect.any(String),
      }),
    ])
  })

  it('is a usage error where there is no folder', LIMIT, async () => {
    expect((await json('check', join(dir, 'none'))).code).toBe(2)
  })
})

describe('test', () => {
  it('runs tables on both engines, and writes JUnit', LIMIT, async () => {
    const folder = await write({ ...FOLDER, 'main_cases.yaml': TABLE })
    const file = join(dir, 'junit.xml')
    const { code, value } = await json('test', folder, '--engine', 'both', '--junit', file)
    expect(code).toBe(0)
    const told = value.tests as readonly { engine: string; name: string; outcome: string }[]
    expect(told.map(({ engine, name, outcome }) => `${engine} ${name} ${outcome}`)).toEqual([
      'engine/jit frozen pass',
      'engine/jit thawed pass',
      'engine/wasm frozen pass',
      'engine/wasm thawed pass',
    ])
    expect(await readFile(file, 'utf8')).toContain('<testsuites tests="4" failures="0"')
  })

  it('says which case failed, where and how', LIMIT, async () => {
    const wrong = TABLE.replace('value: []', 'value: [1]')
    const folder = await write({ ...FOLDER, 'main_cases.yaml': wrong })
    const { code, stdout } = await assay('policy', 'test', folder)
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /main_cases\.yaml:8: fail thawed value: expected \[1\], and it is \[\]\n/,
    )
    expect(stdout).toContain('1 of 2 tests passed')
    expect((await json('test', folder, '--run', 'frozen')).code).toBe(0)
  })

  it('wants every reason with --reasons', LIMIT, async () => {
    const folder = await write({
      ...FOLDER,
      'main_cases.json': JSON.stringify({
        cases: [
          {
            name: 'late',
            query: 'assay/main/deny',
            input: { now: 101, request: { action: 'b' } },
            expect: {
              value: [{ code: 'late', message: 'it is too late', rule: 'assay.main.deny' }],
            },
          },
        ],
      }),
    })
    const { code, value } = await json('test', folder, '--reasons')
    expect(code).toBe(1)
    expect(value.reasons).toEqual({
      total: 2,
      unreached: [{ code: 'frozen', file: 'main.rego', row: 3, col: 15 }],
    })
    const rego = 'package assay.main_test\n\nimport data.assay.main\n\n'
    const one = 'test_frozen if count(main.deny) == 1 with input as {"request": {"action": "a"}}\n'
    await write({ 'main_test.rego': rego + one })
    const { stdout } = await assay('policy', 'test', folder, '--reasons')
    expect(stdout).toContain('2 of 2 reasons reached')
  })

  it.each<[string, string, string, number]>([
    ['a misspelt member', TABLE.replace('expect', 'exect'), 'invalid_table', 5],
    ['a query that is no rule', TABLE.replace('main/deny', 'main/dney'), 'unknown_query', 5],
    ['YAML that is none', 'cases: [', 'invalid_table', 1],
  ])('refuses %s in place', LIMIT, async (_, table, problem, row) => {
    const folder = await write({ ...FOLDER, 'main_cases.yaml': table })
    const { code, value } = await json('test', folder)
    expect(code).toBe(1)
    const [first] = value.problems as readonly object[]
    expect(first).toMatchObject({ code: problem, file: 'main_cases.yaml', row })
  })

  it('again whenever a file is saved, until it is interrupted', LIMIT, async () => {
    const folder = await write({ ...FOLDER, 'main_cases.yaml': TABLE })
    const running = watched('test', folder, '--watch')
    await running.says('2 of 2 tests passed')
    await write({ 'main_cases.yaml': TABLE.replace('value: []', 'value: [1]') })
    await running.says('1 of 2 tests passed')
    await write({ 'main.rego': 'package assay.main\n\ndeny {\n' })
    await running.says('rego_parse_error')
    process.emit('SIGINT')
    expect(await running.ended).toBe(1)
  })
})

/** A verb that goes on, and what it has said. */
function watched(...args: string[]): { ended: Promise<number>; says(text: string): Promise<void> } {
  let said = ''
  const stdout = { write: (part: string) => (said += part) }
  const ended = import('../run.ts').then(({ run }) =>
    run(['policy', ...args], { stdout, stderr: stdout, env: {} }),
  )
  const says = async (text: string): Promise<void> => {
    await expect.poll(() => said, { timeout: 30_000 }).toContain(text)
    said = ''
  }
  return { ended, says }
}

describe('fmt', () => {
  it('shows what would change', LIMIT, async () => {
    const folder = await write({ 'a.rego': 'package a\n\nb   := 1\n' })
    const { code, stdout } = await assay('policy', 'fmt', folder, '--diff', '--check')
    expect(code).toBe(1)
    expect(stdout).toContain('\n-b   := 1\n+b := 1\n')
  })

  it('formats standard input, or says where it is wrong', LIMIT, () => {
    const fmt = (input: string, ...args: string[]): { status: number | null; stdout: string } =>
      spawnSync(ASSAY, ['policy', 'fmt', '-', ...args], { input, encoding: 'utf8' })
    const text = 'package a\n\nb := 1\n'
    expect(fmt(text.replace(' :=', '   :='))).toMatchObject({ status: 0, stdout: text })
    expect(fmt(text, '--check').status).toBe(0)
    expect(fmt('package a\n\nb {\n')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('stdin.rego:4:1: rego_parse_error'),
    })
  })

  it('differences put the new text together again', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = lineDiff(before.join('\n'), after.join('\n'))
        const [gone, come] = ['-', '+'].map((sign) => diff.filter((line) => line.startsWith(sign)))
        const kept = before.join('\n') === after.join('\n')
        expect(diff.length === 0).toBe(kept)
        // What is left of the one and of the other is the same.
        const rest = (from: readonly string[], signed: readonly string[]): string[] => {
          const left = [...from]
          for (const line of signed) left.splice(left.indexOf(line.slice(1)), 1)
          return left.sort()
        }
        const [old, next] = [before, after].map((each) => each.join('\n').split('\n'))
        expect(rest(old!, gone!)).toEqual(rest(next!, come!))
      }),
    )
  })
})

const DECISION = `package assay.access

# METADATA
# entrypoint: true
decision := {"allow": input.now > 1}
`

describe('diff', () => {
  it('tells rules, reasons, entry points and data apart', LIMIT, async () => {
    const old = await write(FOLDER, 'old')
    const changed = RULES.replace('input.now > 100', 'input.now >  50').replace(
      '"frozen"',
      '"cold"',
    )
    const decision = '# METADATA\n# entrypoint: true\ndecision := {"allow": false}\n'
    const next = await write(
      {
        'main.rego': `# A comment does not count.\n${changed}`,
        'a/a.rego': `package assay.a\n\n${decision}`,
        'data.json': '{"freeze":{"actions":["a","b"],"until":3}}',
      },
      'new',
    )
    const { code, value } = await json('diff', old, next)
    expect(code).toBe(0)
    expect(value.changes).toEqual({
      rules: { added: ['assay.a.decision'], removed: [], changed: ['assay.main.deny'] },
      reasons: {
        added: ['cold (assay.main.deny)'],
        removed: ['frozen (assay.main.deny)'],
        changed: [],
      },
      entrypoints: { added: ['assay/a/decision'], removed: [], changed: [] },
      data: { added: ['freeze.until'], removed: [], changed: ['freeze.actions'] },
    })
    const same = await json('diff', old, old)
    expect(JSON.stringify(same.value.changes)).not.toMatch(/\["/)
  })

  it('writes a page that holds nothing but text', LIMIT, async () => {
    const old = await write(FOLDER, 'old')
    const next = await write({ ...FOLDER, 'data.json': '{"freeze":{"<script>":1}}' }, 'new')
    const page = join(dir, 'page.html')
    expect((await json('diff', old, next, '--html', page)).code).toBe(0)
    const html = await readFile(page, 'utf8')
    expect(html).toContain('freeze.&lt;script&gt;')
    expect(html).not.toMatch(/<script|src=|href=|@import|url\(/)
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/)
  })

  it('takes a bundle for a folder', LIMIT, async () => {
    await write({ 'assay.yaml': 'plugins: [access]\n' }, '.')
    const config = ['--config', join(dir, 'assay.yaml')]
    const folder = await write({ 'access/a.rego': DECISION, 'data.json': '{"a":{"b":1}}' })
    const bundle = join(dir, 'bundle.tar.gz')
    expect((await json('build', folder, '--output', bundle, ...config)).code).toBe(0)
    await write({ 'data.json': '{"a":{"b":2}}' })
    const { code, value } = await json('diff', bundle, folder, ...config)
    expect(code).toBe(0)
    const none = { added: [], removed: [], changed: [] }
    const data = { ...none, changed: ['a.b'] }
    expect(value.changes).toEqual({ rules: none, reasons: none, entrypoints: none, data })
  })

  it('finds what does not compile on either side', LIMIT, async () => {
    const old = await write(FOLDER, 'old')
    const next = await write({ 'main.rego': 'package a\n\nb {\n' }, 'new')
    expect(await json('diff', old, next)).toMatchObject({
      code: 1,
      value: { problems: [{ file: 'main.rego', row: 4 }] },
    })
    expect((await json('diff', old, join(dir, 'none'))).code).toBe(2)
  })
})

describe('bench', () => {
  it('measures both engines for inputs of tables and for those that are given', LIMIT, async () => {
    const folder = await write({ ...FOLDER, 'main_cases.yaml': TABLE })
    const { code, value } = await json('bench', folder, '--seconds', '1')
    expect(code).toBe(0)
    const [result] = value.results as readonly Record<string, unknown>[]
    expect(result).toMatchObject({ entrypoint: 'assay/main/deny', inputs: 2 })
    expect((result!.engines as { engine: string }[]).map(({ engine }) => engine)).toEqual([
      'engine/jit',
      'engine/wasm',
    ])
    await write({ 'in.json': '[{"now":1},{"now":200}]' }, '.')
    const args = ['--input', join(dir, 'in.json'), '--entrypoint', 'assay/main/deny']
    const given = await json('bench', folder, '--seconds', '1', ...args)
    expect(given).toMatchObject({ code: 0, value: { results: [{ inputs: 2 }] } })
  })

  it('says what it needs', LIMIT, async () => {
    const folder = await write(FOLDER)
    for (const args of [[], ['--input', 'none.json'], ['--input', join(folder, 'main.rego')]])
      expect((await json('bench', folder, ...args)).code).toBe(2)
  })
})

describe('dev', () => {
  it('says whether the server took it', { timeout: 120_000 }, async () => {
    await write({ 'assay.yaml': 'plugins: [access]\n' }, '.')
    const config = ['--config', join(dir, 'assay.yaml')]
    const folder = await write({
      'access/a.rego': DECISION,
      'access/a_cases.yaml': 'cases: [{name: a, now: 2, expect: {allow: true}}]\n',
    })
    const policy = { digest: 'sha256:0', revision: 'sha256:1' }
    const server = createServer((_, response) => response.end(JSON.stringify({ policy })))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const round = (): Promise<Ran> =>
      assay('policy', 'dev', folder, '--once', '--json', '--url', url, ...config)
    try {
      const other = await round()
      expect(JSON.parse(other.stdout)).toMatchObject({ ok: false, server: { state: 'other' } })
      expect(other.code).toBe(1)
      const build = await json('build', folder, ...config)
      Object.assign(policy, { digest: build.value.digest, revision: build.value.revision })
      const took = await round()
      expect(JSON.parse(took.stdout)).toMatchObject({ ok: true, server: { state: 'took' } })
      expect(took.code).toBe(0)
    } finally {
      server.close()
    }
    const none = await round()
    expect(JSON.parse(none.stdout)).toMatchObject({ ok: true, server: { state: 'none' } })
    await write({ 'access/a_cases.yaml': 'cases: [{name: a, now: 2, expect: {allow: false}}]\n' })
    expect((await round()).code).toBe(1)
  })

  it('shows errors in place', LIMIT, async () => {
    const folder = await write({ 'main.rego': 'package assay.main\n\ndeny := x\n' })
    const { code, stdout } = await assay('policy', 'dev', folder, '--once')
    expect(code).toBe(1)
    expect(stdout).toMatch(/main\.rego:3:\d+: rego_unsafe_var_error[\s\S]*3 \| deny := x\n/)
  })
})
