import { afterEach, expect, test } from 'vitest'
import { DENY, type Kit, kit, notePlugin, submission } from '../../test/kernel/kit.ts'
import { decisionKey, decodeStored, encodeStored } from '../decision.ts'
import type { Plugin } from '../plugin.ts'
import { pastDecision } from './past.ts'

let opened: Kit
afterEach(() => opened.kernel.close())
const note = notePlugin() as Plugin

async function decided(): Promise<string> {
  opened = await kit({ policy: () => DENY })
  const { action, payload } = submission('note.read', { by: 'alice' })
  const peer = { kind: 'user', id: 'ada' }
  return (await opened.kernel.decide({ action, payload, peer })).id
}

test('a plugin reads its own decision back', async () => {
  const id = await decided()
  expect(await pastDecision(opened.store, note, id)).toEqual({
    action: 'note.read',
    payload: '{"by":"alice"}',
    peer: { id: 'ada', kind: 'user' },
    verdict: DENY,
  })
})

test('and no other', async () => {
  const id = await decided()
  const other = { ...note, name: 'other', actions: ['other.read'] }
  expect(await pastDecision(opened.store, other, id)).toBeUndefined()
  for (const name of ['', 'x', id.slice(1), `${id}0`, '0'.repeat(32), `../${id}`])
    expect(await pastDecision(opened.store, note, name)).toBeUndefined()
})

test('and not one that was erased', async () => {
  const id = await decided()
  const row = (await opened.store.get(decisionKey(id)))!
  const value = encodeStored({ hash: decodeStored(row.value).hash })
  const writes = [{ put: row.key, value, if: row.version }]
  expect(await opened.store.commit([{ writes }])).toEqual([{}])
  expect(await pastDecision(opened.store, note, id)).toBeUndefined()
})
