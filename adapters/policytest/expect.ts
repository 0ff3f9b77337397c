/** What a table expects against what a rule answered. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'
import type { Expectation, WantedReason } from './table.ts'

type Members = { readonly [name: string]: Json }

/** One text a difference; none when everything is as expected. */
export function differences(expect: Expectation, answer: Json | undefined): readonly string[] {
  if (expect.undefined === true)
    return answer === undefined ? [] : [`expected no value, and it is ${canonicalJson(answer)}`]
  if (answer === undefined) return ['the rule has no value for this input']
  const whole = 'value' in expect ? different('value', expect.value, answer) : []
  return [...whole, ...membersDifferent(expect, answer)]
}

function membersDifferent(expect: Expectation, answer: Json): readonly string[] {
  const members = (typeof answer === 'object' && answer !== null ? answer : {}) as Members
  const plain = (['allow', 'effects', 'obligations', 'output'] as const).flatMap((name) =>
    name in expect ? different(name, expect[name] as Json, members[name]) : [],
  )
  return expect.reasons === undefined
    ? plain
    : [...plain, ...reasonsDifferent(expect.reasons, members)]
}

function different(
  name: string,
  wanted: Json | undefined,
  found: Json | undefined,
): readonly string[] {
  const [left, right] = [wanted, found].map((value) =>
    value === undefined ? 'nothing' : canonicalJson(value),
  )
  return left === right ? [] : [`${name}: expected ${left}, and it is ${right}`]
}

function reasonsDifferent(
  wanted: readonly WantedReason[],
  { reasons }: Members,
): readonly string[] {
  const given = (Array.isArray(reasons) ? reasons : []) as readonly Members[]
  const missing = wanted.filter((each) => !given.some((one) => agrees(each, one)))
  const extra = given.filter((one) => !wanted.some((each) => agrees(each, one)))
  return [
    ...missing.map(
      (each) => `missing reason ${typeof each === 'string' ? each : canonicalJson(each)}`,
    ),
    ...extra.map(({ code, rule }) => `unexpected reason ${String(code)} of ${String(rule)}`),
  ]
}

function agrees(wanted: WantedReason, given: Members): boolean {
  if (typeof wanted === 'string') return given.code === wanted
  return Object.entries(wanted).every(([name, value]) => given[name] === value)
}
