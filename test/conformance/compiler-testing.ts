/** The laws of compilers on running Rego tests. */
import { expect } from 'vitest'
import type { Sources, TestCase } from '../../core/ports/compiler.ts'
import { type CompilerSubject, p, problemsOf, withCompiler } from './compiler.ts'
import type { Law } from './laws.ts'

const TRUST = { capabilities: 'trust' } as const

const POLICY: Sources = {
  'p/p.rego': `package p

default decision := "no"

decision := "yes" if input.user in data.p.users

decision := "maybe" if {
	input.late
	input.sure
}

one := 1 if input.a

one := 2 if input.b
`,
  'p/data.json': '{"users":["ann"]}',
}

const TESTS: Sources = {
  ...POLICY,
  'p/p_test.rego': `package p_test

import data.p

test_yes if p.decision == "yes" with input as {"user": "ann"}

test_wrong if {
	print("asked for", "bob")
	p.decision == "yes" with input as {"user": "bob"}
}

test_conflict if p.one with input as {"a": 1, "b": 1}

todo_test_later if false

test_table[note] if {
	some note, user in {"known": "ann", "unknown": "eve"}
	p.decision == "yes" with input as {"user": user}
}

test_undefined if p.one
`,
}

const outcome = ({ name, outcome: what, file, row }: TestCase): unknown => [name, what, file, row]

export const testingLaws: readonly Law<CompilerSubject>[] = [
  {
    name: 'every test is reported with its outcome and place, in the same order each time',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const report = await compiler.test(TESTS, TRUST)
        expect(report.coverage).toBeUndefined()
        expect(report.tests.map(outcome)).toEqual([
          ['test_yes', 'pass', 'p/p_test.rego', 5],
          ['test_wrong', 'fail', 'p/p_test.rego', 7],
          ['test_conflict', 'error', 'p/p_test.rego', 12],
          ['todo_test_later', 'skip', 'p/p_test.rego', 14],
          ['test_table', 'fail', 'p/p_test.rego', 16],
          ['test_undefined', 'fail', 'p/p_test.rego', 21],
        ])
        expect(await compiler.test(TESTS, TRUST)).toEqual(report)
        expect(await compiler.test(POLICY, TRUST)).toEqual({ tests: [] })
      })
    },
  },
  {
    name: 'what did not pass says why: the row that does not hold, what was printed, the case, the error',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const { tests } = await compiler.test(TESTS, TRUST)
        const said = (name: string): string => tests.find((one) => one.name === name)?.message ?? ''
        expect(said('test_yes')).toBe('')
        expect(said('test_wrong')).toContain('9')
        expect(said('test_wrong')).toContain('asked for bob')
        expect(said('test_conflict')).toContain('p/p.rego:12')
        expect(said('test_table')).toContain('unknown')
      })
    },
  },
  {
    name: 'a filter picks tests by package and name',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const names = async (run: string): Promise<string[]> =>
          (await compiler.test(TESTS, { ...TRUST, run })).tests.map(({ name }) => name)
        expect(await names('test_(yes|wrong)$')).toEqual(['test_yes', 'test_wrong'])
        expect(await names('p_test\\.test_y')).toEqual(['test_yes'])
        expect(await names('nothing')).toEqual([])
        await problemsOf(compiler.test(TESTS, { ...TRUST, run: '(' }))
      })
    },
  },
  {
    name: 'coverage counts policy files and names the rows that no test reached',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const covered = async (sources: Sources) =>
          (await compiler.test(sources, { ...TRUST, coverage: true })).coverage
        const tests = (body: string): Sources => ({
          ...POLICY,
          'p/p_test.rego': `package p_test\n\nimport data.p\n\ntest_p if {\n${body}\n}\n`,
        })
        const some = await covered(tests('p.decision == "yes" with input as {"user": "ann"}'))
        expect(some?.files).toMatchObject([{ file: 'p/p.rego' }])
        const [file] = some!.files
        expect(file!.percent).toBeGreaterThan(0)
        expect(file!.percent).toBeLessThan(100)
        expect(some!.percent).toBe(file!.percent)
        const missed = file!.notCovered.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, i) => from + i),
        )
        expect(missed).toEqual(expect.arrayContaining([3, 7, 9, 12, 14]))
        expect(missed).not.toContain(5)
        const all = await covered(
          tests(`p.decision == "yes" with input as {"user": "ann"}
	p.decision == "no" with input as {}
	p.decision == "maybe" with input as {"late": 1, "sure": 1}
	p.one == 1 with input as {"a": 1}
	p.one == 2 with input as {"b": 1}`),
        )
        expect(all).toEqual({
          percent: 100,
          files: [{ file: 'p/p.rego', percent: 100, notCovered: [] }],
        })
        expect(await covered(p('decision := 1'))).toMatchObject({ percent: 0 })
      })
    },
  },
]
