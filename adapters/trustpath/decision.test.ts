/** The way from the anchor to decisions, and what it says where something on it is not as it was. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decisionKey, decodeStored, encodeStored, PARTITION } from '../../core/decision.ts'
import { Payload } from '../../core/request.ts'
import { LeasePlace, policies, RESOURCES } from '../../test/lease/place.ts'
import { compiler } from '../../test/rego.ts'
import { DecisionWalk } from './decision.ts'
import type { Step } from './step.ts'

let here: LeasePlace
let id: string
beforeEach(async () => {
  here = await LeasePlace.make()
  id = (await here.lease(RESOURCES[0] as string)).lease
})
afterEach(() => here.remove())
afterAll(() => compiler.close())

const walk = (decision = id): Promise<readonly Step[]> =>
  new DecisionWalk(here.trustPath).named(decision, '')
const failed = (steps: readonly Step[]): readonly string[] =>
  steps.filter(({ ok }) => !ok).map(({ name }) => name)
const stepOf = (steps: readonly Step[], name: string): Step | undefined =>
  steps.find((step) => step.name === name)

/** Writes over what the kernel keeps, as whoever holds the database could. */
async function rewrite(sort: string, change: (text: string) => string | undefined): Promise<void> {
  const row = (await here.store.get({ partition: PARTITION.policy, sort }))!
  const text = change(new TextDecoder().decode(row.value))
  const write =
    text === undefined
      ? { remove: row.key, if: row.version }
      : { put: row.key, value: new TextEncoder().encode(text), if: row.version }
  await here.store.commit([{ writes: [write] }])
}
async function keptName(): Promise<string> {
  const { digest, revision } = here.kernel.readiness().policy!
  return `${digest}/${revision}`
}

describe('the policy that decided', { timeout: 120_000 }, () => {
  it('is the one that was active then, and its sources are compiled again', async () => {
    const steps = await walk()
    expect(failed(steps)).toEqual([])
    await here.kernel.activate(
      await policies({ 'more/more.rego': 'package assay.more\n\nx := 1\n' }),
    )
    const later = await here.ask('lease.free', { lease: id })
    const [before, after] = [await walk(), await walk(later.id)]
    expect([...failed(before), ...failed(after)]).toEqual([])
    const [first, second] = [before, after].map((all) => stepOf(all, 'policy'))
    expect(first).toEqual(stepOf(steps, 'policy'))
    expect(Number(second?.index)).toBeGreaterThan(Number(stepOf(before, 'inclusion')?.index))
    expect(stepOf(after, 'rule')?.accepted).toMatchObject([{ code: 'ended', exact: true }])
  })

  it('is found by way of every change of its data, and not where a change was changed', async () => {
    await here.kernel.update([{ op: 'upsert', path: '/release_notes/one', value: 1 }])
    await here.kernel.update([{ op: 'upsert', path: '/release_notes/two', value: 2 }])
    const { id: later } = await here.ask('lease.free', { lease: id })
    expect(failed(await walk(later))).toEqual([])
    await rewrite(await keptName(), (text) => text.replace('"value":2', '"value":3'))
    expect(failed(await walk(later))).toContain('policy')
    const { revision } = here.kernel.readiness().policy!
    await rewrite(await keptName(), () => JSON.stringify({ operations: [], previous: revision }))
    expect(failed(await walk(later))).toContain('policy')
    expect(failed(await walk())).toEqual([])
  })

  it('is not believed where its sources or data were changed', async () => {
    const name = await keptName()
    await rewrite(name, (text) => text.replace('the resource was free', 'the resource was mine'))
    expect(failed(await walk())).toEqual(['policy', 'rule'])
    await rewrite(name, (text) => text.replace('the resource was mine', 'the resource was free'))
    await rewrite(name, (text) => text.replace('"max_ttl":300', '"max_ttl":301'))
    expect(failed(await walk())).toEqual(['policy'])
  })

  it('may list what is a set in any order: engines do not agree on one', async () => {
    const path = 'lease/decision.rego'
    const own = await readFile(join(import.meta.dirname, '../../policies', path), 'utf8')
    const many =
      '[o | some o in {{"id": sprintf("%d", [n]), "type": "test"} | some n in numbers.range(1, 20)}]'
    const changed = own.replace('"obligations": []', `"obligations": ${many}`)
    await here.kernel.activate(await policies({ [path]: changed }))
    const payload = Payload.fromJson({ lease: id })
    const submission = { action: 'lease.free', obligations: ['test'], payload }
    const { id: other, obligations } = await here.kernel.decide(submission)
    expect(obligations).toHaveLength(20)
    expect(failed(await walk(other))).toEqual([])
  })

  it('is missed where its sources are not kept', async () => {
    await rewrite(await keptName(), () => undefined)
    const steps = await walk()
    expect(failed(steps)).toEqual(['policy'])
    expect(stepOf(steps, 'rule')).toBeUndefined()
  })
})

describe('a decision', () => {
  it('that was erased has the lines that could have given its reasons, and says so', async () => {
    const row = (await here.store.get(decisionKey(id)))!
    const value = encodeStored({ hash: decodeStored(row.value).hash })
    await here.store.commit([{ writes: [{ put: row.key, value, if: row.version }] }])
    const steps = await walk()
    expect(failed(steps)).toEqual([])
    expect(stepOf(steps, 'openings')?.detail).toMatch(/^0 of \d+ /)
    const rule = stepOf(steps, 'rule')
    expect(rule?.detail).toContain('erased')
    expect(rule?.accepted).toMatchObject([{ code: 'granted', exact: false }])
    expect(rule?.accepted?.[0]?.places.length).toBeGreaterThan(0)
  })

  it('that is not in the log is none', async () => {
    expect(failed(await walk('0'.repeat(32)))).toEqual(['leaf'])
  })
})
