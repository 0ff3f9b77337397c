/** What was compiled ahead of time answers as what is compiled at start, and only for its own policy. */
import { expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { bundle } from '../../../test/rego.ts'
import { createJitEngine, type ModuleFunction, packPlan } from './index.ts'

const RULES = `known contains name if { some name, role in data.roles; role == "admin" }
decision := {"allow": input.name in known, "text": sprintf("%s", [input.name])}`
const ENTRY = 'p/decision'

async function packed(rules: string, data: Json) {
  const built = await bundle(rules, [ENTRY], data)
  // As it comes out of a file.
  const { text, ...plan } = JSON.parse(JSON.stringify(packPlan(built.plan, built.digest)))
  const url = `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  const { default: made } = (await import(/* @vite-ignore */ url)) as { default: ModuleFunction }
  return { built, engine: createJitEngine({ packed: { plan, made } }) }
}
const ask = (name: string) => ({ value: { name }, text: JSON.stringify({ name }) })

test('a packed policy answers, also over changed data, without its plan', async () => {
  const { built, engine } = await packed(RULES, { roles: { ada: 'admin' } })
  const policy = await engine.load({ ...built, plan: null })
  expect(policy.entrypoints).toEqual([ENTRY])
  expect(await policy.evaluate(ENTRY, ask('ada'))).toEqual({ allow: true, text: 'ada' })
  const add = { op: 'add', path: '/roles/ben', value: 'admin' } as const
  const changed = await policy.patch([add], 'next')
  expect(await changed.evaluate(ENTRY, ask('ben'))).toEqual({ allow: true, text: 'ben' })
})

test('another policy is compiled from its own plan', async () => {
  const { engine } = await packed(RULES, { roles: {} })
  const other = await bundle('decision := {"allow": true}')
  const policy = await engine.load(other)
  expect(await policy.evaluate(ENTRY, ask('eve'))).toEqual({ allow: true })
  expect(await refusal(engine.load({ ...other, digest: 'sha256:x', plan: null }))).toBe(
    'invalid_bundle',
  )
})

test('an entry point that the packed policy lacks is refused', async () => {
  const { built, engine } = await packed(RULES, { roles: {} })
  const bundled = { ...built, entrypoints: ['p/other'] }
  expect(await refusal(engine.load(bundled))).toBe('invalid_bundle')
})
