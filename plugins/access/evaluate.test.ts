import { describe, expect, test } from 'vitest'
import { StoreError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import { Payload } from '../../core/request.ts'
import { access } from './facts.ts'
import type { AccessFacts } from './schema.ts'

const ada = { type: 'user', id: 'ada' }
const checkpoint = { type: 'checkpoint', id: 'c1' }
const workload = { type: 'workload', id: 'w1' }
const body = { subject: ada, action: { name: 'read' }, resource: checkpoint }

function over(records: Readonly<Record<string, Json>>): ReadPorts & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    get: async (sort) => {
      asked.push(sort)
      return records[sort]
    },
    getFrom: () => Promise.reject(new Error('not used')),
    listGuarded: () => Promise.reject(new Error('not used')),
    snapshot: () => Promise.reject(new Error('not used')),
    decided: () => Promise.reject(new Error('not used')),
  }
}

function evaluate(payload: unknown, reads: ReadPorts = over({})): Promise<AccessFacts> {
  const request = {
    action: 'access.evaluate',
    payload:
      typeof payload === 'string'
        ? Payload.fromBytes(Buffer.from(payload))
        : Payload.fromJson(payload),
    peer: { kind: 'anonymous', id: 'anonymous' },
    obligations: [],
  }
  return access.facts(request, reads, 1_800_000_000, new AbortController().signal)
}

describe('the facts of an evaluation', () => {
  test('are five fields from three guarded reads', async () => {
    const reads = over({
      'subject/user/ada': { attributes: { team: 'red' }, ...ada, incarnation: 'i1', related: {} },
      'assignment/user/ada': { ...ada, roles: ['scientist'] },
      'resource/checkpoint/c1': { attributes: { node: 'n1' }, ...checkpoint, related: {} },
    })
    expect(await evaluate(body, reads)).toEqual({
      claimed: { action: {}, context: {}, resource: {}, subject: {} },
      payload: { action: 'read', check: 'valid' },
      resource: { attributes: { node: 'n1' }, found: true, related: {}, ...checkpoint },
      roles: { assigned: ['scientist'] },
      subject: { attributes: { team: 'red' }, found: true, incarnation: 'i1', related: {}, ...ada },
    })
    expect(reads.asked).toEqual([
      'subject/user/ada',
      'assignment/user/ada',
      'resource/checkpoint/c1',
    ])
  })

  test('say what the store does not know', async () => {
    const { resource, roles, subject } = await evaluate(body)
    expect(subject).toEqual({ attributes: {}, found: false, related: {}, ...ada })
    expect(resource).toEqual({ attributes: {}, found: false, related: {}, ...checkpoint })
    expect(roles).toEqual({ assigned: [] })
  })

  test('keep what the caller says under claimed, in order of names', async () => {
    const { claimed, subject } = await evaluate({
      subject: { ...ada, properties: { role: 'admin', disabled: false } },
      action: { name: 'read', properties: { soft: true } },
      resource: { ...checkpoint, properties: { b: [{ z: 1, a: 2 }], a: null } },
      context: { ip: '192.0.2.1' },
    })
    expect(JSON.stringify(claimed)).toBe(
      '{"action":{"soft":true},"context":{"ip":"192.0.2.1"},"resource":{"a":null,"b":[{"a":2,"z":1}]},"subject":{"disabled":false,"role":"admin"}}',
    )
    expect(subject.attributes).toEqual({})
  })

  test('ignore unknown members, and null where a member may be left out', async () => {
    const facts = await evaluate({
      ...body,
      context: null,
      foo: 1,
      subject: { ...ada, properties: null, x: 1 },
    })
    expect(facts).toEqual(await evaluate(body))
  })

  test('carry a member named __proto__ as a plain member', async () => {
    const { claimed } = await evaluate(
      `{"subject":{"type":"user","id":"ada","properties":{"__proto__":{"role":"admin"}}},"action":{"name":"read"},"resource":{"type":"a","id":"b"}}`,
    )
    expect(Object.keys(claimed.subject)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(claimed.subject)).toBe(Object.prototype)
  })

  test('report the session that the context names', async () => {
    const session = {
      expires: 2,
      id: 's1',
      incarnation: 'i1',
      opened: 1,
      roles: ['payer'],
      subject: ada,
    }
    const reads = over({ 'session/id/s1': session })
    const { roles } = await evaluate({ ...body, context: { session: 's1' } }, reads)
    expect(roles.session).toEqual({ found: true, ...session })
    expect(reads.asked).toHaveLength(4)
    const unknown = await evaluate({ ...body, context: { session: 's2' } })
    expect(unknown.roles.session).toEqual({ found: false, id: 's2' })
  })

  test('follow what a record points to for one step', async () => {
    const reads = over({
      'subject/tool/t1': {
        ...{ type: 'tool', id: 't1', attributes: {}, incarnation: 'i2' },
        acts_for: ada,
        related: { gone: { type: 'allocation', id: 'a9' } },
      },
      'subject/user/ada': {
        attributes: { x: 1 },
        ...ada,
        incarnation: 'i1',
        related: { workload },
      },
      'assignment/user/ada': { ...ada, roles: ['scientist'] },
      'resource/checkpoint/c1': { attributes: {}, ...checkpoint, related: { workload } },
      'resource/workload/w1': {
        attributes: { owner: 'ada' },
        ...workload,
        related: { checkpoint },
      },
    })
    const facts = await evaluate({ ...body, subject: { type: 'tool', id: 't1' } }, reads)
    expect(facts.subject.acts_for).toEqual({
      attributes: { x: 1 },
      found: true,
      incarnation: 'i1',
      roles: ['scientist'],
      ...ada,
    })
    expect(facts.subject.related).toEqual({
      gone: { attributes: {}, found: false, id: 'a9', type: 'allocation' },
    })
    expect(facts.resource.related).toEqual({
      workload: { attributes: { owner: 'ada' }, found: true, ...workload },
    })
    expect(facts.roles.assigned).toEqual([])
    expect(new Set(reads.asked).size).toBe(reads.asked.length)
  })

  test('are not made from a record that is about somebody else', async () => {
    const other = { attributes: {}, type: 'user', id: 'eve', incarnation: 'i', related: {} }
    const failed = evaluate(body, over({ 'subject/user/ada': other }))
    await expect(failed).rejects.toThrow(StoreError)
    await expect(failed).rejects.toMatchObject({ code: 'corrupt' })
  })
})

