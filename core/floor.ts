/** What the kernel insists on whatever the policy says: evidence that failed, or that the action needs and lacks, allows nothing. */
import { Denial } from './denial.ts'
import type { Registered } from './registry.ts'
import type { Request } from './request.ts'
import type { Verdict } from './verdict.ts'

/** Names of the facts whose evidence does not stand. A k-of-n set reports one check, so it counts as one piece. */
export function unverified(registered: Registered, facts: object, action: string): string[] {
  const failing: string[] = []
  for (const [name, field] of registered.fields) {
    if (!field.evidence) continue
    const fact: unknown = (facts as Record<string, unknown>)[name]
    const check =
      typeof fact === 'object' && fact !== null ? (fact as { check?: unknown }).check : undefined
    if (check === 'valid') continue
    if (check === 'absent' && !field.evidence.requiredFor.includes(action)) continue
    failing.push(name)
  }
  return failing
}

/** Where the facts do not conform to the plugin's schema; undefined when they do. Unknown fields do not conform. */
export function factsProblem(registered: Registered, facts: unknown): string | undefined {
  if (typeof facts !== 'object' || facts === null) return '/: expected facts'
  const names = Object.keys(facts)
  if (names.length !== registered.fields.length) return '/: expected the fields of the schema'
  for (const [name, field] of registered.fields) {
    if (!Object.hasOwn(facts, name)) return `/${name}: expected a value`
    const problem = field.schema.problem((facts as Record<string, unknown>)[name], `/${name}`)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** @throws Denial */
export function checkFloor(
  from: Registered,
  facts: object,
  verdict: Verdict,
  request: Pick<Request, 'action' | 'obligations'>,
): void {
  if (verdict.allow && unverified(from, facts, request.action).length > 0)
    throw new Denial('unverified_evidence')
  if (verdict.obligations.some(({ type }) => !request.obligations.includes(type)))
    throw new Denial('unsupported_obligation')
}
