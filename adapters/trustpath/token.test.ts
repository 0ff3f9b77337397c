/** The way from the anchor to tokens, as they are issued, narrowed, sealed, tampered with and revoked on a real kernel. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toBase64url } from '../../core/crypto.ts'
import { bindMessage } from '../../formats/call/index.ts'
import { attenuate, inspectUnverified, seal } from '../../formats/cap1/client.ts'
import { NOW } from '../../test/lease/kit.ts'
import { CELL, LeasePlace, RESOURCES, TENANT } from '../../test/lease/place.ts'
import { compiler } from '../../test/rego.ts'
import { authorityOf, canonicalBytes, granted, pairOf, tokenText } from '../../test/tokens.ts'
import { DecisionWalk } from './decision.ts'
import type { Step } from './step.ts'
import { tokenSteps } from './token.ts'

const [RESOURCE] = RESOURCES as readonly [string]
let here: LeasePlace
let token: string
let lease: string
beforeEach(async () => {
  here = await LeasePlace.make()
  ;({ lease, token } = await here.lease(RESOURCE))
})
afterEach(() => here.remove())
afterAll(() => compiler.close())

const walk = (text: string): Promise<readonly Step[]> =>
  tokenSteps(text, here.trustPath, new DecisionWalk(here.trustPath))
const failed = (steps: readonly Step[]): readonly string[] =>
  steps.filter(({ ok }) => !ok).map(({ name }) => name)

describe('a token', { timeout: 120_000 }, () => {
  it('comes from the bound key, through the grant and each block', {
    timeout: 120_000,
  }, async () => {
    const narrowed = await seal(await attenuate(token, [{ t: 'op', v: ['read'] }]))
    const steps = await walk(narrowed)
    expect(failed(steps)).toEqual([])
    const decided = (prefix: string): readonly string[] =>
      ['checkpoint', 'inclusion', 'leaf', 'openings', 'policy', 'rule'].map((name) => prefix + name)
    expect(steps.map(({ name }) => name)).toEqual([
      'token',
      'issuer',
      ...decided('issuer/'),
      'block/0',
      'block/1',
      'seal',
      'grant',
      ...decided('grant/'),
      'time',
      'lease',
      'revocation',
    ])
    const rule = steps.find(({ name }) => name === 'grant/rule')
    const [reason] = rule?.accepted ?? []
    expect(reason).toMatchObject({ exact: true })
    expect(reason?.places).toEqual([
      { file: expect.stringMatching(/^lease\//), line: expect.any(Number) },
    ])
    expect(steps.find(({ name }) => name === 'grant')?.decision).toBe(lease)
    const open = await walk(token)
    expect(failed(open)).toEqual([])
    expect(open.map(({ name }) => name)).toContain('continuation')
    expect(JSON.stringify(open)).not.toContain(token.slice(token.lastIndexOf('.') + 1))
  })

  it('of a cell that another kernel keeps has its grant there', async () => {
    const far = pairOf('far')
    const proof = toBase64url(far.sign(bindMessage({ owner: 'far', scope: 'cell' })))
    const bound = { cell: 'far', proof, public_key: far.publicKey }
    expect((await here.ask('enrolment.bind-cell', bound)).allow).toBe(true)
    const fields = { aud: 'far', iss: 'far', iat: NOW, exp: NOW + 300 }
    const made = granted(canonicalBytes({ ...authorityOf(fields) }), far)
    const steps = await walk(tokenText(made))
    expect(steps.find(({ name }) => name === 'grant')).toMatchObject({ ok: true })
    // Nothing was heard of its revocations yet.
    expect(failed(steps)).toEqual(['lease'])
  })

  it('that was tampered with breaks where it was', async () => {
    const parts = (await seal(await attenuate(token, []))).split('.')
    const other = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
    const changed = (at: number): string =>
      parts.map((part, i) => (i === at ? other(part) : part)).join('.')
    expect(failed(await walk(changed(2)))).toEqual(['issuer', 'grant'])
    expect(failed(await walk(changed(4)))).toEqual(['block/1'])
    expect(failed(await walk(changed(5)))).toEqual(['seal'])
    expect(failed(await walk(changed(1)))).toEqual(['token'])
    expect(failed(await walk('cap1'))).toEqual(['token'])
  })

  it('that counts no more says why', async () => {
    const [handle] = (await inspectUnverified(token)).handles as [string]
    const revoke = (kind: string, id: string) =>
      here.ask('announce.revoke', { cell: CELL, id, kind })
    expect((await revoke('token', handle)).allow).toBe(true)
    expect(failed(await walk(token))).toEqual(['revocation'])
    expect((await revoke('tenant', TENANT)).allow).toBe(true)
    const both = (await walk(token)).filter(({ ok }) => !ok)
    expect(both.map(({ detail }) => detail.split(' ')[1])).toEqual(['token', 'tenant'])
    await here.ask('lease.revoke', { lease })
    // The broadcast may have come back by now, and be an entry of its own.
    expect(new Set(failed(await walk(token)))).toEqual(new Set(['lease', 'revocation']))
    here.clock.advance(100_000)
    expect(failed(await walk(token))[0]).toBe('time')
  })
})
