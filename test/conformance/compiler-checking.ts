/** The laws of compilers on sources that are wrong, and on formatting. */
import { expect } from 'vitest'
import type { Problem, Sources } from '../../core/ports/compiler.ts'
import { BUILD, type CompilerSubject, p, problemsOf, withCompiler } from './compiler.ts'
import type { Law } from './laws.ts'

/** Outside of `trust`, with arguments of the right types. */
const FORBIDDEN: readonly string[] = [
  'time.now_ns()',
  'rand.intn("seed", 10)',
  'uuid.rfc4122("seed")',
  'http.send({"method": "get", "url": "http://127.0.0.1"})',
  'net.lookup_ip_addr("localhost")',
  'opa.runtime()',
  'io.jwt.decode("a.b.c")',
  'crypto.sha256("a")',
  'rego.parse_module("a", "package a")',
  'crypto.hmac.sha256("a", "b")',
  'io.jwt.verify_hs256("a.b.c", "key")',
  'time.parse_rfc3339_ns("2026-01-01T00:00:00Z")',
  'no_such_function(1)',
]

interface Mistake {
  readonly sources: Sources
  readonly at: Partial<Problem>
}

/** What neither a build nor a check takes. */
const MISTAKES: Readonly<Record<string, Mistake>> = {
  'a text that does not parse': {
    sources: p('decision := }'),
    at: { file: 'p/p.rego', row: 3 },
  },
  'a name that nothing defines': {
    sources: p('decision := 1 if nothing'),
    at: { file: 'p/p.rego', row: 3, col: 18 },
  },
  'types that cannot be equal': {
    sources: p('decision := 1 if 1 == "a"'),
    at: { file: 'p/p.rego', row: 3, col: 18 },
  },
  'the old language': {
    sources: p('decision { input.x }'),
    at: { file: 'p/p.rego', row: 3 },
  },
  recursion: {
    sources: p('decision if other\n\nother if decision'),
    at: { file: 'p/p.rego' },
  },
  'an empty file': { sources: { 'p/p.rego': '' }, at: { file: 'p/p.rego', row: 1, col: 1 } },
  'half a surrogate pair': { sources: p('decision := "\ud800"'), at: { file: 'p/p.rego' } },
  'a zero byte': { sources: p('decision := "a\0"'), at: { file: 'p/p.rego', row: 3 } },
  'a rule in the place of an operator': {
    sources: p('decision := 4 / 2\n\ndiv(a, b) := a if b'),
    at: { file: 'p/p.rego', row: 5, col: 1 },
  },
  'a package in the place of data': {
    sources: { ...p('decision := 1'), 'p/data.json': '{"decision":2}' },
    at: { file: 'p/p.rego', row: 3 },
  },
  'data in two files': {
    sources: { ...p('decision := 1'), 'data.json': '{"q":{"a":1}}', 'q/data.json': '{"a":2}' },
    at: { file: 'q/data.json' },
  },
  'data that is no JSON': {
    sources: { ...p('decision := 1'), 'q/data.json': '{"a":1,}' },
    at: { file: 'q/data.json' },
  },
  'data with a name twice': {
    sources: { ...p('decision := 1'), 'q/data.json': '{"a":1,"a":2}' },
    at: { file: 'q/data.json' },
  },
  'data at the root that is no object': {
    sources: { ...p('decision := 1'), 'data.json': '[]' },
    at: { file: 'data.json' },
  },
  'a file that nobody would read': {
    sources: { ...p('decision := 1'), 'p/roles.json': '{}' },
    at: { file: 'p/roles.json' },
  },
  'a path out of the folder': {
    sources: { ...p('decision := 1'), '../q.rego': 'package q' },
    at: { file: '../q.rego' },
  },
  'an absolute path': {
    sources: { ...p('decision := 1'), '/q.rego': 'package q' },
    at: { file: '/q.rego' },
  },
}