const long = 'x'.repeat(257)
const deep = (levels: number): Json => (levels === 0 ? 1 : { a: deep(levels - 1) })

describe('a malformed evaluation', () => {
  test.each<readonly [problem: string, payload: unknown]>([
    ['/: malformed', '{'],
    ['/: duplicate_key', '{"subject":1,"subject":1}'],
    ['/: lone_surrogate', '{"subject":"\\ud800"}'],
    ['/: number_range', '{"subject":9007199254740993}'],
    ['/: too_deep', `${'['.repeat(100)}${']'.repeat(100)}`],
    ['/: expected an object', null],
    ['/: expected an object', [body]],
    ['/subject: expected an object', { ...body, subject: undefined }],
    ['/subject: expected an object', { ...body, subject: 'ada' }],
    ['/action: expected an object', { ...body, action: undefined }],
    ['/resource: expected an object', { ...body, resource: [] }],
    ['/subject/id: expected 1 to 256', { ...body, subject: { type: 'user' } }],
    ['/subject/type: expected 1 to 64', { ...body, subject: { id: 'ada' } }],
    ['/subject/type: expected 1 to 64', { ...body, subject: { id: 'ada', type: 'x'.repeat(65) } }],
    ['/resource/id: expected 1 to 256', { ...body, resource: { type: 'a', id: 7 } }],
    ['/resource/id: expected 1 to 256', { ...body, resource: { type: 'a', id: '' } }],
    ['/resource/id: expected 1 to 256', { ...body, resource: { type: 'a', id: long } }],
    ['/resource/id: expected 1 to 256', { ...body, resource: { type: 'a', id: 'a\u0000' } }],
    ['/resource/id: expected 1 to 256', { ...body, resource: { type: 'a', id: 'a\u0085' } }],
    ['/action/name: expected 1 to 256', { ...body, action: { name: 123 } }],
    ['/action/name: expected 1 to 256', { ...body, action: {} }],
    ['/context: expected an object', { ...body, context: 'now' }],
    ['/subject/properties: expected an object', { ...body, subject: { ...ada, properties: [] } }],
    ['/context: expected at most 8 levels', { ...body, context: deep(10) }],
    [
      '/context: expected at most 256 members',
      { ...body, context: Object.fromEntries([...Array(257).keys()].map((i) => [`a${i}`, i])) },
    ],
    ['/context/session: expected 1 to 256', { ...body, context: { session: 1 } }],
    ['/context/session: expected 1 to 256', { ...body, context: { session: '' } }],
  ])('%s', async (problem, payload) => {
    const reads = over({})
    const { payload: reported, ...rest } = await evaluate(payload, reads)
    expect(reported.check).toBe('malformed')
    expect(reported.problem).toMatch(problem)
    expect(reads.asked).toEqual([])
    expect(rest).toEqual({
      claimed: { action: {}, context: {}, resource: {}, subject: {} },
      resource: { attributes: {}, found: false, related: {} },
      roles: { assigned: [] },
      subject: { attributes: {}, found: false, related: {} },
    })
  })

  test('is not one at the limits', async () => {
    const facts = await evaluate({
      subject: { type: 'x'.repeat(64), id: 'y'.repeat(256), properties: deep(9) },
      action: { name: '\u{1F600}'.repeat(128) },
      resource: { type: '../..', id: '%00' },
    })
    expect(facts.payload.check).toBe('valid')
  })

  test('never has the payload in its problem', async () => {
    const { payload } = await evaluate({ ...body, subject: { secret: 'hunter2' }, hunter2: 1 })
    expect(payload.problem).not.toContain('hunter2')
  })
})
