/**
 * The life of one lease and of the resource under it, moved on by what decisions asked for. The effects are those of the plugin `lease`;
 * what they come to stands in docs/lease.md, and is written down here a second time on purpose: a check that shares its code checks nothing.
 */
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Members } from './opened.ts'

/** As the records of the plugin `lease` have them. */
export interface LeaseState {
  readonly state: 'active' | 'expired' | 'freed' | 'revoked'
  readonly generation: number
  readonly expires_at: UnixSeconds
  readonly granted_at: UnixSeconds
  readonly cell: string
  readonly tenant: string
  readonly resource: string
  readonly teardown?: { readonly epoch: number; readonly outcome?: 'done' | 'failed' }
}
export interface ResourceState {
  readonly state: 'fenced' | 'free' | 'leased' | 'tearing_down'
  readonly epoch: number
  readonly since: UnixSeconds
  readonly lease?: string
  readonly fence?: { readonly at: UnixSeconds; readonly why: string }
}
export interface Life {
  readonly lease?: LeaseState
  readonly resource?: ResourceState
}

/** When and in what state an effect found things. */
export interface Moment {
  readonly id: string
  readonly now: UnixSeconds
  /** The epoch of the resource as the decision's facts had it. */
  readonly epoch: number
}

/** What one effect of an allowed decision came to; undefined for one that changes nothing here, or cannot follow what is known. */
export function after(life: Life, effect: Members, moment: Moment): Life | undefined {
  switch (effect.kind) {
    case 'lease.grant':
      return granted(effect, moment)
    case 'lease.renew':
      return renewed(life, effect)
    case 'lease.end':
      return ended(life, effect, moment)
    case 'lease.settle':
      return settled(life, effect, moment)
    case 'lease.clear':
      return life.resource?.state === 'fenced'
        ? { ...life, resource: moved(life.resource, 'free', moment.now) }
        : undefined
    default:
      return undefined
  }
}

function granted(effect: Members, { epoch, id, now }: Moment): Life {
  const { cell, expires_at, resource, tenant } = effect
  return {
    lease: {
      state: 'active',
      generation: 1,
      expires_at: expires_at as number,
      granted_at: now,
      cell: cell as string,
      tenant: tenant as string,
      resource: resource as string,
    },
    resource: { state: 'leased', epoch: epoch + 1, since: now, lease: id },
  }
}

function renewed({ lease, resource }: Life, effect: Members): Life | undefined {
  if (lease?.state !== 'active') return undefined
  const renewed = {
    ...lease,
    expires_at: effect.expires_at as number,
    generation: lease.generation + 1,
  }
  return { lease: renewed, ...(resource && { resource }) }
}

function ended({ lease, resource }: Life, effect: Members, { now }: Moment): Life | undefined {
  if (lease?.state !== 'active' || resource?.state !== 'leased') return undefined
  const torn = moved(resource, 'tearing_down', now, resource.lease)
  const state = effect.state as LeaseState['state']
  return { lease: { ...lease, state, teardown: { epoch: torn.epoch } }, resource: torn }
}

function settled({ lease, resource }: Life, effect: Members, { now }: Moment): Life | undefined {
  if (lease === undefined || resource?.state !== 'tearing_down') return undefined
  const { epoch } = resource
  const outcome = effect.ok === true ? 'done' : 'failed'
  const next =
    effect.ok === true
      ? moved(resource, 'free', now)
      : {
          ...moved(resource, 'fenced', now, resource.lease),
          fence: { at: now, why: effect.why as string },
        }
  return { lease: { ...lease, teardown: { epoch, outcome } }, resource: next }
}

function moved(
  { epoch }: ResourceState,
  state: ResourceState['state'],
  since: UnixSeconds,
  lease?: string,
): ResourceState {
  return { state, epoch: epoch + 1, since, ...(lease === undefined ? {} : { lease }) }
}