export const checkingLaws: readonly Law<CompilerSubject>[] = [
  {
    name: 'a mistake is a problem with its place, in builds, checks and tests alike',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        for (const [name, { sources, at }] of Object.entries(MISTAKES)) {
          const checked = await compiler.check(sources, BUILD)
          expect(checked[0], name).toMatchObject(at)
          expect((await problemsOf(compiler.build(sources, BUILD)))[0], name).toMatchObject(at)
          await problemsOf(compiler.test(sources, BUILD))
          for (const { code, message } of checked) {
            expect(code, name).toMatch(/^[a-z][a-z0-9_]*$/)
            expect(message.length, name).toBeGreaterThan(5)
          }
        }
        expect(await compiler.check(p('decision := 1'), BUILD)).toEqual([])
      })
    },
  },
  {
    name: 'mistakes of all files are reported together',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const sources = { 'a.rego': 'package a\n\nx := {', 'b.rego': 'package b\n\n\ny := }' }
        const found = await compiler.check(sources, BUILD)
        const files = new Set(found.map(({ file, row }) => `${file}:${row}`))
        expect([...files].sort()).toEqual(['a.rego:3', 'b.rego:4'])
      })
    },
  },
  {
    name: 'a function outside of the capabilities is refused where it is called',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        for (const call of FORBIDDEN) {
          const sources = p(`# a comment\ndecision := x if x := ${call}`)
          const at = { file: 'p/p.rego', row: 4, col: 23 }
          expect((await compiler.check(sources, BUILD))[0], call).toMatchObject(at)
          expect((await problemsOf(compiler.build(sources, BUILD)))[0], call).toMatchObject(at)
          await problemsOf(compiler.test(sources, BUILD))
        }
        const compat = { ...BUILD, capabilities: 'compat' } as const
        const lax = p('decision := crypto.sha256("a")')
        expect(await compiler.check(lax, compat)).toEqual([])
        expect(await compiler.check(p('decision := time.now_ns()'), compat)).toEqual([])
        expect(await compiler.check(p('decision := http.send({})'), compat)).toHaveLength(1)
      })
    },
  },
  {
    name: 'a check is strict, and prints are for tests',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const unused = p('decision := 1 if {\n\tx := 1\n}')
        expect(await compiler.check(unused, BUILD)).toMatchObject([{ file: 'p/p.rego', row: 4 }])
        const imported = { 'p/p.rego': 'package p\n\nimport data.q\n\ndecision := 1\n' }
        expect(await compiler.check(imported, BUILD)).toMatchObject([{ row: 3 }])
        const printing = p('decision := 1 if print("seen", input.x)')
        expect(await compiler.check(printing, BUILD)).toEqual([])
        const { plan } = await compiler.build(printing, BUILD)
        expect(JSON.stringify(plan)).not.toContain('print')
      })
    },
  },
  {
    name: 'a schema finds what the input does not have',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const annotated = (body: string): Sources =>
          p(`# METADATA\n# schemas:\n#   - input: schema.facts\ndecision := 1 if ${body}`)
        const facts = {
          type: 'object',
          properties: { subject: { type: 'object', properties: { id: { type: 'string' } } } },
          additionalProperties: false,
        }
        const check = (sources: Sources): Promise<readonly Problem[]> =>
          compiler.check(sources, { ...BUILD, schemas: { 'schema.facts': facts } })
        expect(await check(annotated('input.subject.id == "a"'))).toEqual([])
        const missing = await check(annotated('input.subjekt.id == "a"'))
        expect(missing).toMatchObject([{ file: 'p/p.rego', row: 6 }])
        expect(await check(annotated('input.subject.id == 1'))).toHaveLength(1)
        expect(await compiler.check(annotated('input.x'), BUILD)).toHaveLength(1)
        const remote = { 'schema.facts': { $ref: 'http://127.0.0.1:9/facts.json' } }
        const elsewhere = compiler.check(annotated('input.x'), { ...BUILD, schemas: remote })
        expect(await elsewhere).toHaveLength(1)
        await compiler
          .check(p('decision := 1'), { ...BUILD, schemas: { facts } })
          .then((found) => expect(found).toHaveLength(1))
      })
    },
  },
  {
    name: 'formatting formats every module, changes nothing twice, and refuses what does not parse',
    async run(subject) {
      await withCompiler(subject, async (compiler) => {
        const rough: Sources = {
          'p/p.rego': 'package p\ndecision  :=  { "a":1 }   # why\nother if {input.x;input.y}',
          'p/p_test.rego': 'package p_test\ntest_p   if   true',
          'data.json': '{ "x" : 1 }',
        }
        const formatted = await compiler.format(rough)
        expect(Object.keys(formatted).sort()).toEqual(['p/p.rego', 'p/p_test.rego'])
        expect(formatted['p/p.rego']).toBe(
          'package p\n\ndecision := {"a": 1} # why\n\nother if {\n\tinput.x\n\tinput.y\n}\n',
        )
        expect(await compiler.format(formatted)).toEqual(formatted)
        const before = await compiler.build(rough, BUILD)
        const after = await compiler.build({ ...rough, ...formatted }, BUILD)
        expect(after.entrypoints).toEqual(before.entrypoints)
        const [problem] = await problemsOf(compiler.format(p('decision := }')))
        expect(problem).toMatchObject({ file: 'p/p.rego', row: 3 })
      })
    },
  },
]
