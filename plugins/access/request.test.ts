/** Requests for access with the real policies, as a model: whatever is asked in whatever order, only an approval by somebody else permits. */
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadFolder } from '../../adapters/policies/folder.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Policy } from '../../core/ports/engine.ts'
import type { Peer } from '../../core/request.ts'
import { Desk, loadPolicy, OPERATOR } from '../../test/desk.ts'
import { access } from './facts.ts'

let policy: Policy
beforeAll(async () => {
  const sources = await loadFolder(join(import.meta.dirname, '../../policies'))
  policy = await loadPolicy(sources, 'assay/access/decision')
})
afterAll(() => policy.close())

const PEOPLE = ['ada', 'joe', 'lea'] as const
type Person = (typeof PEOPLE)[number]
const WORKLOADS = ['w1', 'w2'] as const
const TERMS = { denial: 600, most: 14_400, pending: 86_400 }

const peerOf = (id: Person): Peer => ({ kind: 'user', id })
const tuple = (who: Person, what: string) => ({
  subject: { type: 'user', id: who },
  action: { name: 'cancel' },
  resource: { type: 'workload', id: what },
})

/** What the test knows of one request. */
interface Known {
  readonly who: Person
  readonly what: string
  readonly requester: Person
  readonly expires: number
  status: 'approved' | 'cancelled' | 'denied' | 'pending'
  until?: number
}
interface Step {
  /** `promote` gives and takes the role that approves. */
  readonly verb: 'approve' | 'ask' | 'deny' | 'promote' | 'revoke' | 'wait' | 'withdraw'
  readonly by: Person
  readonly who: Person
  readonly what: string
  readonly at: number
  readonly seconds: number
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    verb: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('approve', 'ask') },
      { weight: 1, arbitrary: fc.constantFrom('deny', 'promote', 'revoke', 'wait', 'withdraw') },
    ),
    by: fc.constantFrom(...PEOPLE),
    who: fc.constantFrom(...PEOPLE),
    what: fc.constantFrom(...WORKLOADS),
    at: fc.nat(3),
    seconds: fc.constantFrom(1, 300, 600, 7200, 14_400, 86_400),
  }),
  { minLength: 5, maxLength: 30 },
)

class Model {
  readonly desk = new Desk(access as Plugin, policy)
  readonly requests = new Map<string, Known>()
  readonly leads = new Set<Person>(['lea'])

  async seed(): Promise<void> {
    const subjects = PEOPLE.map((id) => ({
      type: 'user',
      id,
      roles: this.leads.has(id) ? ['lab_lead'] : ['researcher'],
    }))
    const resources = WORKLOADS.map((id) => ({ type: 'workload', id }))
    const seeded = await this.desk.decide('access.import', { subjects, resources }, OPERATOR)
    expect(seeded.allow).toBe(true)
  }

  permitted(who: Person, what: string): boolean {
    const { now } = this.desk
    const approved = [...this.requests.values()].some(
      (known) => known.who === who && known.what === what && (known.until ?? 0) > now,
    )
    return approved || this.leads.has(who)
  }

  async step(step: Step): Promise<void> {
    if (step.verb === 'wait') this.desk.now += step.seconds
    else if (step.verb === 'promote') await this.#promote(step.who)
    else if (step.verb === 'ask') await this.#ask(step)
    else await this.#decide(step, step.verb)
  }

  async #promote(who: Person): Promise<void> {
    const verb = this.leads.delete(who) ? 'revoke' : 'assign'
    if (verb === 'assign') this.leads.add(who)
    const payload = { subject: { type: 'user', id: who }, role: 'lab_lead' }
    expect((await this.desk.decide(`access.${verb}`, payload, OPERATOR)).allow).toBe(true)
  }

  async #ask({ by, seconds, what, who }: Step): Promise<void> {
    const denied = await this.desk.decide('access.evaluate', tuple(who, what))
    const id = this.desk.last
    const offered = denied.output !== undefined
    expect(offered).toBe(!this.permitted(who, what))
    const payload: Json = { ...tuple(who, what), denial: id }
    const { allow } = await this.desk.decide('access.request', payload, peerOf(by))
    expect(allow).toBe(offered && by === who)
    if (!allow) return
    const { now } = this.desk
    this.requests.set(id, {
      who,
      what,
      requester: by,
      expires: now + TERMS.pending,
      status: 'pending',
    })
    // A second request for the same denial, and one for another tuple, are refused.
    for (const other of [payload, { ...tuple(who, what === 'w1' ? 'w2' : 'w1'), denial: id }])
      expect((await this.desk.decide('access.request', other, peerOf(by))).allow).toBe(false)
    this.desk.now += seconds % 7
  }

  async #decide(step: Step, verb: 'approve' | 'deny' | 'revoke' | 'withdraw'): Promise<void> {
    const [id, known] = [...this.requests][step.at % Math.max(1, this.requests.size)] ?? ['x']
    const action = verb === 'revoke' ? 'access.revoke-approval' : `access.${verb}-request`
    const { now } = this.desk
    const until = now + step.seconds
    const payload = verb === 'approve' ? { request: id, until } : { request: id }
    const { allow } = await this.desk.decide(action, payload, peerOf(step.by))
    expect([verb, allow]).toEqual([verb, this.#may(step, known)])
    if (!allow || !known) return
    if (verb === 'approve') Object.assign(known, { status: 'approved', until })
    if (verb === 'deny') known.status = 'denied'
    if (verb === 'withdraw') known.status = 'cancelled'
    if (verb === 'revoke') known.until = 0
  }

  #may({ by, seconds, verb }: Step, known: Known | undefined): boolean {
    if (!known) return false
    const pending = known.status === 'pending' && known.expires > this.desk.now
    const own = by === known.who || by === known.requester
    const lead = this.leads.has(by)
    if (verb === 'approve') return pending && lead && !own && seconds <= TERMS.most
    if (verb === 'deny') return pending && lead && !own
    if (verb === 'withdraw') return pending && own
    return known.status === 'approved' && lead && known.until !== 0
  }
}

test('only an approval by somebody else permits, and only while it lasts', {
  timeout: 60_000,
}, async () => {
  let approvals = 0
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const model = new Model()
      await model.seed()
      for (const step of sequence) {
        await model.step(step)
        for (const who of PEOPLE) {
          for (const what of WORKLOADS) {
            const { allow } = await model.desk.decide('access.evaluate', tuple(who, what))
            expect([who, what, allow]).toEqual([who, what, model.permitted(who, what)])
          }
        }
      }
      for (const { status } of model.requests.values()) if (status === 'approved') approvals++
    }),
    { numRuns: 150 },
  )
  expect(approvals).toBeGreaterThan(0)
})
