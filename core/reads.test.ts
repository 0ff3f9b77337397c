/** What a decision rests on is checked when it commits, whatever else has the same name elsewhere. */
import { expect, test } from 'vitest'
import {
  ALLOW,
  type Kit,
  kit,
  notePlugin,
  type PolicyArgs,
  submission,
} from '../test/kernel/kit.ts'
import type { Json } from './json.ts'
import type { EffectKind, ReadPorts } from './plugin.ts'
import type { Stored } from './ports/store.ts'
import { RecordCache } from './reads.ts'
import { schema } from './schema.ts'

/** Its facts read `record`, then let somebody else overwrite it, once; the effect adds to the list. */
async function raced(
  record: string,
  effect: EffectKind,
  read?: (ports: ReadPorts) => Promise<void>,
) {
  let attempts = 0
  const made: { kit?: Kit } = {}
  const plugin = notePlugin({
    facts: async ({ payload }, ports) => {
      const found = (await ports.get(record)) ?? null
      await ports.get('list/1')
      await read?.(ports)
      if (attempts++ === 0) await overwrite(made.kit as Kit, record)
      return { claimed: payload.json(), evidence: { check: 'valid' }, record: found as Json }
    },
    effects: { 'note.add': effect },
  })
  const policy = () => ({ ...ALLOW, effects: [{ kind: 'note.add' }] })
  made.kit = await kit({ plugin, policy, auditor: 'note' })
  return { ...made.kit, attempts: () => attempts }
}

async function overwrite({ store }: Kit, sort: string): Promise<void> {
  const put = { partition: 'note', sort }
  await store.commit([{ writes: [{ put, value: new Uint8Array([0x31]), if: 'absent' }] }])
}

const kind = schema.object({ kind: schema.literal('note.add') })

test('a record that is named like a list that the decision adds to', async () => {
  const add: EffectKind = {
    onDeny: false,
    schema: kind,
    plan: () => ({ writes: [{ put: 'list/1', value: 1 }] }),
  }
  const { attempts, kernel } = await raced('list/', add)
  expect(await kernel.decide(submission())).toMatchObject({ allow: true })
  expect(attempts()).toBe(2)
})

test('a record that is named like a decision that is erased', async () => {
  const first = await kit()
  const { id } = await first.kernel.decide(submission())
  const row = (await first.store.get({ partition: '#decision', sort: id }))!
  const erase: EffectKind = { onDeny: false, schema: kind, plan: () => ({ erase: [id] }) }
  const { attempts, kernel, store, log } = await raced(id, erase, async ({ audit }) => {
    await audit?.decision(id)
  })
  const [leaf] = await first.log.leaves(1n, 1)
  const put = { partition: '#decision', sort: id }
  await store.commit([{ writes: [{ put, value: row.value, if: 'absent' }], leaf: leaf! }])
  expect(await log.size()).toBe(2n)
  expect(await kernel.decide(submission())).toMatchObject({ allow: true })
  expect(attempts()).toBe(2)
})

/** Its facts read a record of another plugin, which changes it in between, once. */
async function racedWithOther(before?: Uint8Array) {
  const put = { partition: 'other', sort: 'state' }
  const made: { kit?: Kit } = {}
  let attempts = 0
  const plugin = notePlugin({
    reads: ['other'],
    facts: async ({ payload }, ports) => {
      const seen = [await ports.getFrom('other', 'state'), await ports.getFrom('other', 'state')]
      if (attempts++ === 0) {
        const { store } = made.kit as Kit
        const version = (await store.get(put))?.version ?? 'absent'
        await store.commit([{ writes: [{ put, value: new Uint8Array([0x32]), if: version }] }])
      }
      const record = seen.map((value) => value ?? null)
      return { claimed: payload.json(), evidence: { check: 'valid' }, record }
    },
  })
  const records: Json[] = []
  const policy = ({ facts }: PolicyArgs) => {
    records.push(facts.record as Json)
    return ALLOW
  }
  made.kit = await kit({ plugin, policy })
  const { store } = made.kit
  if (before) await store.commit([{ writes: [{ put, value: before, if: 'absent' }] }])
  return { ...made.kit, records }
}

test('a record of another plugin that comes to be before the commit', async () => {
  const { kernel, records } = await racedWithOther()
  expect(await kernel.decide(submission())).toMatchObject({ allow: true })
  expect(records).toEqual([
    [null, null],
    [2, 2],
  ])
})

test('a record of another plugin that changes before the commit', async () => {
  const { kernel, records } = await racedWithOther(new Uint8Array([0x31]))
  expect(await kernel.decide(submission())).toMatchObject({ allow: true })
  expect(records).toEqual([
    [1, 1],
    [2, 2],
  ])
})

test('a plugin that it does not name is not read', async () => {
  const plugin = notePlugin({
    reads: ['other'],
    facts: async (_, ports) => {
      await ports.getFrom('third', 'state')
      return { claimed: null, evidence: { check: 'valid' }, record: null }
    },
  })
  const { kernel } = await kit({ plugin })
  expect(await kernel.decide(submission())).toMatchObject({
    allow: false,
    reasons: [{ code: 'kernel/plugin_failed' }],
  })
})

test('parsed records are kept up to a number of bytes, the last ones longest', () => {
  const cache = new RecordCache()
  const value = new TextEncoder().encode(JSON.stringify(['x'.repeat(1_000_000)]))
  const record = (i: number): Stored => ({
    key: { partition: 'p', sort: `${i}` },
    version: '1',
    value,
  })
  const parsed = Array.from({ length: 200 }, (_, i) => cache.value(record(i)))
  expect(cache.value(record(199))).toBe(parsed[199])
  const kept = parsed.filter((known, i) => cache.value(record(i)) === known)
  expect(kept.length).toBeLessThan(64)
})
