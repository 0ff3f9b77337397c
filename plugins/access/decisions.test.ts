/** `access` with its own policies, compiled: what a client sees, from an empty store on. */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadFolder } from '../../adapters/policies/folder.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Policy } from '../../core/ports/engine.ts'
import { ANONYMOUS, Desk, loadPolicy, OPERATOR } from '../../test/desk.ts'
import { access } from './facts.ts'

const user = (id: string) => ({ type: 'user', id })
const [alice, bob] = [user('alice'), user('bob')]

let policy: Policy
let desk: Desk
beforeAll(async () => {
  const sources = await loadFolder(join(import.meta.dirname, '../../policies'))
  policy = await loadPolicy(sources, 'assay/access/decision')
})
afterAll(() => policy.close())
beforeEach(() => {
  desk = new Desk(access as Plugin, policy)
})

const change = (verb: string, payload: Json) => desk.ask(`access.${verb}`, payload, OPERATOR)
const may = (subject: Json, name: string, resource: Json, more: object = {}) =>
  desk.ask('access.evaluate', { subject, action: { name }, resource, ...more })

const workload = { type: 'workload', id: 'train-1' }
const allocation = { type: 'allocation', id: 'alice-red' }
const checkpoint = { type: 'checkpoint', id: 'ckpt-1' }
const lab = {
  subjects: [
    { ...alice, roles: ['researcher'], related: { allocation } },
    { ...bob, roles: ['researcher'] },
    { type: 'program', id: 'eval', acts_for: alice, related: { allocation } },
    { type: 'workload', id: 'train-1', related: { workload } },
  ],
  resources: [
    { ...workload, attributes: { owner: 'alice' } },
    { ...allocation, attributes: { holder: 'alice', nodes: { n1: true }, until: 1_800_000_600 } },
    { ...checkpoint, attributes: { node: 'n1' }, related: { workload } },
    { type: 'checkpoint', id: 'ckpt-2', attributes: { node: 'n2' }, related: { workload } },
  ],
}

describe('researchers and their checkpoints', () => {
  beforeEach(async () => {
    expect(await change('import', lab)).toEqual([true, 'administrator'])
  })

  test('only their own, only from their partition, and only while it is allocated', async () => {
    expect(await may(alice, 'read', checkpoint)).toEqual([true, 'role_permitted'])
    expect(await may(bob, 'read', checkpoint)).toEqual([false, 'not_owner', 'outside_partition'])
    const elsewhere = { type: 'checkpoint', id: 'ckpt-2' }
    expect(await may(alice, 'read', elsewhere)).toEqual([false, 'outside_partition'])
    desk.now = 1_800_000_600
    expect(await may(alice, 'read', checkpoint)).toEqual([false, 'outside_partition'])
  })

  test('a program reads for its researcher, until the researcher may not', async () => {
    const program = { type: 'program', id: 'eval' }
    expect(await may(program, 'read', checkpoint)).toEqual([true, 'program_permitted'])
    await change('revoke', { subject: alice, role: 'researcher' })
    expect(await may(program, 'read', checkpoint)).toEqual([false, 'person_not_permitted'])
  })

  test('a workload writes its own checkpoints', async () => {
    expect(await may(workload, 'write', checkpoint)).toEqual([true, 'program_permitted'])
    const other = {
      resource: checkpoint,
      related: { workload: { type: 'workload', id: 'train-2' } },
    }
    expect(await change('put-resource', other)).toEqual([true, 'administrator'])
    expect(await may(workload, 'write', checkpoint)).toEqual([false, 'other_workload'])
  })

  test('claims do not help', async () => {
    const claiming = {
      type: 'user',
      id: 'eve',
      properties: { roles: ['researcher'], role: 'researcher' },
    }
    expect(await may(claiming, 'read', checkpoint)).toEqual([false, 'unknown_subject'])
    const owned = { ...checkpoint, properties: { owner: 'bob', node: 'n1' } }
    expect(await may(bob, 'read', owned)).toEqual([false, 'not_owner', 'outside_partition'])
  })

  test('what was taken away is gone', async () => {
    await change('remove-resource', { resource: checkpoint })
    expect(await may(alice, 'read', checkpoint)).toContain('unknown_resource')
    await change('remove-subject', { subject: alice })
    expect(await may(alice, 'read', checkpoint)).toContain('unknown_subject')
  })
})

