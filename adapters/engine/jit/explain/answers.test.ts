import { afterAll, describe, expect, test } from 'vitest'
import { explained, explanationOf, tree } from '../../../../test/explaining.ts'
import { compiler } from '../../../../test/rego.ts'
import { toJson } from '../../value/json.ts'
import { createExplainer } from './explainer.ts'
import { explanationText } from './text.ts'

afterAll(() => compiler.close())

const DOCS = {
  rego: `# METADATA
# title: Owners read
# description: Whoever owns a document reads it.
# labels:
#   control: AC-3
# custom:
#   severity: low
allow if {
	some doc in data.docs
	doc.id == input.doc
	is_owner(doc, input.user)
	not frozen(doc.id)
}

is_owner(doc, user) if doc.owner == user.name

frozen(id) if data.frozen[id]
`,
  data: {
    docs: [
      { id: 'a', owner: 'ada' },
      { id: 'b', owner: 'bob' },
    ],
    frozen: {},
  },
  input: { doc: 'b', user: { name: 'bob' } },
}

describe('the rules that made an answer', () => {
  test('stand in a tree from the entry point, each with what its conditions saw', async () => {
    const { fired, missed, nearest, outcome } = await explanationOf(DOCS)
    expect([outcome, missed, nearest]).toEqual(['allowed', [], undefined])
    expect(tree(fired)).toEqual([
      'data.t.allow@10 = true',
      '  11:2 some doc in data.docs (data.docs[1]={"id":"b","owner":"bob"})',
      '  12:2 doc.id == input.doc (data.docs[1].id="b", input.doc="b")',
      '  13:2 is_owner(doc, input.user) (input.user={"name":"bob"}, data.docs[1]={"id":"b","owner":"bob"})',
      '    data.t.is_owner@17 = true',
      '      17:24 doc.owner == user.name (data.docs[1].owner="bob", input.user.name="bob")',
      '  14:2 not frozen(doc.id) (data.docs[1].id="b")',
      '    data.t.frozen@19',
      '      19:15 undefined: data.frozen[id] (data.docs[1].id="b", data.frozen.b missing)',
    ])
  })

  test('say what their metadata says', async () => {
    const { fired } = await explanationOf(DOCS)
    expect(fired[0]).toMatchObject({
      title: 'Owners read',
      description: 'Whoever owns a document reads it.',
      labels: { control: 'AC-3' },
      custom: { severity: 'low' },
    })
  })

  test('inherit labels from their package and the packages above it', async () => {
    const sources = {
      'a.rego': '# METADATA\n# scope: subpackages\n# labels: { org: acme, tier: low }\npackage a\n',
      'b.rego':
        '# METADATA\n# labels: { tier: high }\npackage a.b\n\n# METADATA\n# labels: { own: yes }\nallow if input.x\n',
      'c.rego': '# METADATA\n# labels: { other: yes }\npackage c\n',
    }
    const bundle = await compiler.build(sources, {
      capabilities: 'trust',
      entrypoints: ['a/b/allow'],
    })
    const explainer = createExplainer(bundle, { syntax: await compiler.syntax(sources) })
    const [rule] = explainer.explain('a/b/allow', '{"x":true}').explanation.fired
    expect(rule?.labels).toEqual({ org: 'acme', tier: 'high', own: 'yes' })
    expect(rule).not.toHaveProperty('title')
  })

  test('of a set are told for each of its members', async () => {
    const { fired, outcome } = await explanationOf({
      entrypoint: 't/deny',
      rego: 'deny contains reason if {\n\tsome reason in input.reasons\n}\n\ndeny contains "late" if input.now > 10\n',
      input: { reasons: ['a', 'b'], now: 11 },
    })
    expect(outcome).toBe('value')
    expect(tree(fired).filter((line) => !line.startsWith(' '))).toEqual([
      'data.t.deny@3 = "a"',
      'data.t.deny@3 = "b"',
      'data.t.deny@7 = "late"',
    ])
  })

  test('are told once: the second time they stand without their reasons', async () => {
    const { fired } = await explanationOf({
      rego: 'allow if {\n\tfirst\n\tsecond\n}\n\nfirst if both\n\nsecond if both\n\nboth if input.x\n',
      input: { x: true },
    })
    const lines = tree(fired)
    expect(lines.filter((line) => line.includes('input.x'))).toHaveLength(1)
  })
})

describe('bounds', () => {
  test('an evaluation that takes too many steps is no explanation', async () => {
    const rego = 'allow if {\n\tsome a in input.xs\n\tsome b in input.xs\n\ta + b > 1000000\n}\n'
    const input = { xs: Array.from({ length: 2000 }, (_, i) => i) }
    await expect(explained({ rego, input })).rejects.toMatchObject({ code: 'budget_exhausted' })
  })

  test('an explanation says when there is more than it holds', async () => {
    const rules = Array.from({ length: 400 }, (_, i) => `allow if input.n == ${i}\n`)
    const { missed, truncated } = await explanationOf({ rego: rules.join('\n'), input: { n: -1 } })
    expect(missed.length).toBeLessThanOrEqual(300)
    expect(truncated).toBe(true)
  })

  test('large values are cut', async () => {
    const { missed } = await explanationOf({
      rego: 'allow if input.text == "x"\n',
      input: { text: 'y'.repeat(10_000) },
    })
    const [saw] = missed[0]?.condition?.saw ?? []
    expect(saw?.cut).toBe(true)
    expect(JSON.stringify(saw).length).toBeLessThan(600)
  })

  test('thousands of bindings cost no more than their furthest', async () => {
    const { missed } = await explanationOf({
      rego: 'allow if {\n\tsome x in input.xs\n\tx.a == 1\n\tx.b == 2\n}\n',
      input: { xs: Array.from({ length: 3000 }, (_, i) => ({ a: i === 1234 ? 1 : 0, b: 3 })) },
    })
    expect(missed[0]).toMatchObject({ attempts: 3000, held: 2 })
    expect(missed[0]?.condition?.saw).toEqual([{ ref: 'input.xs[1234].b', value: 3 }])
  })
})

test('the text names the place, the condition and the values', async () => {
  const { explanation, value } = await explained({
    ...DOCS,
    input: { doc: 'b', user: { name: 'eve' } },
  })
  expect(value === undefined ? undefined : toJson(value)).toBeUndefined()
  const text = explanationText(explanation)
  expect(text).toContain('t.rego:17:24  doc.owner == user.name')
  expect(text).toContain('data.docs[1].owner = "bob"')
  expect(text).toContain('input.user.name = "eve"')
})
