/** Bodies that scan the same collection share the scan, and say what each alone says. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bundle } from '../../../test/rego.ts'
import { toJson } from '../value/json.ts'
import type { Value } from '../value/value.ts'
import { compilePlan, emitModule } from './program.ts'
import type { Trace } from './trace.ts'

const ENTRY = 'p/decision'
const nobody: Trace = {
  enter() {},
  leave() {},
  again() {},
  open() {},
  element() {},
  close() {},
  passed() {},
  failed() {},
}

/** Policies with bodies side by side, and how many scans of `input.xs` are left. */
const POLICIES: Readonly<Record<string, readonly [scans: number, rego: string]>> = {
  'what one asks the other asks too': [
    1,
    `decision contains sprintf("a%d", [i]) if { some i, x in input.xs; not x.t in {"a", "b"} }
decision contains sprintf("b%d", [i]) if { some i, x in input.xs; x.t in {"a", "b"}; not p(x) }
decision contains sprintf("c%d", [i]) if { some i, x in input.xs; x.t; x.v > 1 }

p(x) if x.v == 1`,
  ],
  'nested scans, lists and negations': [
    1,
    `decision contains [i, y] if { some i, x in input.xs; some y in x.ys; y > 1 }
decision contains [i, l] if { some i, x in input.xs; l := [z | some z in x.ys; z != 2] }
decision contains {"all": i} if { some i, x in input.xs; every y in x.ys { y < 3 } }
decision contains i if { some i, x in input.xs; not x.t; count({y | some y in x.ys}) > 1 }`,
  ],
  'a scan within a scan': [
    1,
    `decision contains [i, "big"] if { some i, x in input.xs; some y in x.ys; y == 3 }
decision contains [i, "small"] if { some i, x in input.xs; some y in x.ys; y < 1; x.t }`,
  ],
  'with something between': [
    2,
    `decision contains i if { some i, x in input.xs; x.t == "a" }
decision contains "none" if not input.others
decision contains i if { some i, x in input.xs; x.v == 2 }`,
  ],
  'another collection': [
    1,
    `decision contains i if { some i, x in input.xs; x.v > 1 }
decision contains i if { some i, x in input.others; x.v > 1 }`,
  ],
  'a complete rule': [
    2,
    `decision := {"a": a}
default a := 0
a := 1 if { some x in input.xs; x.v > 2 }
a := 1 if { some x in input.xs; x.t in {"a"}; x.v > 1 }`,
  ],
}

const small = fc.nat(4)
const x = fc.record(
  {
    t: fc.constantFrom('a', 'b', 'c', false, 1),
    v: fc.oneof(small, fc.constant('x')),
    ys: fc.oneof(fc.array(small, { maxLength: 4 }), fc.dictionary(fc.string(), small)),
  },
  { requiredKeys: [] },
)
const xs = fc.oneof(fc.array(x, { maxLength: 6 }), fc.dictionary(fc.string(), x), small)
const input = fc.record({ xs, others: xs }, { requiredKeys: [] })

describe('one scan says what two say', () => {
  for (const [name, [scans, rego]] of Object.entries(POLICIES))
    test(name, async () => {
      const { plan } = await bundle(rego)
      expect(emitModule(plan).split('?.xs').length - 1).toBe(scans)
      const program = compilePlan(plan)
      // A trace follows the plan as it is.
      const slow = compilePlan(plan, { trace: true, tracer: nobody })
      fc.assert(
        fc.property(input, (value) => {
          const [one, other] = [program, slow].map((each) => {
            const answer = each.evaluate(ENTRY, value as Value, {})
            return answer === undefined ? undefined : toJson(answer)
          })
          expect(one).toEqual(other)
        }),
        { numRuns: 200 },
      )
    })
})

test('scans that an index answers stay by themselves', async () => {
  const { plan } = await bundle(
    `decision contains i if { some i, x in data.xs; x.t == input.t; x.v == 1 }
decision contains i if { some i, x in data.xs; x.v == input.v; not x.t }`,
  )
  expect(emitModule(plan).split('caches.index').length - 1).toBe(2)
  const xs = Array.from({ length: 40 }, (_, i) => ({ t: i % 3, v: i % 2, ...(i > 30 && { t: 0 }) }))
  const answer = compilePlan(plan).evaluate(ENTRY, { t: 1, v: 0 }, { xs })
  expect(toJson(answer!)).toEqual(xs.flatMap(({ t, v }, i) => (t === 1 && v === 1 ? [i] : [])))
})
