/** What one resource and its leases should be, by the table and nothing else. */
import type { Json } from '../../core/json.ts'
import type { Cell, Situation, Table } from './table.ts'

export interface Asked {
  readonly action: string
  readonly payload: { readonly [member: string]: Json }
}

interface Ended {
  readonly lease: string
  readonly how: 'expired' | 'freed' | 'revoked'
  readonly epoch: number
  /** How its teardown went, once that was reported. */
  done?: boolean
}

const HOW: Readonly<Record<string, Ended['how']>> = {
  'lease.expire': 'expired',
  'lease.free': 'freed',
  'lease.revoke': 'revoked',
}
const RENEWED: Readonly<Record<Ended['how'], string>> = {
  expired: 'renew a lease that has expired',
  freed: 'renew a lease that was freed',
  revoked: 'renew a lease that was revoked',
}

export class Model {
  readonly table: Table
  state = 'new'
  epoch = 0
  active: { readonly lease: string; generation: number; expires: number } | undefined
  readonly ended: Ended[] = []

  constructor(table: Table) {
    this.table = table
  }

  copy(): Model {
    const copied = new Model(this.table)
    copied.state = this.state
    copied.epoch = this.epoch
    copied.active = this.active && { ...this.active }
    copied.ended.push(...this.ended.map((one) => ({ ...one })))
    return copied
  }

  situation(now: number): Situation {
    const overdue = this.active !== undefined && now >= this.active.expires
    return overdue ? 'overdue' : (this.state as Situation)
  }

  /** The row of the table that a request falls into, here and now. */
  row({ action, payload }: Asked): string {
    const { lease } = payload
    const ended = this.ended.find((one) => one.lease === lease)
    if (action === 'lease.add-resource') return 'add the resource'
    if (action === 'lease.grant') return 'grant a lease'
    if (action === 'lease.request-reset') return 'request a reset'
    if (action === 'lease.observed')
      return this.state === 'fenced' && payload.epoch === this.epoch
        ? 'observe a reset since the fence'
        : 'observe a reset in another epoch'
    if (action === 'lease.renew') return this.#renewal(payload, ended)
    if (action === 'lease.torn-down') return this.#report(payload, ended)
    return ended ? 'end a lease that has ended' : `${action.slice('lease.'.length)} the lease`
  }

  #renewal({ generation }: Asked['payload'], ended: Ended | undefined): string {
    if (ended) return RENEWED[ended.how]
    return generation === this.active?.generation
      ? 'renew the lease'
      : 'renew with another generation'
  }

  #report({ epoch, ok }: Asked['payload'], ended: Ended | undefined): string {
    if (!ended) return 'report on a lease that has not ended'
    if (epoch !== ended.epoch) return 'report on another epoch'
    if (ended.done === undefined) return `report the teardown as ${ok ? 'done' : 'failed'}`
    return ended.done === ok ? 'report the same again' : 'report the opposite'
  }

  /** @throws when the table says that this cannot happen */
  expected(asked: Asked, now: number): Cell {
    const row = this.row(asked)
    const situation = this.situation(now)
    const cell = this.table.get(row)?.get(situation)
    if (cell === undefined) throw new Error(`the table knows nothing of: ${row}, ${situation}`)
    return cell
  }

  /** Makes the transition. @param decision the id that it has */
  apply(
    { action, payload }: Asked,
    { next }: Pick<Cell, 'next'>,
    decision: string,
    now: number,
  ): void {
    if (next === undefined) return
    const { ok, ttl } = payload
    const how = HOW[action]
    if (action === 'lease.renew' && this.active) {
      this.active.generation++
      this.active.expires = now + (ttl as number)
      return
    }
    if (action !== 'lease.add-resource') this.epoch++
    if (action === 'lease.grant')
      this.active = { lease: decision, generation: 1, expires: now + (ttl as number) }
    if (how !== undefined && this.active) {
      this.ended.push({ lease: this.active.lease, how, epoch: this.epoch })
      this.active = undefined
    }
    const last = this.ended.at(-1)
    if (action === 'lease.torn-down' && last) last.done = ok === true
    this.state = next
  }
}
