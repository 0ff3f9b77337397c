/** Cases of node tasks as others may write them, through the runner. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { FIXTURES_ABSENT, fixture } from '../fixtures.ts'
import { compiler } from '../rego.ts'
import { Platform, START } from '../task/platform.ts'
import { CaseFileError } from './kind.ts'
import { runCases } from './runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-tasks-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterAll(() => compiler.close())

const platform = new Platform()
const [a, b] = [platform.key('a'), platform.key('b')]
const json = (text: string): Json => JSON.parse(text) as Json
const sets = [
  platform.set(1, [a.active, b.preActive]),
  platform.set(2, [a.grace(START + 50), b.active]),
]

async function run(
  content: object,
): Promise<{ readonly passed: number; readonly printed: readonly string[] }> {
  const path = join(folder, 'cases.json')
  const given = { verifier_root: { x: platform.root.x }, verifier_set_envelopes: sets.map(json) }
  writeFileSync(path, JSON.stringify({ ...given, ...content }))
  const printed: string[] = []
  const { failed, passed } = await runCases('task', path, (line) => printed.push(line))
  expect(failed).toBe(printed.length)
  return { passed, printed }
}
const about = { node_id: 'node-7', now: START, verifier_set_version: 1 }
const task = (
  name: string,
  text: string,
  expected: string,
  reason?: string,
  more = {},
): object => ({
  ...{ ...about, envelope: json(text), expect: expected, name, reason },
  ...more,
})

const shared = fixture('task', 'tasks.json')
test.skipIf(shared === undefined)(
  shared === undefined ? FIXTURES_ABSENT : 'the shared ones come out as they should',
  { timeout: 120_000 },
  async () => {
    const printed: string[] = []
    const { passed } = await runCases('task', shared as string, (line) => printed.push(line))
    expect(printed).toEqual([])
    expect(passed).toBeGreaterThan(50)
  },
)

test('a case that comes out otherwise is named, and the others go on', {
  timeout: 60_000,
}, async () => {
  const good = platform.task('t', [a])
  const unnamed = platform.task('t', [a], {}, { keyids: false })
  const { passed, printed } = await run({
    tasks: [
      task('right', good, 'accept'),
      task('wrong verdict', good, 'refuse'),
      task('wrong reason', platform.task('t', [b]), 'refuse', 'key_retired'),
      task('no such set', good, 'accept', undefined, { verifier_set_version: 7 }),
      task('used', good, 'refuse', 'replayed', { seen_task_ids: ['t'] }),
      task('strict', unnamed, 'accept', undefined, {
        ...{ strict_expect: 'refuse', strict_reason: 'keyid_missing' },
      }),
      task('not so strict', unnamed, 'accept', undefined, { strict_expect: 'accept' }),
    ],
    ingest: [
      { envelope: json(sets[1] ?? ''), expect: 'accept', have_version: 1, name: 'next' },
      { envelope: json(sets[0] ?? ''), expect: 'accept', have_version: 2, name: 'back' },
    ],
  })
  expect(passed).toBe(4)
  expect(printed).toEqual([
    'wrong verdict: expected refuse, got accept',
    'wrong reason: expected refuse (key_retired), got refuse (key_not_active)',
    expect.stringMatching(/^no such set: expected accept, got none \(/),
    'not so strict: expected accept, got strictly refuse (keyid_missing)',
    'back: expected accept, got refuse (verifier_set_rollback)',
  ])
})

test('bounds are those of the file', { timeout: 60_000 }, async () => {
  const long = platform.task('t', [a], { expires_at: START + 5000 })
  const ahead = platform.task('t', [a], { issued_at: START + 20, expires_at: START + 40 })
  const tasks = [task('long', long, 'accept'), task('ahead', ahead, 'refuse', 'not_yet_valid')]
  const { printed } = await run({ max_clock_ahead: 10, max_task_ttl: 6000, tasks })
  expect(printed).toEqual([])
})

test('moves between states are asked of the policies', { timeout: 60_000 }, async () => {
  const states = ['none', 'pre-active', 'active']
  const allowed = { none: ['pre-active', 'active!'], 'pre-active': [], active: ['none'] }
  const { printed } = await run({ tasks: [], transitions: { allowed, states } })
  expect(printed).toEqual([
    'pre-active to active: expected refuse, got allow',
    'active to none: expected allow, got refuse',
  ])
})

test('a file without cases is not judged', async () => {
  await expect(run({ verifier_root: {} })).rejects.toThrow(CaseFileError)
})
