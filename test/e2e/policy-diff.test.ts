/** `assay policy diff --replay` on real decisions under real policies: what flips, what cannot be decided again, and what stays untold. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXAMPLE_STATE, OWN_POLICIES } from '../../adapters/config/complete.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { PolicyDiff } from '../../cli/policy/diff.ts'
import { decisionKey, decodeStored, encodeStored } from '../../core/decision.ts'
import { othersMayRead, readCheckpoints } from '../checkpoints.ts'
import { assay, type Ran } from '../command.ts'
import { Place } from '../composed.ts'

const ASKED = { 'ckpt-7-0041': 3, 'ckpt-7-0042': 2, 'ckpt-9-0003': 2 }
/** In every input, and in no answer. */
const SECRET = 'train-7'

let place: Place
let next: string
const ids: Record<string, string[]> = {}

beforeAll(async () => {
  place = await Place.make()
  next = join(place.folder, 'next')
  othersMayRead(next)
  const policies = { source: 'folder', dir: OWN_POLICIES, watch: false }
  const { kernel } = await place.start(JSON.stringify({ policies, state: EXAMPLE_STATE }))
  for (const [checkpoint, { id }] of await readCheckpoints(kernel, ASKED))
    ids[checkpoint] = [...(ids[checkpoint] ?? []), id]
  await place.stop()
  await erase(ids['ckpt-9-0003']![1]!)
}, 120_000)
afterAll(() => place.remove())

/** As the plugin audit does it: the openings go, the rest stays. */
async function erase(id: string): Promise<void> {
  const { store, log } = await openSqlite({ path: place.database })
  const row = await store.get(decisionKey(id))
  const { hash } = decodeStored(row!.value)
  await store.commit([
    { writes: [{ put: row!.key, value: encodeStored({ hash }), if: row!.version }] },
  ])
  await log.close()
  await store.close()
}

function diff(old: string, after: string, ...args: string[]): Promise<Ran> {
  const config = join(place.folder, 'assay.yaml')
  return assay('policy', 'diff', old, after, '--replay', place.data, '--config', config, ...args)
}

describe('a replay under two policies', () => {
  test('lists what flips first, then other changes, by action and reasons', {
    timeout: 120_000,
  }, async () => {
    const page = join(place.folder, 'page.html')
    const { code, stdout } = await diff(OWN_POLICIES, next, '--json', '--html', page)
    expect(code).toBe(1)
    const { replay } = JSON.parse(stdout) as Required<PolicyDiff>
    expect(replay.flips.map(({ change, count, examples }) => [change, count, examples])).toEqual([
      ['allow_to_deny', 3, ids['ckpt-7-0041']],
      ['deny_to_allow', 1, ids['ckpt-9-0003']!.slice(0, 1)],
      ['reasons', 2, ids['ckpt-7-0042']],
    ])
    expect(replay.flips[0]).toMatchObject({
      action: 'access.evaluate',
      before: [{ code: 'role_permitted', rule: 'assay.access.evaluate.grant' }],
      after: [{ code: 'not_owner', rule: 'assay.access.abac.deny' }],
    })
    expect(replay.drifted).toBe(0)
    expect(replay.notReplayed).toEqual([
      { why: 'erased', count: 1, examples: ids['ckpt-9-0003']!.slice(1) },
    ])
    const html = readFileSync(page, 'utf8')
    for (const id of ids['ckpt-7-0041']!) expect(html).toContain(id)
    expect(stdout + html).not.toContain(SECRET)
  })

  test('says the same in words, and shows inputs when told to', { timeout: 120_000 }, async () => {
    const page = join(place.folder, 'page.html')
    const { code, stdout } = await diff(OWN_POLICIES, next, '--html', page, '--show-inputs')
    expect(code).toBe(1)
    expect(stdout).toContain('4 flip\n')
    expect(stdout.indexOf('allow -> DENY  3')).toBeLessThan(stdout.indexOf('deny -> ALLOW  1'))
    expect(stdout).toContain('1 not decided again: what they were made of was erased')
    expect(stdout).toContain(`"id":"${SECRET}"`)
    expect(readFileSync(page, 'utf8')).toContain(`&quot;id&quot;: &quot;${SECRET}&quot;`)
  })

  test('is 0 when nothing flips, and says when the first policy is not the one on record', {
    timeout: 120_000,
  }, async () => {
    const { code, stdout } = await diff(next, next, '--last', '3', '--json')
    expect(code).toBe(0)
    const { replay } = JSON.parse(stdout) as Required<PolicyDiff>
    expect(replay).toMatchObject({ flips: [], replayed: 2, drifted: 1 })
  })
})
