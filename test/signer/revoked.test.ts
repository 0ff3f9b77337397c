/** A key that was revoked on record signs nothing, though custody still would. */
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { CustodyError } from '../../core/error.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Custody } from '../../core/ports/custody.ts'
import { task } from '../../plugins/task/facts.ts'
import { compiler } from '../rego.ts'
import { keyFolder } from './folder.ts'
import { begin, signing, TASK } from './kit.ts'

afterAll(() => compiler.close())

const TO_NODE = {
  node_id: 'node-7',
  params: { digest: `sha256:${'ab'.repeat(32)}`, name: 'driver' },
  ttl: 60,
  type: 'node.install-package',
  version: 1,
}

test('the next signature is refused, before custody has heard of it', async () => {
  const keys = await keyFolder()
  let away = false
  let inFlight: (() => Promise<unknown>) | undefined
  const custody: Custody = Object.assign(Object.create(keys) as Custody, {
    list: (scope: never) => keys.list(scope),
    close: () => keys.close(),
    create: (...asked: Parameters<Custody['create']>) => keys.create(...asked),
    async sign(...asked: Parameters<Custody['sign']>) {
      const signature = await keys.sign(...asked)
      const between = asked[0].key.scope === 'task' ? inFlight : undefined
      inFlight = undefined
      await between?.()
      return signature
    },
    async transition(...asked: Parameters<Custody['transition']>) {
      if (away) throw new CustodyError('test', 'unavailable', 'not now')
      return keys.transition(...asked)
    },
  })
  const place = await signing({ custody, plugins: [task as Plugin] })
  onTestFinished(() => place.kernel.close())
  await begin(place)
  expect((await place.decide('task.sign', TO_NODE)).allow).toBe(true)

  away = true
  const revoke = { ...TASK, reason: 'stolen', version: 1 }
  // It lands while custody signs: what was signed is never released.
  inFlight = () => place.decide('signer.revoke', revoke)
  const late = await place.decide('task.sign', TO_NODE)
  expect(late.reasons.map(({ code }) => code)).toEqual(['signing_key_not_active'])
  expect(late.output).toBeUndefined()
  expect(await place.ask('task.sign', TO_NODE)).toEqual([false, 'signing_key_not_active'])
  expect((await keys.list('task'))[0]?.state).toBe('active')
})
