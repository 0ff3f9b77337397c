/** Every rule of lint on its own examples, directives, and the policies of this repository. */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { createOpaCompiler } from '../compiler/opa/index.ts'
import { sortSources } from '../compiler/opa/sources.ts'
import { loadFolder } from '../policies/folder.ts'
import { type Example, type LintProblem, lint, RULES, reasonLiterals } from './index.ts'

const compiler = createOpaCompiler()
afterAll(() => compiler.close())

async function linted(example: Example, data: Json = {}): Promise<readonly LintProblem[]> {
  const sources: Sources = typeof example === 'string' ? { 'sample/a.rego': example } : example
  return lint(await compiler.syntax(sources), data)
}

describe('a rule', () => {
  test.each(RULES.map((rule) => [rule.id, rule] as const))(
    '%s finds its bad example, at a place, and not its good one',
    async (id, { bad, good }) => {
      const found = (await linted(bad)).filter(({ code }) => code === id)
      expect(found).toHaveLength(1)
      expect(found[0]).toMatchObject({ row: expect.any(Number), next: expect.stringMatching(/./) })
      expect((await linted(good)).filter(({ code }) => code === id)).toEqual([])
    },
  )

  test.each(RULES.map((rule) => [rule.id, rule] as const))(
    '%s has nothing but itself to say about its examples',
    async (id, { bad, good }) => {
      const others = [...(await linted(bad)), ...(await linted(good))].map(({ code }) => code)
      expect(others.filter((code) => code !== id)).toEqual([])
    },
  )

  test('stands in the README, and nothing else does', () => {
    const page = readFileSync(new URL('README.md', import.meta.url), 'utf8')
    const named = [...page.matchAll(/^\| `([a-z]+\/[a-z-]+)`/gm)].map(([, id]) => id)
    expect(named).toEqual([...RULES.map(({ id }) => id), 'assay/stale-ignore'].sort())
  })
})

/** Codes with their rows. */
async function found(text: string, data: Json = {}): Promise<readonly string[]> {
  return (await linted(text, data)).map(({ code, row }) => `${row} ${code}`)
}

const LOOP = 'bugs/not-equals-in-loop'

describe('a directive', () => {
  const bad = 'allow if "a" != input.list[_]\n'

  test.each([
    ['ours', '# assay ignore: not-equals-in-loop\n', ''],
    ['with its category', `# assay ignore: ${LOOP}, todo-comment\n`, ''],
    ['of Regal', '# regal ignore:not-equals-in-loop\n', ''],
    ['on the line itself', '', ' # assay ignore: not-equals-in-loop'],
  ])('%s is heeded', async (_, before, after) => {
    const text = `package assay.sample\n\n${before}${bad.trimEnd()}${after}\n`
    expect(await found(text)).toEqual([])
  })

  test('for another rule or another line is not, and is stale', async () => {
    const other = `package assay.sample\n\n# assay ignore: todo-comment\n${bad}`
    expect(await found(other)).toEqual(['3 assay/stale-ignore', `4 ${LOOP}`])
    const far = `package assay.sample\n\n# assay ignore: not-equals-in-loop\n\n${bad}`
    expect(await found(far)).toEqual(['3 assay/stale-ignore', `5 ${LOOP}`])
    const regal = `package assay.sample\n\n# regal ignore:line-length\nallow if input.x\n`
    expect(await found(regal)).toEqual([])
  })
})

