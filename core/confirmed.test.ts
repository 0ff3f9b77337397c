/** When the source of signed policies last confirmed them: part of the question, so that a rule can ask for it and an auditor sees it. */
import { afterAll, expect, test } from 'vitest'
import {
  ALLOW,
  DENY,
  kit,
  NOW,
  notePlugin,
  type PolicyFunction,
  submission,
} from '../test/kernel/kit.ts'
import { compiler } from '../test/rego.ts'
import { typedInput } from './input.ts'
import { policyInput } from './log/receipt.ts'
import type { Plugin } from './plugin.ts'
import { Payload } from './request.ts'

interface Asked {
  readonly request: { readonly policy?: { readonly confirmed: number } }
}
const fresh: PolicyFunction = (args) =>
  ((args as unknown as Asked).request.policy?.confirmed ?? 0) > 100 ? ALLOW : DENY

test('stands in what the policy is asked, as text and as value, and in the receipt', async () => {
  const inputs: Asked[] = []
  const { kernel } = await kit({
    policyConfirmed: () => 123,
    engine: {
      name: 'both forms',
      load: async ({ digest, entrypoints, revision }) => ({
        digest,
        entrypoints,
        revision,
        evaluate: (_, { text, value }) => {
          expect(JSON.parse(text)).toEqual(value)
          inputs.push(value as unknown as Asked)
          return inputs.length > 1 ? (ALLOW as never) : undefined
        },
        patch: () => expect.fail('nothing changes'),
        close: async () => undefined,
      }),
    },
  })
  const receipt = await (await kernel.decide(submission())).receipt()
  expect(inputs.at(-1)?.request.policy).toEqual({ confirmed: 123 })
  expect(policyInput(receipt)?.value).toEqual(inputs.at(-1))
  expect(policyInput(receipt)?.value).toMatchObject({ now: NOW / 1000 })
})

test('is asked for with each decision, and is no part of the input where nobody confirms', async () => {
  let confirmed: number | undefined = 50
  const { kernel } = await kit({ policyConfirmed: () => confirmed, policy: fresh })
  const decide = async (): Promise<boolean> => (await kernel.decide(submission())).allow
  expect(await decide()).toBe(false)
  confirmed = 150
  expect(await decide()).toBe(true)
  expect((await kernel.check(submission())).allow).toBe(true)
  confirmed = undefined
  const { receipt } = await kernel.decide(submission())
  const { request } = (await receipt()).openings ?? {}
  expect(Object.keys(JSON.parse(request?.json ?? ''))).toEqual(['action', 'obligations', 'peer'])
})

afterAll(() => compiler.close())

test('a rule that misspells it does not pass a check, and one that asks for it does', async () => {
  const { schemas, sources } = typedInput([notePlugin() as Plugin])
  const codes = async (name: string): Promise<readonly string[]> => {
    const rule = `package assay.note\n\nold if input.now - input.request.policy.${name} > 60\n`
    const options = { capabilities: 'trust', schemas } as const
    return (await compiler.check({ ...sources, 'note/old.rego': rule }, options)).map(
      ({ code }) => code,
    )
  }
  expect(await codes('confirmed')).toEqual([])
  expect(await codes('confirmd')).toEqual(['rego_type_error'])
}, 60_000)

test('is the same for every candidate of a search', async () => {
  let asked = 0
  const seen: unknown[] = []
  const about = (text: string): Payload => Payload.fromJson({ text })
  const { kernel } = await kit({
    policyConfirmed: () => ++asked,
    policy: (args) => {
      seen.push((args as unknown as Asked).request.policy)
      return DENY
    },
    plugin: notePlugin({
      candidates: async () => ({
        items: ['a', 'b'].map((id) => ({ entity: { id }, cursor: id, payload: about(id) })),
        unused: about('none'),
      }),
    }),
  })
  await kernel.search({ ...submission(), kind: 'resource' })
  expect(seen).toHaveLength(3)
  expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(1)
})
