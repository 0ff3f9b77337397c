/** What custody cannot do, and what was overtaken before it was asked. */
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { CustodyError } from '../../../core/error.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import { compiler } from '../../../test/rego.ts'
import { keyFolder } from '../../../test/signer/folder.ts'
import { begin, type Signing, signing, TASK } from '../../../test/signer/kit.ts'

afterAll(() => compiler.close())

let keys: Custody
let place: Signing
/** What the next changes of custody come to; what it does itself otherwise. */
let failing: CustodyError[]
beforeEach(async () => {
  failing = []
  keys = await keyFolder()
  const custody = Object.assign(Object.create(keys) as Custody, {
    list: (scope: never) => keys.list(scope),
    sign: (request: never) => keys.sign(request),
    close: () => keys.close(),
    create: (...asked: Parameters<Custody['create']>) => fail() ?? keys.create(...asked),
    transition: (...asked: Parameters<Custody['transition']>) =>
      fail() ?? keys.transition(...asked),
  })
  place = await signing({ custody })
  onTestFinished(() => place.kernel.close())
  await begin(place)
})
const fail = (): Promise<never> | undefined => {
  const error = failing.shift()
  return error && Promise.reject(error)
}
const states = async () => (await place.key()).versions.map(({ state }) => state)
/** The outbox tries again after a while. */
const later = () => {
  place.clock.advance(1000)
  return states()
}

test('a custody that is away for a while is asked again', async () => {
  failing = [
    new CustodyError('test', 'unavailable', 'not now'),
    new CustodyError('test', 'unknown_outcome', 'maybe'),
  ]
  await place.decide('signer.rotate', TASK)
  await expect.poll(later, { timeout: 5000 }).toEqual(['active', 'pre-active'])
  expect(await place.states()).toEqual(['active', 'pre-active'])
})

test('what it never will do is over, and stands in the log', async () => {
  failing = [new CustodyError('test', 'algorithm_mismatch', 'no such keys here')]
  await place.decide('signer.rotate', TASK)
  await place.settled()
  expect(await states()).toEqual(['active'])
  expect((await place.key()).creating.wanted).toBe(false)

  await place.decide('signer.rotate', TASK)
  await place.settled()
  const [, next] = (await keys.list('task')).filter(({ name }) => name === TASK.name)
  if (next === undefined) throw new Error('custody has made the next version')
  await keys.transition(next, 'revoked')
  await place.decide('signer.activate', { ...TASK, version: 2 })
  await place.settled()
  expect(await states()).toEqual(['active', 'pre-active'])
  expect((await place.key()).pending.version).toBe(0)
})

test('an activation that was revoked before custody came to it is not done', async () => {
  await place.decide('signer.rotate', TASK)
  await place.settled()
  failing = [new CustodyError('test', 'unavailable', 'not now')]
  await place.decide('signer.activate', { ...TASK, version: 2 })
  expect(await place.ask('signer.revoke', { ...TASK, reason: 'stolen', version: 2 })).toEqual([
    true,
    'revoked',
  ])
  place.clock.advance(1000)
  await place.settled()
  expect(await states()).toEqual(['active', 'revoked'])
  expect(await place.states()).toEqual(['active', 'revoked'])
})
