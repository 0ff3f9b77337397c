import { afterAll, describe, expect, test } from 'vitest'
import { testEngine } from '../../test/engine.ts'
import { compiler } from '../../test/rego.ts'
import type { LogEvent } from './event.ts'
import { openMask } from './mask.ts'

const EVENT: LogEvent = {
  labels: { id: 'assay.test/log' },
  decision_id: '0123456789abcdef0123456789abcdef',
  bundles: { assay: { revision: 'none' } },
  path: 'access/evaluate',
  input: {
    payload: {
      password: 'canary',
      'a/b~c': 'canary',
      cards: [{ number: 'canary-0' }, { number: 'canary-1' }, { number: 'canary-2' }],
      kept: 1,
    },
  },
  result: { allow: true, token: 'canary' },
  timestamp: '2026-09-21T14:13:20.000Z',
  custom: { action: 'access.evaluate', allow: true, log_index: '7', policy: 'none', reasons: [] },
}

const opened: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const one of opened) await one.close()
})

async function masked(rego: string, event: LogEvent = EVENT) {
  const sources = { 'mask.rego': `package system.log\n\n${rego}\n` }
  const one = await openMask(sources, compiler, testEngine())
  opened.push(one)
  return await one.mask(event)
}

describe('rules as OPA users have them', () => {
  test('a set of pointers takes out, and what was taken out is named', async () => {
    const { event } = await masked(`mask contains "/input/payload/password"
mask contains "/input/payload/a~1b~0c"
mask contains "/input/payload/nowhere/at/all"
mask contains "/result/token" if input.result.allow`)
    expect(event?.input).toEqual({
      payload: { cards: [0, 1, 2].map((n) => ({ number: `canary-${n}` })), kept: 1 },
    })
    expect(event?.result).toEqual({ allow: true })
    expect(event?.erased).toEqual([
      '/input/payload/a~1b~0c',
      '/input/payload/password',
      '/result/token',
    ])
    expect(event?.masked).toBeUndefined()
  })

  test('upsert writes over, also what was not there, and remove takes elements as they were numbered', async () => {
    const { event } =
      await masked(`mask contains {"op": "upsert", "path": "/input/payload/password", "value": "**"}
mask contains {"op": "upsert", "path": "/input/payload/new", "value": null}
mask contains {"op": "remove", "path": sprintf("/input/payload/cards/%d", [i])} if {
	some i in [0, 1]
}`)
    expect(event?.input).toEqual({
      payload: {
        password: '**',
        'a/b~c': 'canary',
        cards: [{ number: 'canary-2' }],
        kept: 1,
        new: null,
      },
    })
    expect(event?.masked).toEqual(['/input/payload/new', '/input/payload/password'])
    expect(event?.erased).toEqual(['/input/payload/cards/0', '/input/payload/cards/1'])
  })

  test('a whole part can go', async () => {
    const { event } = await masked('mask := ["/input", "/result"]')
    expect(JSON.stringify(event)).not.toContain('canary')
    expect(event?.erased).toEqual(['/input', '/result'])
    expect(event).not.toHaveProperty('input')
  })

  test('drop leaves an event out, and its absence none', async () => {
    const rule = 'drop if input.path == "access/evaluate"'
    expect(await masked(rule)).toEqual({ event: undefined })
    expect((await masked(rule, { ...EVENT, path: 'access/assign' })).event).toBeDefined()
    expect((await masked('mask := set()')).event).toEqual(EVENT)
  })
})

describe('rules that cannot be followed take out all that they could have masked', () => {
  for (const rego of [
    'mask := "/input/payload/password"',
    'mask := ["/custom/allow"]',
    'mask := ["input/payload"]',
    'mask := [{"op": "copy", "path": "/input/payload"}]',
    'mask := [7]',
    'mask := ["/input/%zz"]',
    'mask contains "/input" if 1 / count(input.labels.none) == 2\nmask contains 1',
  ])
    test(rego.split('\n')[0] as string, async () => {
      const { event, failed } = await masked(rego)
      expect(failed).toBe(true)
      expect(JSON.stringify(event)).not.toContain('canary')
      expect(event).toMatchObject({ decision_id: EVENT.decision_id, erased: ['/input', '/result'] })
    })
})

test('rules that do not compile export nothing', async () => {
  await expect(masked('mask contains input.')).rejects.toMatchObject({ code: 'invalid_policy' })
})
