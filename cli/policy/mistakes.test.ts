/** What `assay policy` says to mistakes: the place, the way out, and an exit code that tells a finding from what could not run. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assay } from '../../test/command.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-mistakes-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function write(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, 'p', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  return join(dir, 'p')
}

async function json(...args: string[]): Promise<{ code: number; value: Record<string, unknown> }> {
  const { code, stdout } = await assay('policy', ...args, '--json')
  return { code, value: stdout === '' ? {} : JSON.parse(stdout) }
}

const LIMIT = { timeout: 60_000 }
const RULE = { 'a.rego': 'package app\n\nallow if input.x == 1\n' }
const CASE = '  - name: one\n    query: app/allow\n    expect: {value: true}\n'

describe('a folder', () => {
  it('without Rego is a finding: its name may be mistaken', LIMIT, async () => {
    const folder = await write({ 'README.md': 'nothing' })
    const { code, value } = await json('check', folder)
    expect([code, value.problems]).toEqual([
      1,
      [{ code: 'no_policies', message: expect.any(String), next: expect.any(String) }],
    ])
  })

  it('that is a file cannot be checked', LIMIT, async () => {
    const folder = await write(RULE)
    const { code, value } = await json('check', join(folder, 'a.rego'))
    expect([code, value]).toMatchObject([2, { error: { code: 'invalid_config' } }])
  })

  it.each([
    ['check', '{"a": 1, "a": 2}', 1, 10],
    ['test', '{\n  "a": 1,\n  "a": 2\n}', 3, 3],
    ['check', '{\n  "a": 1,,\n}', 2, 10],
  ])('has the place of a mistake in its JSON: %s', LIMIT, async (verb, text, row, col) => {
    const folder = await write({ ...RULE, 'data.json': text })
    const { code, value } = await json(verb, folder)
    expect([code, value.problems]).toMatchObject([
      1,
      [{ code: 'invalid_data', file: 'data.json', row, col }],
    ])
  })

  it('that lacks what the plugins stand on is a finding with the way out', LIMIT, async () => {
    const folder = await write(RULE)
    const { code, value } = await json('dev', folder, '--once')
    expect(code).toBe(1)
    const next = expect.stringContaining('folder policies')
    expect(value.problems).toContainEqual(expect.objectContaining({ next }))
  })
})

describe('a table', () => {
  it('has the place of a member that it should not have', LIMIT, async () => {
    const folder = await write({
      ...RULE,
      'a_cases.yaml': `cases:\n${CASE}    inptu: {x: 1}\n`,
    })
    const { value } = await json('test', folder)
    expect(value.problems).toMatchObject([{ code: 'invalid_table', row: 5, col: 5 }])
  })

  it('has the place of the second case of one name', LIMIT, async () => {
    const folder = await write({ ...RULE, 'a_cases.yaml': `cases:\n${CASE}${CASE}` })
    const { value } = await json('test', folder)
    expect(value.problems).toMatchObject([{ code: 'invalid_table', row: 5, col: 11 }])
  })

  it(
    'is not run where no name matches, and an expression that is none is refused',
    LIMIT,
    async () => {
      const folder = await write({ ...RULE, 'a_cases.yaml': `cases:\n${CASE}` })
      const none = await assay('policy', 'test', folder, '--run', 'hold')
      expect(none.code).toBe(1)
      expect(none.stdout).toContain('--run hold')
      expect((await json('test', folder, '--run', '(')).code).toBe(2)
    },
  )
})

describe('what cannot run', () => {
  it('is no denial: an explanation of an entry point that is not there', LIMIT, async () => {
    const folder = await write(RULE)
    const input = join(dir, 'input.json')
    await writeFile(input, '{"x":2}')
    const asked = (path: string) =>
      json('explain', '--input', input, '--entrypoint', path, folder).then(({ code }) => code)
    expect([await asked('app/allow'), await asked('app/none')]).toEqual([1, 2])
    await writeFile(input, '{"x":2')
    const { code, stderr, stdout } = await assay(
      ...['policy', 'explain', '--input', input, '--entrypoint', 'app/allow', folder],
    )
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(input)
  })

  it(
    'is told before the work: no data folder, nowhere to write, nothing recorded',
    LIMIT,
    async () => {
      const folder = await write(RULE)
      const none = join(dir, 'none')
      const replayed = await json('diff', folder, folder, '--replay', none)
      expect([replayed.code, replayed.value]).toMatchObject([2, { error: { code: 'unavailable' } }])
      const page = await json('diff', folder, folder, '--html', join(none, 'page.html'))
      expect([page.code, page.value]).toMatchObject([2, { error: { code: 'not_found' } }])
      await mkdir(none)
      const built = [
        'build',
        folder,
        '--entrypoint',
        'app/allow',
        '--output',
        join(dir, 'b.tar.gz'),
      ]
      const recorded = await json(...built, '--recorded', none)
      expect([recorded.code, recorded.value]).toMatchObject([2, { error: { code: 'not_found' } }])
    },
  )
})

it('a bundle is verified with the keys that are named on the line', LIMIT, async () => {
  const folder = await write(RULE)
  const bundle = join(dir, 'b.tar.gz')
  await json('build', folder, '--entrypoint', 'app/allow', '--output', bundle)
  const unsigned = await json('verify', bundle, '--root', 'policy/ann+1+AA')
  expect(unsigned.code).toBe(2)
  const vkeys: string[] = []
  for (const name of ['ann', 'bob']) {
    const data = ['--data', join(dir, name)]
    await assay('key', 'create', 'policy', name, ...data)
    await assay('key', 'activate', 'policy', name, ...data)
    const { value } = await json('sign', bundle, '--key', name, ...data)
    vkeys.push(...(value.keys as readonly string[]))
    const asked = ['verify', bundle, '--root', ...vkeys]
    expect((await json(...asked)).value).toMatchObject({ valid: true, threshold: vkeys.length })
  }
  const [ann, bob] = vkeys as [string, string]
  expect((await json('verify', bundle, '--root', bob, '--threshold', '1')).code).toBe(0)
  const more = await json('verify', bundle, '--root', ann, '--threshold', '2')
  expect([more.code, more.value]).toMatchObject([2, { error: { code: 'foreign_root' } }])
  expect((await json('verify', bundle, '--threshold', '1')).code).toBe(2)
})
