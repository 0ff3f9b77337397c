/** When the source of signed policies last confirmed them: part of the question, so that a rule can ask for it and an auditor sees it. */
import { expect, test } from 'vitest'
import { ALLOW, DENY, kit, NOW, type PolicyFunction, submission } from '../test/kernel/kit.ts'
import { policyInput } from './log/receipt.ts'

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