/** Bodies and rules that a rule must, or must not, find; `DATA` is there for all of them. */
const DATA: Json = { roles: { admin: true }, list: [1, 2] }
const CASES: readonly (readonly [text: string, ...found: string[]])[] = [
  ['allow if data.roles[_]'],
  ['allow if {\n\tsome r\n\tdata.roles[r]\n}'],
  ['allow if data.roles[r]', '3 bugs/unused-output-variable'],
  ['r := "admin"\n\nallow if data.roles[r]'],
  ['allow(r) if data.roles[r]'],
  ['allow if {\n\tr = input.role\n\tdata.roles[r]\n}'],
  ['allow if {\n\t[r, _] := input.pair\n\tdata.roles[r]\n}'],
  ['allow if every k, v in data.roles { v == data.roles[k] }'],
  ['allow if "a" != input.list[0]'],
  ['allow if "a" != input.list[input.i]'],
  ['allow if {\n\tsome i\n\t"a" != input.list[i]\n}'],
  ['names := [n | some n in data.list]'],
  ['names := [n | some n, _ in data.roles]', '3 assay/unsorted-comprehension'],
  ['names := sort([n | some n, _ in data.roles])'],
  ['n := count([n | some n, _ in data.roles])'],
  ['s contains "a"\n\nnames := [n | some n in s]', '5 assay/unsorted-comprehension'],
  ['names := x if {\n\ts := {1, 2}\n\tx := [n | some n in s]\n}', '5 assay/unsorted-comprehension'],
  ['names := x if {\n\ts := sort({1, 2})\n\tx := [n | some n in s]\n}'],
  ['f(x) := [n | some n in x]'],
  ['default allow := false\n\nallow if input.a'],
  ['decision := {"allow": true} if input.a'],
  ['allow if not deny\n\ndeny if input.x'],
  ['allow if not deny.x\n\ndeny contains "x" if input.x'],
  ['m := sprintf("%[2]s", ["a", "b"])'],
  ['m := sprintf("%*d", [1, 2])'],
  ['m := sprintf("%5.2f %v", [1])', '3 bugs/sprintf-arguments-mismatch'],
  ['m := sprintf("%d", input.values)'],
  ['allow if {\n\tinput.name\n\tinput.name == "a"\n}'],
  ['allow if {\n\tinput.name\n\tnot startswith(input.name, "a")\n}'],
  ['allow if {\n\tinput.name\n\tf(input.name)\n}\n\nf(x) if x == false'],
  ['allow if {\n\ttrue\n}', '4 bugs/constant-condition'],
  ['allow if input.x else := false'],
  ['default n := 0\n\nn := 0 if input.a else := 1'],
]

describe('a rule is right about', () => {
  test.each(CASES)('%s', async (text, ...expected) => {
    expect(await found(`package assay.sample\n\n${text}\n`, DATA)).toEqual(
      text.startsWith('decision') ? ['3 idiomatic/no-defined-entrypoint'] : expected,
    )
  })
})

test('what is left to do is found in capitals, too, and things to do are not', async () => {
  const capitals = ['todo', 'fixme'].map((word) => word.toUpperCase())
  const lines = [...capitals, 'todo list', 'todos'].map((word) => `# ${word}`)
  expect(await found(`package assay.sample\n\n${lines.join('\n')}\n`)).toEqual([
    '3 style/todo-comment',
    '4 style/todo-comment',
  ])
})

test('what is found is in the order of files, rows and columns', async () => {
  const sample = 'package assay.sample\n\n# todo: b\n# fixme: a\n'
  const all = await linted({ 'sample/b.rego': sample, 'sample/a.rego': sample })
  expect(all.map(({ file, row }) => `${file}:${row}`)).toEqual([
    'sample/a.rego:3',
    'sample/a.rego:4',
    'sample/b.rego:3',
    'sample/b.rego:4',
  ])
})

test('reasons are read with the rule that they stand in', async () => {
  const text = `package assay.sample

deny contains {"code": "one", "message": "m", "rule": "assay.sample.deny"} if input.a

table := {"x": {"code": "two", "message": "m"}, "y": {"code": "three", "message": "m"}}

none := {"code": input.code, "message": "m"}
`
  const reasons = reasonLiterals(await compiler.syntax({ 'sample/a.rego': text }))
  expect(reasons.map(({ code, listed, within }) => [code, within, listed])).toEqual([
    ['one', 'assay.sample.deny', false],
    ['two', 'assay.sample.table', true],
    ['three', 'assay.sample.table', true],
  ])
})

const FOLDERS = ['policies', 'examples/own-plugin/policies', 'examples/embedded/policies']

describe('the rules of this repository', () => {
  test.each(FOLDERS)('in %s have nothing to be said against', async (folder) => {
    const sources = await loadFolder(folder)
    const { data } = sortSources(sources)
    expect(lint(await compiler.syntax(sources), data)).toEqual([])
  })
})
