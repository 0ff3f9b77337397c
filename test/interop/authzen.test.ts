/**
 * AuthZEN 1.0 from outside: the certification and interoperability requests of the shared fixtures against `bin/assay serve` with the
 * example's configuration. Search comes later, so its cases are listed here one by one, and each of them must fail: one that passes
 * has to leave the list.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { Server } from '../server.ts'
import { root } from '../source.ts'

const SEARCH_CASES = [
  'c-4-2-1 c-4-2-2 c-4-2-3 c-4-2-4 c-4-3-1 c-4-3-2 c-4-3-3 c-4-3-4 c-4-4-1 c-4-4-2 c-4-4-3 c-4-5-1',
  'c-4-6-1 c-4-6-2 c-4-7-1.1 c-4-7-1.2 c-4-7-1.3 c-4-7-2.1 c-4-7-2.2 c-4-7-2.3',
  'c-5-5-resource c-5-5-subject',
].flatMap((line) => line.split(' '))

interface Run {
  readonly failures: readonly string[]
  readonly tally: Readonly<Record<string, { pass: number; fail: number }>>
}

/** What the runner prints: a line for each failure, and a tally as the last one. */
function runCases(runner: string, ...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [runner, ...args], { maxBuffer: 1 << 24 }, (_error, stdout) => {
      const lines = stdout.trim().split('\n')
      const tally = JSON.parse(lines.pop() ?? '') as Run['tally']
      resolve({ failures: lines.filter((line) => line.startsWith('FAIL ')), tally })
    })
  })
}

test('certification, Todo and API gateway pass but for search', {
  timeout: 120_000,
}, async (ctx) => {
  const runner = fixture('authzen', 'run.mjs')
  if (runner === undefined) return ctx.skip(FIXTURES_ABSENT)
  const data = mkdtempSync(join(tmpdir(), 'assay-authzen-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const server = new Server({ data, config: join(root, 'examples', 'authzen', 'assay.yaml') })
  onTestFinished(async () => {
    await server.stop()
  })
  const url = await server.ready
  const suites = ['cert', 'todo', 'gateway', '--allow-http-metadata', '--strict']
  const { failures, tally } = await runCases(runner, url, ...suites)
  console.log('AuthZEN', JSON.stringify(tally))
  const failed = failures.map((line) => line.split(' ')[2] ?? line)
  expect(failed.sort()).toEqual(SEARCH_CASES.toSorted())
  expect(tally).toMatchObject({ todo: { pass: 43, fail: 0 }, gateway: { pass: 25, fail: 0 } })
})
