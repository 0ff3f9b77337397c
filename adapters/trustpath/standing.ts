/** What counts against a token now: its time, its lease, the fence of its resource, and revocations, as the records have them. */
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Token } from '../../formats/cap1/index.ts'
import type { Step } from './step.ts'
import { recordOf } from './stored.ts'

export interface Standing {
  readonly token: Token
  /** The key that signed the first block, where it is known. */
  readonly publicKey?: string
}
export interface StandingPorts {
  readonly store: Store
  readonly now: UnixSeconds
}

/** @throws StoreError */
export async function standingSteps(
  standing: Standing,
  ports: StandingPorts,
): Promise<readonly Step[]> {
  return [
    timeStep(standing, ports),
    await leaseStep(standing, ports),
    ...(await revocationSteps(standing, ports)),
  ]
}

function timeStep({ token }: Standing, { now }: StandingPorts): Step {
  const { exp, iat } = token.authority
  const at = (seconds: number): string => new Date(seconds * 1000).toISOString()
  return { name: 'time', ok: now < exp, detail: `from ${at(iat)} until ${at(exp)}` }
}

async function leaseStep({ token }: Standing, { now, store }: StandingPorts): Promise<Step> {
  const { gen, iss, lease, resource } = token.authority
  const name = 'lease'
  const cell = await recordOf(store, 'enrolment', `cell/${iss}`)
  if (cell?.local !== true) {
    const feed = await recordOf(store, 'announce', `feed/${iss}`)
    const age = typeof feed?.as_of === 'number' ? now - feed.as_of : undefined
    const known = age === undefined ? 'nothing' : `what it revoked until ${age} seconds ago`
    return {
      name,
      ok: age !== undefined,
      detail: `another kernel keeps the leases of ${iss}; ${known} is known here`,
    }
  }
  const held = await recordOf(store, 'lease', `lease/${lease}`)
  if (held === undefined) return { name, ok: false, detail: 'there is no such lease' }
  const under = await recordOf(store, 'lease', `resource/${resource}`)
  const detail = `${held.state}, generation ${held.generation} where the token has ${gen}; ${resource} is ${under?.state ?? 'unknown'}`
  const ok = held.state === 'active' && held.generation === gen && under?.lease === lease
  return { name, ok, detail }
}

async function revocationSteps(
  { publicKey, token }: Standing,
  { now, store }: StandingPorts,
): Promise<readonly Step[]> {
  const { gen, iss, lease, tenant } = token.authority
  // What the issuer says of its own tokens, and what is said for every cell.
  const asked: readonly (readonly [kind: string, id: string, ...reach: string[]])[] = [
    ...token.blocks.map(({ handle }) => ['token', handle, iss] as const),
    ['lease', lease, iss],
    ...(publicKey === undefined ? [] : [['key', publicKey, iss, '*'] as const]),
    ['tenant', tenant, iss, '*'],
  ]
  const sorts = asked.flatMap(([kind, id, ...reach]) =>
    reach.map((each) => [kind, id, `revoked/${kind}/${each}/${id}`] as const),
  )
  const steps: Step[] = []
  for (const [kind, id, sort] of sorts) {
    const entry = await recordOf(store, 'announce', sort)
    if (entry === undefined) continue
    const { below, origin, until } = entry
    const over = typeof until === 'number' && until <= now
    const spared = typeof below === 'number' && gen >= below
    if (over || spared) continue
    const detail = `the ${kind} ${id} is revoked, as ${origin} says`
    steps.push({ name: 'revocation', ok: false, detail })
  }
  if (steps.length > 0) return steps
  const detail = `none of its ${token.blocks.length} blocks, its lease, its key and its tenant is revoked`
  return [{ name: 'revocation', ok: true, detail }]
}
