/** Tokens that came to the wrong cell, and what is forgotten, in a real kernel. */
import { afterAll, describe, expect, test } from 'vitest'
import { toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { OutboundAction } from '../../core/ports/outbound.ts'
import { said } from '../../test/enforcement.ts'
import { testCustody } from '../../test/kernel/custody.ts'
import { signedCall } from '../../test/keys.ts'
import { enrolled, handlesOf, NOW, OTHER, openPoint, RECORDS, used } from '../../test/presented.ts'
import { compiler } from '../../test/rego.ts'
import { authorityOf, CELL, canonicalBytes, granted, pairOf, tokenText } from '../../test/tokens.ts'

afterAll(() => compiler.close())

describe('a token for another cell', () => {
  const stray = tokenText(
    granted(canonicalBytes({ ...authorityOf({ aud: OTHER, iss: OTHER }) }), pairOf(OTHER)),
  )
  const [handle = ''] = handlesOf(stray)

  test('is refused, and the other cell is told once, in a call that the other cell accepts', async () => {
    const actions: OutboundAction[] = []
    const outbound = [
      {
        name: 'test',
        kinds: ['capability.report'],
        perform: async (action: OutboundAction) => {
          actions.push(action)
          return { told: true }
        },
      },
    ]
    const custody = await testCustody()
    const [key] = await custody.list('cell')
    const publicKey = toBase64url(key!.publicKey)
    const here = {
      [`cell/${CELL}`]: {
        cell: CELL,
        keys: [{ public_key: publicKey, state: 'active', custody: 'cell' }],
        local: true,
      },
    }
    const records = { ...RECORDS, enrolment: { ...here, ...enrolled(OTHER) } }
    const point = await openPoint({ custody, outbound, records })
    const { use } = point
    expect(said(await use(used(stray)))).toEqual([false, 'audience_mismatch'])
    expect(said(await use(used(stray)))).toEqual([false, 'audience_mismatch'])
    await expect.poll(() => actions.length).toBe(1)
    await point.close()
    const { body } = actions[0] as { body: { [member: string]: Json } }
    const { call, signatures } = body as {
      call: { [member: string]: Json }
      signatures: { report: string }
    }
    expect(body.cell).toBe(OTHER)
    const payload = { body: body.body!, call: { ...call, signature: signatures.report } }
    const there = {
      [`cell/${OTHER}`]: { ...(enrolled(OTHER)[`cell/${OTHER}`] as object), local: true },
    }
    const { ask } = await openPoint({ records: { enrolment: { ...here, ...there } } })
    expect(said(await ask('capability.report', payload))).toEqual([true, 'report_heard'])
    expect(said(await ask('capability.report', payload))).toEqual([false, 'report_known'])
  })

  test('is not reported where the outbox has nobody to tell', async () => {
    const { use } = await openPoint({ records: { ...RECORDS, enrolment: { ...enrolled(OTHER) } } })
    expect(said(await use(used(stray)))).toEqual([false, 'audience_mismatch'])
  })

  test('is reported by the cell that it came to, and by nobody else', async () => {
    const body = { at: OTHER, cell: CELL, handle, time: NOW }
    const { ask } = await openPoint()
    const call = (by: string, cell: string, said = body): Json =>
      signedCall(pairOf(by), { action: 'capability.report', body: said, cell, time: NOW })
    const reported = async (payload: Json): Promise<string | undefined> =>
      said(await ask('capability.report', payload))[1]
    expect(await reported(body)).toBe('report_unsigned')
    expect(await reported(call('cell-C', 'cell-C'))).toBe('caller_unknown')
    expect(await reported(call(CELL, OTHER))).toBe('caller_invalid')
    expect(await reported(call(OTHER, OTHER, { ...body, at: CELL }))).toBe('report_of_others')
    expect(await reported(call(OTHER, OTHER, { ...body, cell: 'cell-C' }))).toBe(
      'report_misdirected',
    )
    expect(await reported(call(OTHER, OTHER))).toBe('report_heard')
  })
})

test('records are forgotten when they are over, by the kernel or its operator', async () => {
  const records = {
    ...RECORDS,
    capability: { 'nonce/a': { until: NOW - 1 }, 'spent/b/0': { amount: 1, since: 0, until: NOW } },
  }
  const { ask, record } = await openPoint({ records })
  const keys = ['nonce/a', 'nonce/absent', 'spent/b/0']
  const stranger = await ask('capability.sweep', { keys }, { kind: 'anonymous', id: 'anonymous' })
  expect(said(stranger)).toEqual([false, 'not_sweeper'])
  const swept = await ask('capability.sweep', { keys })
  expect(said(swept)).toEqual([true, 'due'])
  expect(swept.output).toEqual({ forgotten: 1 })
  expect([await record('nonce/a'), await record('spent/b/0')]).toEqual([
    undefined,
    { amount: 1, since: 0, until: NOW },
  ])
  expect(said(await ask('capability.sweep', { keys }))).toEqual([false, 'nothing_due'])
  expect(said(await ask('capability.sweep', { keys: ['call/x'] }))).toEqual([
    false,
    'malformed_request',
  ])
})
