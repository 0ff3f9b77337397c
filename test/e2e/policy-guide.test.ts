/** The steps of docs/policy-guide.md, carried out in a fresh clone of what is committed. What must come of them is asserted here. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { root } from '../source.ts'
import { readSteps, type Said, Session } from './readme.ts'

describe('the policy guide', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'assay-guide-'))
  const clone = join(scratch, 'assay')
  execFileSync('git', ['clone', '--quiet', root, clone])
  // clone.test.ts installs for real; here the packages of this checkout will do.
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  const page = readFileSync(join(clone, 'docs', 'policy-guide.md'), 'utf8')
  const steps = readSteps(page)
  const session = new Session(clone, scratch)
  const said = new Map<string, Said>()

  afterAll(async () => {
    await session.close()
    rmSync(scratch, { recursive: true })
  })

  test('has every step, and no block of commands that is none', () => {
    expect(steps.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'start serve',
      'paste decide',
      'run draft',
      'run write',
      'run check-wrong',
      'run check',
      'run table',
      'run test',
      'run explain',
      'run diff',
      'run bench',
      'run rollout',
      'paste decide-again',
      'run explain-denial',
      'stop stop',
    ])
    const blocks = page.match(/^```sh$/gm) ?? []
    expect(steps.filter((step) => 'script' in step)).toHaveLength(blocks.length)
  })

  for (const step of steps)
    test(`${step.kind} ${step.name}`, { timeout: 300_000 }, async () => {
      said.set(step.name, await session.carryOut(step))
      EXPECTED[step.name]?.(said.get(step.name)!.output)
    })

  const EXPECTED: Readonly<Record<string, (output: string) => void>> = {
    decide: (output) => expect(output).toContain('{"decision":true}'),
    'check-wrong': (output) => expect(shown(output)).toEqual(shown(blockAfter('check-wrong'))),
    check: (output) => expect(output).toContain('no problems'),
    table: (output) => expect(output).toContain('4 of 4 tests passed'),
    test: (output) => {
      expect(output).toMatch(/^(\d+) of \1 reasons reached$/m)
      const xml = readFileSync(join(clone, 'tests.xml'), 'utf8')
      expect(xml.match(/name="what is on hold is refused"/g)).toHaveLength(2)
    },
    explain: (output) => expect(output).toMatch(/access\/\w+\.rego:\d+:\d+ /),
    'explain-denial': (output) => {
      expect(output).toMatch(/Look here first:\n {2}hold\.rego:9:2 /)
      expect(output).toMatch(/on_hold[\s\S]*hold\.rego:3:1/)
    },
    diff: (output) => {
      expect(shown(output).slice(0, -1)).toEqual(shown(blockAfter('diff')))
      const html = readFileSync(join(clone, 'change.html'), 'utf8')
      expect(html).toContain('allow -&gt; DENY')
      expect(html).not.toContain('train-7')
    },
    bench: (output) => expect(output).toMatch(/engine\/jit +\d+ a second/),
    rollout: (output) => {
      expect(output).toContain('the server at http://127.0.0.1:8181 decides with sha256:')
    },
    'decide-again': (output) => expect(output).toContain('{"decision":false}'),
  }

  /** The text that the page shows below a step. */
  function blockAfter(name: string): string {
    const from = page.indexOf(`e2e: run ${name} `)
    const start = page.indexOf('```text\n', from) + '```text\n'.length
    return page.slice(start, page.indexOf('\n```', start))
  }
})

/** Lines with something on them. */
function shown(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}
