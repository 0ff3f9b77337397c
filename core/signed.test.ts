/** Signatures of one version that a policy names, and records that keep their signatures. */
import { expect, test } from 'vitest'
import { ALLOW, kit, notePlugin, submission } from '../test/kernel/kit.ts'
import type { Plugin } from './plugin.ts'
import { schema } from './schema.ts'

function keeping(version: number, signatures: readonly string[], value: object | string): Plugin {
  return notePlugin({
    effects: {
      'note.sign': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.sign') }),
        plan: () => ({
          signatures: [
            {
              name: 'token',
              scope: 'cell',
              key: 'cell',
              version,
              purpose: 'note.token',
              message: new TextEncoder().encode('signed'),
            },
          ],
          writes: [{ put: 'record', value: value as never, signatures }],
        }),
      },
    },
  }) as Plugin
}

async function asked(plugin: Plugin) {
  const { kernel, store } = await kit({
    plugin: plugin as never,
    policy: () => ({ ...ALLOW, effects: [{ kind: 'note.sign' }] }),
  })
  const decision = await kernel.decide(submission())
  const stored = await store.get({ partition: 'note', sort: 'record' })
  await kernel.close()
  return { decision, record: stored && JSON.parse(new TextDecoder().decode(stored.value)) }
}

test('a record keeps the signature that the caller gets', async () => {
  const { decision, record } = await asked(keeping(1, ['token'], { text: 'signed' }))
  const { token } = decision.output as { readonly token: string }
  expect(record).toEqual({ signatures: { token }, text: 'signed' })
})

test('another version than the one that is active does not sign', async () => {
  const { decision, record } = await asked(keeping(2, ['token'], {}))
  expect(decision).toMatchObject({ allow: false, reasons: [{ code: 'kernel/signing_failed' }] })
  expect(record).toBeUndefined()
})

test.each<[string, readonly string[], object | string]>([
  ['a signature that nobody asked for', ['misspelt'], {}],
  ['what cannot carry one', ['token'], 'text'],
])('%s is not kept', async (_, signatures, value) => {
  const { decision, record } = await asked(keeping(1, signatures, value))
  expect(decision).toMatchObject({ allow: false, reasons: [{ code: 'kernel/effect_failed' }] })
  expect(record).toBeUndefined()
})