describe('assignments', () => {
  beforeEach(async () => {
    await change('import', { subjects: [alice, bob] })
  })
  const assign = (subject: Json, role: string) => change('assign', { subject, role })
  const revoke = (subject: Json, role: string) => change('revoke', { subject, role })

  test('give and take what a role permits', async () => {
    const document = { type: 'document', id: 'handbook' }
    expect(await may(alice, 'read', document)).toEqual([false, 'not_permitted'])
    expect(await assign(alice, 'lab_lead')).toEqual([true, 'administrator'])
    expect(await may(alice, 'read', document)).toEqual([true, 'role_permitted'])
    expect(await revoke(alice, 'lab_lead')).toEqual([true, 'administrator'])
    expect(await may(alice, 'read', document)).toEqual([false, 'not_permitted'])
  })

  test('are not for everybody to make', async () => {
    const payload = { subject: alice, role: 'access_admin' }
    expect(await desk.ask('access.assign', payload, ANONYMOUS)).toEqual([
      false,
      'not_administrator',
    ])
    expect(await desk.ask('access.assign', payload, { kind: 'user', id: 'alice' })).toEqual([
      false,
      'not_administrator',
    ])
    await assign(bob, 'access_admin')
    expect(await desk.ask('access.assign', payload, { kind: 'user', id: 'bob' })).toEqual([
      true,
      'administrator',
    ])
  })

  test('respect separation of duty and prerequisites', async () => {
    expect(await assign(alice, 'release_approver')).toEqual([false, 'missing_prerequisite'])
    await assign(alice, 'auditor')
    expect(await assign(alice, 'release_approver')).toEqual([true, 'administrator'])
    expect(await revoke(alice, 'auditor')).toEqual([false, 'required_by_role'])
    expect(await assign(alice, 'access_admin')).toEqual([false, 'static_separation'])
  })

  test('count the members of a role over every way to come and go', async () => {
    const admins = [...'abcde'].map((id) => ({ ...user(id), roles: ['access_admin'] }))
    expect(await change('import', { subjects: admins })).toEqual([true, 'administrator'])
    expect(await assign(alice, 'access_admin')).toEqual([false, 'role_full'])
    await revoke(user('a'), 'access_admin')
    expect(await assign(alice, 'access_admin')).toEqual([true, 'administrator'])
    expect(await assign(bob, 'access_admin')).toEqual([false, 'role_full'])
    await change('remove-subject', { subject: user('b') })
    expect(await assign(bob, 'access_admin')).toEqual([true, 'administrator'])
    for (const id of [...'cde', 'alice', 'bob'])
      await change('remove-subject', { subject: user(id) })
    expect([...desk.records.keys()].filter((key) => key.startsWith('members'))).toEqual([])
  })

  test('stay when the subject is put again', async () => {
    await assign(alice, 'member')
    await change('put-subject', { subject: alice, attributes: { team: 'red' } })
    expect(await may(alice, 'read', { type: 'document', id: 'd' })).toEqual([
      true,
      'role_permitted',
    ])
  })
})

