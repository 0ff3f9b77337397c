/** A user's policies and Assay's in one bundle: who may be called what, which capabilities whom, and whose time it is. */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import type { Sources } from '../../../core/ports/compiler.ts'
import { testEngine } from '../../../test/engine.ts'
import { compiler } from '../../../test/rego.ts'
import { root } from '../../../test/source.ts'
import { loadFolder } from '../folder.ts'
import { buildUnion, type OpaPolicies, withDocuments } from './union.ts'

const POLICIES = join(root, 'examples/opa-migration/policies')
const ENTRYPOINTS = ['assay/opa/decision']
afterAll(() => compiler.close())

const of = (
  rego: string | Sources,
  documents: object = {},
  entrypoints: readonly string[] = [],
): OpaPolicies => ({
  source: {
    modules: typeof rego === 'string' ? { 'a.rego': rego } : rego,
    documents: documents as { readonly [name: string]: Json },
    roots: [],
    revision: '',
  },
  entrypoints,
  pushed: new Map(),
})
const build = async (policies: OpaPolicies, more: Sources = {}) =>
  buildUnion({ ...(await loadFolder(POLICIES)), ...more }, ENTRYPOINTS, policies, compiler)
const why = (policies: OpaPolicies, more: Sources = {}): Promise<unknown> =>
  build(policies, more).then(
    () => 'served',
    (error: { code: string }) => error.code,
  )

const ENTRY = '# METADATA\n# entrypoint: true\n'

describe('names', () => {
  test.each([
    ['package assay.main\n\ndeny := set()', 'reserved_name'],
    ['# a comment\n\npackage assay.opa.entries\n\nvalue.x := 1', 'reserved_name'],
    ['package assay\n\nx := 1', 'reserved_name'],
    ['package freeze\n\nactions := []', 'reserved_name'],
    ['package assay["main"]\n\nx := 1', 'reserved_name'],
    ['package\nassay.main\n\nx := 1', 'invalid_package'],
    ['x := 1', 'invalid_package'],
    ['', 'invalid_package'],
    [`package assayer\n\n${ENTRY}x := 1`, 'served'],
    [`# package assay.main\npackage app # here\n\nimport rego.v1\n\n${ENTRY}x := 1`, 'served'],
  ])('%j: %s', async (rego, expected) => {
    expect(await why(of(rego))).toBe(expected)
  })

  test('a document does not take the place of Assay’s', async () => {
    expect(await why(of(`package app\n\n${ENTRY}x := 1`, { freeze: {} }))).toBe('reserved_name')
    expect(await why(of(`package app\n\n${ENTRY}x := 1`, { assay: {} }))).toBe('reserved_name')
  })

  test('a rule where a document lies is refused, also where the document was pushed', async () => {
    const rego = `package app\n\n${ENTRY}x := 1`
    expect(await why(of(rego, { app: { x: 2 } }))).toBe('invalid_policy')
    const pushed = new Map<string, Json | undefined>([['app', { x: 2 }]])
    expect(await why({ ...of(rego), pushed })).toBe('invalid_policy')
  })
})

describe('capabilities', () => {
  test('the user’s policies have a clock; Assay’s have none, whatever the user brings', async () => {
    const user = of(`package app\n\n${ENTRY}now := time.now_ns()`)
    expect(await why(user)).toBe('served')
    const own = { 'opa/extra.rego': 'package assay.opa.extra\n\nnow := time.now_ns()\n' }
    expect(await why(user, own)).toBe('invalid_policy')
  })

  test('what no engine has is told at load', async () => {
    expect(await why(of(`package app\n\n${ENTRY}x := http.send({})`))).toBe('invalid_policy')
    expect(await why(of('package app\n\nx := 1'))).toBe('invalid_policy')
  })
})

test('the clock is the decision’s own, also in rules behind rules', async () => {
  const rego = `package app

${ENTRY}inner := {"now": helper, "stamp": time.format(helper), "user": input.user}

helper := time.now_ns()
`
  const policy = await testEngine().load(await build(of(rego)))
  const query = { check: 'valid', entrypoint: 'app/inner', path: ['app', 'inner'], rest: [] }
  const value: Json = {
    facts: {
      change: { outcome: 'applicable', paths: [] },
      claimed: { input: { user: 'ann' } },
      query,
    },
    now: 1_800_000_000,
    request: { action: 'opa.query', obligations: [], peer: { id: 'a', kind: 'anonymous' } },
  }
  const said = await policy.evaluate('assay/opa/decision', { value, text: JSON.stringify(value) })
  expect(said).toMatchObject({
    allow: true,
    output: {
      result: { now: 1_800_000_000_000_000_000, stamp: '2027-01-15T08:00:00Z', user: 'ann' },
    },
  })
  await policy.close()
})

test('other documents are another revision of the same policy', async () => {
  const made = await build(of(`package app\n\n${ENTRY}x := data.users`, { users: { b: 1, a: 2 } }))
  expect(made.capabilities).toBe('compat')
  expect(made.opa).toMatchObject({
    entrypoints: ['app/x'],
    rules: [['app', 'x']],
    reserved: expect.arrayContaining(['assay', 'freeze']),
  })
  const next = withDocuments(made, { users: { a: 2, b: 1 } })
  expect(next.digest).toBe(made.digest)
  expect(next.revision).toBe(withDocuments(made, { users: { b: 1, a: 2 } }).revision)
  expect(withDocuments(made, { users: {} }).revision).not.toBe(next.revision)
  expect(next.data).toMatchObject({ freeze: { actions: [] }, users: { a: 2, b: 1 } })
})

test('a package can be asked as a whole', async () => {
  const made = await build(of('package app.sub\n\na := 1\n\nb contains 2\n', {}, ['app/sub']))
  expect(made.opa?.entrypoints).toEqual(['app/sub'])
})
