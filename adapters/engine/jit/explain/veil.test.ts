import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type Case, explanationOf } from '../../../../test/explaining.ts'
import { compiler } from '../../../../test/rego.ts'
import { explanationText } from './text.ts'

afterAll(() => compiler.close())

const CANARY = 'canary-7f3a'
const MASKS = { paths: [['user', 'secret']], values: [CANARY] }

const WAY = Array.from(
  { length: 60 },
  (_, i) => `\tx${i + 1} := ${i % 2 ? 'lower' : 'upper'}(x${i})`,
)

/** Ways in which a masked value gets into an explanation. */
const LEAKS: { readonly [way: string]: Case } = {
  'a comparison': {
    rego: 'allow if input.user.secret == "x"\n',
    input: { user: { secret: CANARY } },
  },
  'a container': {
    rego: 'allow if input.user == {}\n',
    input: { user: { name: 'ada', secret: CANARY } },
  },
  'a variable': {
    rego: 'allow if {\n\tx := input.user.secret\n\tx == "x"\n}\n',
    input: { user: { secret: CANARY } },
  },
  'another name': {
    rego: 'allow if secret == "x"\n\nsecret := input.user.secret\n',
    input: { user: { secret: CANARY } },
  },
  'an argument': {
    rego: 'allow if same(input.user.secret)\n\nsame(x) if x == "x"\n',
    input: { user: { secret: CANARY } },
  },
  'a computed value': {
    rego: 'allow if upper(input.user.secret) == "x"\n',
    input: { user: { secret: CANARY } },
  },
  'a rule that computes': {
    rego: 'allow if long == "x"\n\nlong := sprintf("%s!", [input.user.secret])\n',
    input: { user: { secret: CANARY } },
  },
  'a reason': {
    rego: 'allow if count(deny) == 0\n\ndeny contains message if {\n\tmessage := concat(" ", ["not", input.user.secret])\n}\n',
    input: { user: { secret: CANARY } },
  },
  'a copy elsewhere in the input': {
    rego: 'allow if input.facts.copy == "x"\n',
    input: { facts: { copy: `<${CANARY}>` }, user: { secret: CANARY } },
  },
  'a key': {
    rego: 'allow if data.users[input.user.secret]\n',
    input: { user: { secret: CANARY } },
  },
  'a computed key': {
    rego: 'allow if data.users[upper(input.user.secret)]\n',
    input: { user: { secret: CANARY } },
  },
  'a key of an object': {
    rego: 'allow if input.by == {}\n',
    input: { by: { [CANARY]: 1 }, user: { secret: CANARY } },
  },
  'an element': {
    rego: 'allow if {\n\tsome x in [input.user.secret]\n\tx == "x"\n}\n',
    input: { user: { secret: CANARY } },
  },
  'a set': {
    rego: 'allow if count(seen) == 0\n\nseen contains upper(input.user.secret)\n',
    input: { user: { secret: CANARY } },
  },
  'a part of it': {
    rego: 'allow if split(input.user.secret, "-")[1] == "x"\n',
    input: { user: { secret: CANARY } },
  },
  'what a reference finds that is computed': {
    rego: 'long.a := upper(input.user.secret)\n\nlong.b := "b"\n\nallow if long[input.which] == "x"\n',
    input: { user: { secret: CANARY }, which: 'a' },
  },
  'another input': {
    rego: 'long := upper(input.copy)\n\nallow if {\n\tlong == "x" with input.copy as input.user.secret\n}\n',
    input: { user: { secret: CANARY } },
  },
  'the end of a long way': {
    rego: `allow if {\n\tx0 := input.user.secret\n${WAY.join('\n')}\n\tupper(x60) == "x"\n}\n`,
    input: { user: { secret: CANARY } },
  },
  'the answer': {
    entrypoint: 't/answer',
    rego: 'answer := {"allow": false, "why": upper(input.user.secret)}\n',
    input: { user: { secret: CANARY } },
  },
}

describe('a masked value', () => {
  test.each(Object.entries(LEAKS))('does not show as %s', async (_, given) => {
    const plain = JSON.stringify(await explanationOf(given))
    expect(plain).toMatch(/canary|7f3a/i)
    const explanation = await explanationOf({ ...given, masks: MASKS })
    const shown = `${JSON.stringify(explanation)}\n${explanationText(explanation)}`
    expect(shown).not.toMatch(/canary|7f3a/i)
  })

  test('is in no reference that a rule gives another name to', async () => {
    const { missed } = await explanationOf({
      rego: 'allow if found.ok\n\nfound := data.users[upper(input.user.secret)]\n',
      data: { users: { [CANARY.toUpperCase()]: { ok: false } } },
      input: { user: { secret: CANARY } },
    })
    expect(missed[0]?.condition?.saw).toEqual([{ ref: 'data.t.found.ok', value: false }])
  })

  test('hides nothing else', async () => {
    const { hidden, missed } = await explanationOf({
      rego: 'allow if {\n\tinput.user.name == "ada"\n\tinput.user.secret == "x"\n}\n',
      input: { user: { name: 'bob', secret: CANARY } },
      masks: MASKS,
    })
    expect(missed[0]?.condition?.saw).toEqual([{ ref: 'input.user.name', value: 'bob' }])
    expect(hidden).toBe(0)
  })

  test('that is a number is hidden wherever that number is', async () => {
    const { missed } = await explanationOf({
      rego: 'allow if input.other == 1\n',
      input: { other: 4711, user: { secret: 4711 } },
      masks: { paths: [['user', 'secret']], values: [4711] },
    })
    expect(missed[0]?.condition?.saw).toEqual([{ ref: 'input.other', hidden: true }])
  })

  test('hides everything where the masks could not be asked', async () => {
    const explanation = await explanationOf({
      rego: 'allow if input.user.name == "x"\n',
      input: { user: { name: 'ada' } },
      masks: { everything: true, paths: [], values: [] },
    })
    expect(JSON.stringify(explanation)).not.toContain('ada')
    expect(explanation.missed[0]?.condition?.saw).toEqual([
      { ref: 'input.user.name', hidden: true },
    ])
  })

  test('of any text shows in no explanation', async () => {
    const rego = `allow if {
	some name, value in input
	contains(value, "zz")
	name == "b"
}

deny contains value if some value in input
`
    await fc.assert(
      fc.asyncProperty(
        fc.record({ a: fc.string(), b: fc.string(), c: fc.string() }),
        fc.stringMatching(/^[k-y]{6,12}$/),
        async (input, secret) => {
          const masks = { paths: [['secret']], values: [secret] }
          const explanation = await explanationOf({ rego, input: { ...input, secret }, masks })
          expect(JSON.stringify(explanation)).not.toContain(secret)
        },
      ),
      { numRuns: 20 },
    )
  }, 60_000)
})
