/** A changed rule beside the live one, over real policies: what the shadow counted, what a replay finds, and what the command prints. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXAMPLE_STATE, OWN_POLICIES } from '../../adapters/config/complete.ts'
import type { Replay } from '../../adapters/shadow/replay.ts'
import type { Comparison } from '../../adapters/shadow/report.ts'
import { run } from '../../cli/run.ts'
import { othersMayRead, readCheckpoints } from '../checkpoints.ts'
import { Place } from '../composed.ts'

const CHECKPOINTS = { 'ckpt-7-0041': 3, 'ckpt-7-0042': 2, 'ckpt-9-0003': 1 }
/** Ada may no longer read what lies on her own workload, and may read what lies on others'. */
const ASKED = 6

let place: Place
let shadow: string
const ids = new Map<string, string>()

async function text(...args: string[]): Promise<string> {
  let stdout = ''
  const writer = { write: (part: string) => (stdout += part) }
  const nothing = { write: () => undefined }
  expect(await run(args, { stdout: writer, stderr: nothing, env: {} })).toBe(0)
  return stdout
}

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await text(...args, '--json')) as T
}

beforeAll(async () => {
  place = await Place.make()
  shadow = join(place.folder, 'shadow')
  othersMayRead(shadow)

  const policies = { source: 'folder', dir: OWN_POLICIES, shadow, watch: false }
  const { kernel } = await place.start(JSON.stringify({ policies, state: EXAMPLE_STATE }))
  for (const [checkpoint, { allow, id }] of await readCheckpoints(kernel, CHECKPOINTS)) {
    ids.set(id, checkpoint)
    if (checkpoint === 'ckpt-7-0041') expect(allow).toBe(true)
  }
  await place.stop()
}, 60_000)
afterAll(() => place.remove())

const where = (): string[] => ['--data', place.data, '--config', join(place.folder, 'assay.yaml')]

function flips({ differences }: Comparison): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { change, count, examples } of differences)
    for (const resource of new Set(examples.map((id) => ids.get(id) ?? 'unknown')))
      found[`${resource} ${change}`] = count
  return found
}

const EXPECTED = {
  'ckpt-7-0041 allow_to_deny': 3,
  'ckpt-7-0042 reasons': 2,
  'ckpt-9-0003 deny_to_allow': 1,
}

describe('the report', () => {
  test('of the shadow has every flip, by rule, with examples', async () => {
    const { comparisons } = await json<{ comparisons: Comparison[] }>(
      'shadow',
      'report',
      ...where(),
    )
    expect(comparisons).toHaveLength(1)
    const [comparison] = comparisons as [Comparison]
    expect(comparison).toMatchObject({ compared: ASKED, dropped: 0 })
    expect(comparison.policy).not.toBe(comparison.shadow)
    expect(flips(comparison)).toEqual(EXPECTED)
    const [most] = comparison.differences
    expect(most).toMatchObject({ share: 0.5, shadow: [{ code: 'not_owner' }] })
    // Policies that differ in their data only have different names too.
    const name = 'sha256:[0-9a-f]{12} with data sha256:[0-9a-f]{12}'
    const heading = new RegExp(`^${name} -> ${name}: ${ASKED} compared, 4 flips, 0 dropped\n`)
    expect(await text('shadow', 'report', ...where())).toMatch(heading)
  })

  test('of a replay finds the same in the log', async () => {
    const replayed = await json<Replay>('shadow', 'replay', '--policies', shadow, ...where())
    expect(replayed.notReplayable).toBe(0)
    const evaluated = replayed.comparisons.flatMap(({ differences }) => differences)
    expect(evaluated.every(({ action }) => action === 'access.evaluate')).toBe(true)
    expect(replayed.comparisons.map(flips)).toEqual([EXPECTED])
    const last = await json<Replay>(
      'shadow',
      'replay',
      '--policies',
      shadow,
      '--last',
      '1',
      ...where(),
    )
    expect(last.replayed).toBe(1)
    expect(last.comparisons.map(flips)).toEqual([{ 'ckpt-9-0003 deny_to_allow': 1 }])
  })

  test('of a replay under the same policy finds nothing', async () => {
    const replayed = await json<Replay>('shadow', 'replay', '--policies', OWN_POLICIES, ...where())
    expect(replayed.comparisons.flatMap(({ differences }) => differences)).toEqual([])
    expect(replayed.replayed).toBeGreaterThan(ASKED)
  })
})
