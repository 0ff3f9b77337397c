/** Everything that a plugin may have signed, held against what policies let the keys of each scope sign. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readText, root } from '../source.ts'

interface Signature {
  readonly plugin: string
  readonly scopes: readonly string[]
}
/** By purpose. A new one has to be put here, where the next test asks who checks it. */
const SIGNATURES: Readonly<Record<string, Signature>> = {
  'announce.message': { plugin: 'announce', scopes: ['cell', 'controller'] },
  'bootstrap.bundle': { plugin: 'bootstrap', scopes: ['bootstrap'] },
  'capability.token': { plugin: 'lease', scopes: ['cell'] },
  'cell.call': { plugin: 'capability', scopes: ['cell'] },
  'enrolment.bind': { plugin: 'enrolment', scopes: ['cell'] },
  'signer.set': { plugin: 'signer', scopes: ['bootstrap'] },
  'task.sign': { plugin: 'task', scopes: ['task'] },
}

const filesOf = (folder: string, ending: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !/[._]test\./.test(name))
    .map((name) => `${folder}/${name}`)
const json = <T>(path: string): T => JSON.parse(readText(path)) as T

/** `purpose:` of a signature is a text, or a constant that one file of the plugin has. */
function purposesIn(plugin: string): readonly string[] {
  const text = filesOf(`plugins/${plugin}`, '.ts').map(readText).join('\n')
  return [...text.matchAll(/\bpurpose: (?:'([a-z.]+)'|([A-Z_]+))/g)].map(
    ([, literal, name]) => literal ?? new RegExp(`${name} = '([a-z.]+)'`).exec(text)?.[1] ?? '',
  )
}

const plugins = readdirSync(join(root, 'plugins'))
const { purposes } = json<{
  readonly signing: { readonly purposes: Readonly<Record<string, readonly string[]>> }
}>('policies/data.json').signing
const managed = Object.keys(json<{ readonly scopes: object }>('policies/signer/data.json').scopes)

test('every purpose that a plugin has a signature for is known here', () => {
  const found = plugins.flatMap((plugin) =>
    purposesIn(plugin).map((purpose) => ({ plugin, purpose })),
  )
  const known = Object.entries(SIGNATURES).map(([purpose, { plugin }]) => ({ plugin, purpose }))
  expect(new Set(found)).toEqual(new Set(known))
})

test.each(Object.entries(SIGNATURES))(
  'a managed key signs %s only where policies ask whether it may',
  (purpose, { plugin, scopes }) => {
    const rules = filesOf(`policies/${plugin}`, '.rego').map(readText).join('\n')
    const isAsked = new RegExp(`signing\\.refusal\\([a-z.]+, "${purpose}"\\)`).test(rules)
    for (const scope of scopes) {
      // A revocation in the signer's record has to reach whatever signs with the scope.
      if (managed.includes(scope)) expect({ scope, isAsked }).toEqual({ scope, isAsked: true })
      expect(purposes[scope]?.includes(purpose) ?? false).toBe(isAsked)
    }
  },
)

test('no scope may sign what nobody asks of it', () => {
  for (const [scope, allowed] of Object.entries(purposes))
    for (const purpose of allowed) expect(SIGNATURES[purpose]?.scopes).toContain(scope)
})