describe('sessions', () => {
  const release = { type: 'release', id: 'r1' }
  const open = (session: string, roles: readonly string[], peer = OPERATOR) =>
    desk.ask(
      'access.open-session',
      { subject: alice, session, roles: [...roles], expires: desk.now + 600 },
      peer,
    )
  const under = (session: string, name: string) =>
    may(alice, name, release, { context: { session } })

  beforeEach(async () => {
    const roles = ['auditor', 'release_approver', 'release_author']
    await change('import', { subjects: [{ ...alice, roles }, bob], resources: [release] })
  })

  test('activate one of two roles that exclude each other', async () => {
    expect(await may(alice, 'approve', release)).toEqual([false, 'session_required'])
    expect(await open('s1', ['release_approver', 'release_author'])).toEqual([
      false,
      'dynamic_separation',
    ])
    expect(await open('s1', ['release_approver'])).toEqual([true, 'administrator'])
    expect(await under('s1', 'approve')).toEqual([true, 'role_permitted'])
    expect(await under('s1', 'propose')).toEqual([false, 'not_permitted'])
  })

  test('are opened and closed by the subject itself', async () => {
    expect(await open('s1', ['auditor'], { kind: 'user', id: 'bob' })).toEqual([
      false,
      'not_administrator',
    ])
    expect(await open('s1', ['auditor'], { kind: 'user', id: 'alice' })).toEqual([
      true,
      'self_service',
    ])
    const close = (id: string) =>
      desk.ask('access.close-session', { session: 's1' }, { kind: 'user', id })
    expect(await close('bob')).toEqual([false, 'not_administrator'])
    expect(await close('alice')).toEqual([true, 'self_service'])
    expect(await under('s1', 'read')).toEqual([false, 'unknown_session'])
  })

  test('end by time, by revocation and with their subject', async () => {
    await open('s1', ['release_author'])
    expect(await under('s1', 'propose')).toEqual([true, 'role_permitted'])
    await change('revoke', { subject: alice, role: 'release_author' })
    expect(await under('s1', 'propose')).toEqual([false, 'not_permitted'])
    await change('assign', { subject: alice, role: 'release_author' })
    desk.now += 600
    expect(await under('s1', 'propose')).toEqual([false, 'session_expired'])
    desk.now -= 600
    await change('remove-subject', { subject: alice })
    await change('import', { subjects: [{ ...alice, roles: ['release_author'] }] })
    expect(await under('s1', 'propose')).toEqual([false, 'foreign_session'])
  })

  test('belong to one subject and one name', async () => {
    await open('s1', ['auditor'])
    expect(await open('s1', ['auditor'])).toEqual([false, 'session_exists'])
    expect(await may(bob, 'read', release, { context: { session: 's1' } })).toEqual([
      false,
      'foreign_session',
    ])
  })
})

describe('imports', () => {
  test('are all or nothing and only add', async () => {
    const bad = { subjects: [alice, { ...bob, roles: ['ghost'] }] }
    expect(await change('import', bad)).toEqual([false, 'unknown_role'])
    expect([...desk.records]).toEqual([])
    expect(await change('import', { subjects: [alice] })).toEqual([true, 'administrator'])
    expect(await change('import', { subjects: [alice, bob] })).toEqual([false, 'record_exists'])
  })

  test('take as many records as they say', async () => {
    const subjects = [...Array(250).keys()].map((i) => ({ ...user(`u${i}`), roles: ['member'] }))
    const resources = [...Array(250).keys()].map((i) => ({ type: 'node', id: `n${i}` }))
    expect(await change('import', { subjects, resources })).toEqual([true, 'administrator'])
    expect(desk.records.size).toBe(751)
  })

  test('with many bad records come to one reason', async () => {
    const subjects = [...Array(200).keys()].map((i) => ({
      ...user(`u${i}`),
      roles: ['ghost', `r${i}`],
    }))
    expect(await change('import', { subjects })).toEqual([false, 'unknown_role'])
  })
})

test('a malformed payload is refused', async () => {
  expect(await desk.ask('access.evaluate', { subject: alice })).toEqual([
    false,
    'malformed_request',
  ])
  expect(await change('assign', { subject: alice })).toEqual([false, 'malformed_request'])
})
