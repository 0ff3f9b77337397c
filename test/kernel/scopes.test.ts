/** One public key has one scope, whichever plugin is asked first, and also when both are asked at the same time. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toBase64 } from '../../core/base64.ts'
import { fromBase64url } from '../../core/crypto.ts'
import type { Plugin } from '../../core/plugin.ts'
import { enrolment } from '../../plugins/enrolment/facts.ts'
import { release } from '../../plugins/release/facts.ts'
import { signingKey } from '../keys.ts'
import { type Real, realKernel } from './real.ts'

const teller = { name: 'outbound/teller', kinds: ['announce.revoke'], perform: async () => ({}) }
const open = (): Promise<Real> =>
  realKernel([enrolment as Plugin, release as Plugin], { outbound: [teller] })

let real: Real
beforeEach(async () => {
  real = await open()
})
afterEach(() => real.kernel.close())

type Told = readonly (boolean | string)[]

/** As a cell's. */
function bind(name: string): Promise<Told> {
  const { binds, publicKey } = signingKey(name)
  const proof = binds({ owner: 'cell-a', scope: 'cell' })
  return real.ask('enrolment.bind-cell', { cell: 'cell-a', proof, public_key: publicKey })
}

/** As minisign writes it: `Ed`, a key id and the key. */
function pin(name: string): Promise<Told> {
  const key = fromBase64url(signingKey(name).publicKey) as Uint8Array
  const id = Uint8Array.from({ length: 8 }, (_, i) => name.charCodeAt(i % name.length) + i)
  const bytes = new Uint8Array([0x45, 0x64, ...id, ...key])
  return real.ask('release.pin', { public_key: toBase64(bytes) })
}

test('a key that is enrolled is not pinned for releases', async () => {
  expect(await bind('k')).toEqual([true, 'enrolled'])
  expect(await pin('k')).toEqual([false, 'key_scope_conflict'])
  const revoked = { public_key: signingKey('k').publicKey, state: 'revoked' }
  expect(await real.ask('enrolment.transition-key', revoked)).toEqual([true, 'transitioned'])
  expect(await pin('k')).toEqual([false, 'key_scope_conflict'])
})

test('a key that is pinned for releases is not enrolled', async () => {
  expect((await pin('k'))[0]).toBe(true)
  expect(await bind('k')).toEqual([false, 'key_scope_conflict'])
})

test('of both at the same time exactly one wins', async () => {
  for (let round = 0; round < 12; round++) {
    const key = `k${round}`
    const asked = round % 2 === 0 ? [pin(key), bind(key)] : [bind(key), pin(key)]
    const answers = await Promise.all(asked)
    expect(answers.filter(([allow]) => allow)).toHaveLength(1)
    await real.kernel.close()
    real = await open()
  }
})
