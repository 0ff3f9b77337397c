/** Engines against OPA's own evaluator: the same policies, generated inputs, the same answers. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Json } from '../../core/json.ts'
import { bundle, compiler } from '../rego.ts'
import { ask, type EngineSubject, withPolicy } from './engine.ts'
import type { Law } from './laws.ts'

interface Case {
  readonly name: string
  readonly rego: string
  readonly data?: Json
  readonly input: fc.Arbitrary<Json>
}

const word = fc.constantFrom('ann', 'bob', 'read', 'write', 'admin', 'é', '漢', '😀', '', 'a b')
const small = fc.integer({ min: -20, max: 20 })
const scalar: fc.Arbitrary<Json> = fc.oneof(word, small, fc.boolean(), fc.constant(null))
const object = (members: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<Json> =>
  fc.record(members, { requiredKeys: [] }) as fc.Arbitrary<Json>

const CASES: readonly Case[] = [
  {
    name: 'roles, hierarchy, separation of duty',
    data: {
      parents: { admin: ['write'], write: ['read'], read: [] },
      grants: { read: ['list'], write: ['edit'], admin: ['drop'] },
      exclusive: [['admin', 'bob']],
    },
    rego: `default decision := {"allow": false}
decision := {"allow": true, "roles": roles} if {
  input.action in permitted
  count(deny) == 0
}
roles := graph.reachable(data.parents, {r | some r in input.roles})
permitted contains action if {
  some role in roles
  some action in data.grants[role]
}
deny contains pair if {
  some pair in data.exclusive
  every role in pair { role in input.roles }
}`,
    input: object({
      roles: fc.array(word, { maxLength: 4 }),
      action: fc.constantFrom('list', 'edit', 'drop', 'other'),
    }),
  },
  {
    name: 'strings by code point',
    rego: `decision := {
  "count": count(input.s), "up": upper(input.s), "at": indexof(input.s, concat("", [input.t, "a"])),
  "has": contains(input.s, input.t), "first": substring(input.s, 0, 1), "back": strings.reverse(input.s),
  "parts": split(input.s, "a"), "trim": trim_space(input.s), "less": input.s < input.t, "order": sort([input.s, input.t]),
}`,
    input: object({ s: fc.array(word).map((words) => words.join('')), t: word }),
  },
  {
    name: 'numbers',
    rego: `decision contains {"op": "add", "v": input.a + input.b}
decision contains {"op": "div", "v": round(input.a / input.b)}
decision contains {"op": "rem", "v": input.a % input.b}
decision contains {"op": "mul", "v": input.a * input.b}
decision contains {"op": "cmp", "v": input.a <= input.b}
decision contains {"op": "bits", "v": bits.and(input.a, input.b)}
decision contains {"op": "abs", "v": abs(input.a)}
decision contains {"op": "sum", "v": sum(input.list)}
decision contains {"op": "max", "v": max(input.list)}`,
    input: object({
      a: fc.maxSafeInteger().map((n) => n % 2 ** 31),
      b: small,
      list: fc.array(scalar),
    }),
  },
  {
    name: 'comparison and order of all types',
    rego: `decision := {"sorted": sort(input.list), "set": {x | some x in input.list}, "types": [type_name(x) | some x in input.list],
  "eq": input.a == input.b, "lt": input.a < input.b, "in": input.a in input.list}`,
    input: object({ a: scalar, b: scalar, list: fc.array(fc.oneof(scalar, fc.array(scalar))) }),
  },
  {
    name: 'objects',
    rego: `decision := {"get": object.get(input.o, input.k, "none"), "keys": object.keys(input.o), "union": object.union(input.o, {"ann": 1}),
  "removed": object.remove(input.o, ["ann"]), "values": [v | some v in input.o]}`,
    input: object({ o: fc.dictionary(word, scalar), k: word }),
  },
  {
    name: 'defaults, else, negation, with and functions',
    rego: `default decision := "deny"
decision := "blocked" if { input.a == "ann" } else := "odd" if { odd(input.n) } else := "swapped" if { inner with input.n as 7 }
odd(n) if n % 2 == 1
inner if { odd(input.n); not input.stop }`,
    input: object({ a: word, n: small, stop: fc.boolean() }),
  },
  {
    name: 'regular expressions, globs, networks and encodings',
    rego: `decision := {"re": regex.match(\`^[a-z]+(é|b)?$\`, input.s), "glob": glob.match("*:r*", [":"], concat(":", [input.s, input.t])),
  "net": net.cidr_contains("10.0.0.0/8", input.ip), "b64": base64.encode(input.s), "url": base64url.encode(input.s)}`,
    input: object({ s: word, t: word, ip: fc.constantFrom('10.1.2.3', '11.0.0.1', '10.2.0.0/16') }),
  },
  {
    name: 'the text of messages',
    rego: `decision := {"s": sprintf("%s is %v of %d%%", [input.s, input.v, input.n]), "set": sprintf("%v", [{x | some x in input.list}]),
  "pad": sprintf("%5d|%-5d|%05d|%6s|%-6v|", [input.n, input.n, input.n, input.s, input.s]), "bad": sprintf("%d %s %d", [input.s, input.n]),
  "extra": sprintf("%v", [input.o, input.s]), "template": $"{input.s}: {input.n} {input.v}"}`,
    input: fc.record({
      s: word,
      n: fc.oneof(small, fc.maxSafeInteger()),
      v: scalar,
      list: fc.array(scalar),
      o: fc.dictionary(word, scalar),
    }),
  },
]

const RUNS = 150

export const differentialLaws: readonly Law<EngineSubject>[] = CASES.map(
  ({ name, rego, data, input }) => ({
    name: `answers as OPA's evaluator does: ${name}`,
    async run(subject) {
      const inputs = fc.sample(input, { numRuns: RUNS, seed: 1 })
      const made = await bundle(rego, undefined, data)
      const sources = { ...made.sources, 'data.json': JSON.stringify(made.data) }
      const options = { capabilities: 'trust', entrypoint: 'p/decision', inputs } as const
      const expected = await compiler.evaluate(sources, options)
      let defined = 0
      await withPolicy(subject, made, async (policy) => {
        for (const [i, value] of inputs.entries()) {
          const said = await ask(policy, value).catch((error: { code?: string }) => error.code)
          const right =
            expected[i]!.problem === undefined ? expected[i]!.value : 'evaluation_failed'
          // To the order of elements: sets, and what is made of sets and objects, are in Rego's order.
          expect(said, JSON.stringify(value)).toEqual(right)
          if (right !== undefined) defined++
        }
      })
      // Most inputs must say something, else nothing was compared.
      expect(defined).toBeGreaterThan(RUNS / 10)
    },
  }),
)
