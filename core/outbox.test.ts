/** What can go wrong between a commit and a delivery. */
import { expect, test } from 'vitest'
import { openMemory } from '../adapters/store/memory/index.ts'
import { storeWith } from '../test/conformance/store/delegate.ts'
import { ALLOW, kit, notePlugin, submission } from '../test/kernel/kit.ts'
import { PARTITION } from './decision.ts'
import type { Json } from './json.ts'
import type { Outbound } from './ports/outbound.ts'
import { schema } from './schema.ts'

function mailer(): Outbound & { readonly got: Json[] } {
  const got: Json[] = []
  return { name: 'mail', kinds: ['mail'], got, perform: async ({ body }) => got.push(body) }
}
const sending = () => ({ ...ALLOW, effects: [{ kind: 'note.send' }] })

test('a store that cannot be listed for a while delivers later', async () => {
  const { log, store } = openMemory()
  let failures = 2
  const failing = storeWith(store, {
    async *list(partition, prefix, after) {
      if (partition === PARTITION.outbox && failures-- > 0) throw new Error('not now')
      yield* store.list(partition, prefix, after)
    },
  })
  const mail = mailer()
  const { kernel } = await kit({ log, store: failing, outbound: [mail], policy: sending })
  await kernel.decide(submission())
  await expect.poll(() => mail.got, { timeout: 5000 }).toEqual([{ to: 'ops' }])
  expect(failures).toBeLessThan(0)
  await kernel.close()
})

test('an entry is not delivered without the signatures that it names', async () => {
  const mail = mailer()
  const plugin = notePlugin({
    effects: {
      'note.send': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.send') }),
        plan: () => ({ outbox: [{ kind: 'mail', body: {}, signatures: ['misspelt'] }] }),
      },
    },
  })
  const { kernel } = await kit({ plugin, outbound: [mail], policy: sending })
  expect(await kernel.decide(submission())).toMatchObject({
    allow: false,
    reasons: [{ code: 'kernel/effect_failed' }],
  })
  await kernel.close()
  expect(mail.got).toEqual([])
})

test('a long one leaves others their turn while it is listed', async () => {
  const { log, store } = openMemory()
  let turns = 0
  let counting = true
  const count = (): void => {
    turns++
    if (counting) setImmediate(count)
  }
  count()
  const passes: { readonly rows: number; readonly turns: number }[] = []
  const watched = storeWith(store, {
    async *list(partition, prefix, after) {
      const before = turns
      let rows = 0
      for await (const row of store.list(partition, prefix, after)) {
        rows++
        yield row
      }
      if (partition === PARTITION.outbox) passes.push({ rows, turns: turns - before })
    },
  })
  const mail: Outbound = { ...mailer(), perform: () => Promise.withResolvers<Json>().promise }
  const { kernel } = await kit({ log, store: watched, outbound: [mail], policy: sending })
  for (let i = 0; i < 6; i++)
    await Promise.all(Array.from({ length: 100 }, () => kernel.decide(submission())))
  await expect.poll(() => passes.at(-1)?.rows, { timeout: 5000 }).toBe(600)
  expect(passes.at(-1)?.turns).toBeGreaterThanOrEqual(4)
  counting = false
})
