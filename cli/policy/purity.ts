/** Built-ins that OPA has and a capability set leaves out: said as what they are, with the way out of each. */

import type { CapabilitySet } from '../../core/ports/compiler.ts'
import compat from '../../policies/capabilities/compat.json' with { type: 'json' }
import type { Finding } from './problems.ts'

const COMPAT = new Set((compat.builtins as readonly { name: string }[]).map(({ name }) => name))

/** The first that matches a name. */
const WAYS_OUT: readonly (readonly [RegExp, string])[] = [
  [
    /^time\.now_ns$/,
    'the time is a fact: input.now, in seconds since 1970, so that a decision can be made again',
  ],
  [
    /^(http\.send|net\.lookup_ip_addr|providers\.)/,
    'a policy asks nobody: let a plugin fetch it and make a fact of it, or put it into data.json',
  ],
  [
    /^(rand|uuid\.rfc4122)/,
    'chance cannot be decided again: take the value from input, or let an effect make it',
  ],
  [
    /^(opa\.runtime|rego\.|trace$)/,
    'a policy does not look at what runs it: put what it needs into data.json',
  ],
  [
    /^(crypto|io\.jwt)\./,
    'a plugin verifies before the policy is asked: read what it found in input.facts',
  ],
]

const UNDEFINED = /^undefined function ([a-z_][\w.]*)$/

/** A problem about a forbidden built-in, in words of its own; any other problem as it is. */
export function withPurity(problem: Finding, capabilities: CapabilitySet): Finding {
  const name = problem.message.match(UNDEFINED)?.[1]
  if (name === undefined) return problem
  const known = WAYS_OUT.find(([pattern]) => pattern.test(name))?.[1]
  if (known === undefined && !COMPAT.has(name)) return problem
  const message = `${name} is not in the capability set ${capabilities}`
  const other =
    'take the value from a fact or from data.json; policies that come from OPA have more with --capabilities compat'
  return { ...problem, code: 'purity/forbidden-builtin', message, next: known ?? other }
}
