/** What a plugin refuses before it becomes a decision costs a count, not a leaf. */
import { expect, test } from 'vitest'
import { openMemory } from '../adapters/store/memory/index.ts'
import { kit, notePlugin, submission } from '../test/kernel/kit.ts'

const signedOnly = notePlugin({
  screen: ({ payload }) => (payload.text.includes('signed by') ? undefined : 'unsigned'),
})
const forged = submission('note.read', { by: 'mallory' })
const signed = submission('note.read', { by: 'signed by alice' })

test('it is refused, in a dry run too, and counted by action and code', async () => {
  const memory = openMemory()
  const { kernel, leaves } = await kit({ ...memory, plugin: signedOnly, limits: { windowMs: 20 } })
  await expect(kernel.decide(forged)).rejects.toMatchObject({ code: 'refused' })
  await expect(kernel.check(forged)).rejects.toMatchObject({ code: 'refused' })
  await expect
    .poll(async () => (await leaves()).filter(({ type }) => type === 'assay.counts/v1'))
    .toMatchObject([{ counts: [{ source: 'note.read', code: 'unsigned', count: 2 }] }])
  expect((await leaves()).filter(({ action }) => action === 'note.read')).toEqual([])
  await kernel.close()
})

test('what it lets through is decided', async () => {
  const { kernel, leaves } = await kit({ plugin: signedOnly })
  expect(await kernel.decide(signed)).toMatchObject({ allow: true })
  expect((await leaves()).at(-1)).toMatchObject({ action: 'note.read' })
})

test('one that throws lets nothing through', async () => {
  const plugin = notePlugin({ screen: () => Promise.reject(new Error('broken')) })
  const { kernel, log } = await kit({ plugin })
  const before = await log.size()
  await expect(kernel.decide(signed)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await log.size()).toBe(before)
})
