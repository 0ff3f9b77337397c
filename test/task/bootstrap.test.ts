/** From bare to trusted, a rotation of CAs, and every swap that somebody could try. */
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { createEnvelope, parseEnvelope } from '../../formats/dsse/index.ts'
import {
  type Anchor,
  readToken,
  TRUST_KINDS,
  TRUST_PAYLOAD_TYPES,
} from '../../formats/trust/index.ts'
import {
  type HttpsCa,
  installPackage,
  type NodeAgentOptions,
  type NodeCa,
  type NodeTrust,
  openNodeAgent,
  openNodeTrust,
  type TrustAnswer,
  type VerifierRoots,
} from '../../node-agent/index.ts'
import { keyFolder } from '../signer/folder.ts'
import { type Enrolling, enrolling } from './enrolled.ts'
import { envelope, Platform } from './platform.ts'

const pem = (text: string): string =>
  `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`
const anchor = (
  id: string,
  state: Anchor['state'] = 'current',
  value = pem(`${id}AA`),
): Anchor => ({
  ...{ id, state, value },
})
const NODE = 'node-1'
const FILES = { https: 'https-ca', 'node-ca': 'node-ca', 'verifier-root': 'verifier-root' } as const

let here: Enrolling
let dir: string
let trust: NodeTrust
beforeEach(async () => {
  here = await enrolling(await keyFolder())
  dir = mkdtempSync(join(tmpdir(), 'assay-trust-'))
  trust = openNodeTrust(dir)
  await here.publish('https', [anchor('web1')])
  await here.publish('node-ca', [anchor('node1')])
  await here.publish('verifier-root', [anchor('root1', 'current', here.verifierRoot)])
})
afterEach(async () => {
  await here.place.kernel.close()
  rmSync(dir, { recursive: true })
})

async function enrol(): Promise<TrustAnswer> {
  const token = await here.issue(NODE)
  return trust.enrol(token, await here.fetch(NODE, readToken(token)?.secret ?? ''))
}
const acknowledge = (version: number) =>
  here.place.ask(
    'bootstrap.acknowledge',
    { node_id: NODE, trust: 'https', version },
    { kind: 'node', id: NODE },
  )

describe('a node', () => {
  test('that has a token and nothing else comes to trust three things', async () => {
    expect(() => trust.httpsCa()).toThrow(expect.objectContaining({ code: 'misconfigured' }))
    expect(await enrol()).toEqual({ accepted: true, version: 1 })
    trust = openNodeTrust(dir)
    expect(trust.httpsCa()).toEqual([pem('web1AA')])
    expect(trust.nodeCa()).toEqual([pem('node1AA')])
    expect(trust.verifierRoots()).toEqual([here.verifierRoot])
    const agent = openNodeAgent({
      ...{ dir, nodeId: NODE, root: trust.verifierRoots(), types: [installPackage] },
    })
    expect(agent.ingestSet(await here.set())).toEqual({ accepted: true, version: 1 })
  })

  test('gets its bundle once', async () => {
    const token = await here.issue(NODE)
    const secret = readToken(token)?.secret ?? ''
    expect(await here.fetch('node-2', secret)).toBe('token_mismatch')
    expect(await here.fetch(NODE, secret)).toMatch(/^\{/)
    expect(await here.fetch(NODE, secret)).toBe('token_used')
    expect(await here.fetch(NODE, 'B'.repeat(43))).toBe('token_unknown')
    const late = await here.issue(NODE)
    here.place.clock.advance(86_400_000)
    expect(await here.fetch(NODE, readToken(late)?.secret ?? '')).toBe('token_expired')
  })

  test('believes nobody but the key that its token names', async () => {
    const token = await here.issue(NODE)
    const other = await here.issue('node-2')
    const answer = await here.fetch(NODE, readToken(token)?.secret ?? '')
    const evil = new Platform().key('evil')
    const read = JSON.parse(answer) as { [member: string]: Json }
    const refused = (changed: Json): unknown => trust.enrol(token, JSON.stringify(changed))
    expect(refused({ ...read, root: evil.x })).toMatchObject({ reason: 'root_mismatch' })
    expect(refused({ ...read, payload: 'e30=' })).toMatchObject({ reason: 'signature_invalid' })
    expect(refused([])).toMatchObject({ reason: 'malformed' })
    expect(trust.enrol(other, answer)).toMatchObject({ reason: 'node_mismatch' })
    expect(() => trust.enrol('token', answer)).toThrow(
      expect.objectContaining({ code: 'misconfigured' }),
    )
    expect(() => trust.controlPlane()).toThrow(expect.objectContaining({ code: 'misconfigured' }))
    expect(trust.enrol(token, answer)).toMatchObject({ accepted: true })
  })
})

describe('a CA', () => {
  const both = (first: Anchor['state'], second: Anchor['state']) => [
    anchor('web1', first),
    anchor('web2', second),
  ]

  test('is announced, acknowledged, used; the old one retires and goes', async () => {
    await enrol()
    expect(await acknowledge(1)).toEqual([true, 'acknowledged'])
    const early = both('retiring', 'current')
    expect(await here.publish('https', early)).toEqual([false, 'anchor_not_announced'])
    expect(await here.publish('https', both('current', 'next'))).toEqual([true, 'published'])
    expect(trust.updateHttps(await here.document('https'))).toEqual({ accepted: true, version: 2 })
    expect(trust.httpsCa()).toEqual([pem('web1AA'), pem('web2AA')])
    expect(await here.publish('https', early)).toEqual([false, 'nodes_lag'])
    expect(await acknowledge(2)).toEqual([true, 'acknowledged'])
    expect(await here.publish('https', early)).toEqual([true, 'published'])
    expect(await here.publish('https', [anchor('web2')])).toEqual([true, 'published'])
    const last = await here.document('https')
    expect(trust.updateHttps(last)).toEqual({ accepted: true, version: 4 })
    expect(trust.httpsCa()).toEqual([pem('web2AA')])
    expect(trust.updateHttps(last)).toMatchObject({ reason: 'not_newer' })
  })

  test('is used before every node has it where somebody says why', async () => {
    await enrol()
    await here.publish('https', both('current', 'next'))
    expect(await here.publish('https', both('retiring', 'current'), ' ')).toEqual([
      false,
      'malformed_request',
    ])
    const why = 'the old CA is lost'
    expect(await here.publish('https', both('retiring', 'current'), why)).toEqual([
      true,
      'published_early',
    ])
  })

  test('is not used before every node has it by way of retiring first', async () => {
    await enrol()
    await here.publish('https', both('current', 'next'))
    expect(await here.publish('https', both('current', 'retiring'))).toEqual([false, 'nodes_lag'])
    await acknowledge(2)
    expect(await here.publish('https', both('current', 'retiring'))).toEqual([true, 'published'])
  })

  test('does not come back in an older document, or in a second one of its version', async () => {
    await enrol()
    const first = await here.document('https')
    await here.publish('https', both('current', 'next'))
    trust.updateHttps(await here.document('https'))
    expect(trust.updateHttps(first)).toMatchObject({ reason: 'trust_rollback' })
  })
})

describe('a damaged file', () => {
  const corrupt = expect.objectContaining({ code: 'corrupt' })

  test('lets no older document in', async () => {
    await enrol()
    const first = await here.document('https')
    await here.publish('https', [anchor('web1'), anchor('web2', 'next')])
    trust.updateHttps(await here.document('https'))
    const path = join(dir, 'trust', 'https-ca.dsse.json')
    writeFileSync(path, '')
    expect(() => trust.updateHttps(first)).toThrow(corrupt)
    rmSync(path)
    expect(() => trust.updateHttps(first)).toThrow(corrupt)
    // A new token mends it.
    expect(await enrol()).toEqual({ accepted: true, version: 2 })
  })

  test.each(['', '{"root"', '{}', '[]', '{"root":7,"control_plane":"x"}'])(
    'names no root: %s',
    async (damage) => {
      await enrol()
      writeFileSync(join(dir, 'trust', 'trust-root.json'), damage)
      expect(() => trust.httpsCa()).toThrow(corrupt)
      expect(() => trust.controlPlane()).toThrow(corrupt)
    },
  )
})

describe('what is trusted for one purpose is not trusted for another', () => {
  test('the platform does not say so', async () => {
    const same = [anchor('web1'), anchor('node1', 'next', pem('node1AA'))]
    expect(await here.publish('https', same)).toEqual([false, 'anchor_in_other_trust'])
  })

  test.each([
    ['with other line breaks', pem('node1AA').replaceAll('\n', '\r\n')],
    ['in other lines', pem('node\n1AA')],
    ['beside another one', pem('web2AA') + pem('node1AA')],
  ])('nor the same certificate written %s', async (_, value) => {
    const same = [anchor('web1'), anchor('node1', 'next', value)]
    expect(await here.publish('https', same)).toEqual([false, 'anchor_in_other_trust'])
  })

  test('by types', () => {
    expectTypeOf<HttpsCa>().not.toExtend<NodeCa>()
    expectTypeOf<NodeCa>().not.toExtend<HttpsCa>()
    expectTypeOf<VerifierRoots>().not.toExtend<HttpsCa>()
    expectTypeOf<VerifierRoots>().toExtend<NodeAgentOptions['root']>()
    expectTypeOf<HttpsCa>().not.toExtend<NodeAgentOptions['root']>()
    expectTypeOf<NodeCa>().not.toExtend<NodeAgentOptions['root']>()
  })

  test('by the methods of another kind', async () => {
    await enrol()
    const updates = {
      https: trust.updateHttps.bind(trust),
      'node-ca': trust.updateNodeCa.bind(trust),
      'verifier-root': trust.updateVerifierRoot.bind(trust),
    }
    for (const kind of TRUST_KINDS)
      for (const other of TRUST_KINDS)
        expect(updates[other](await here.document(kind))).toMatchObject({
          accepted: false,
          reason: kind === other ? 'not_newer' : 'wrong_kind',
        })
  })

  test('by another label on the wire', async () => {
    await enrol()
    const signed = parseEnvelope(await here.document('https'))
    const payloadType = TRUST_PAYLOAD_TYPES['node-ca']
    const relabelled = JSON.stringify(createEnvelope({ ...signed!, payloadType }))
    expect(trust.updateNodeCa(relabelled)).toMatchObject({ reason: 'signature_invalid' })
    // Signed by the key that signs verifier sets, or any other: not by this one.
    const stranger = envelope(payloadType, signed!.payload, [new Platform().root])
    expect(trust.updateNodeCa(stranger)).toMatchObject({ reason: 'signature_invalid' })
  })

  test('in the answer to a token', async () => {
    const token = await here.issue(NODE)
    const read = JSON.parse(await here.fetch(NODE, readToken(token)?.secret ?? '')) as {
      readonly trust: { readonly [kind: string]: Json }
    }
    const { https, 'node-ca': nodeCa } = read.trust as { https: Json; 'node-ca': Json }
    const swapped = { ...read, trust: { ...read.trust, https: nodeCa, 'node-ca': https } }
    expect(trust.enrol(token, JSON.stringify(swapped))).toMatchObject({ reason: 'digest_mismatch' })
  })

  test('by files that change places', async () => {
    await enrol()
    const path = (kind: keyof typeof FILES): string =>
      join(dir, 'trust', `${FILES[kind]}.dsse.json`)
    const read = {
      https: () => trust.httpsCa(),
      'node-ca': () => trust.nodeCa(),
      'verifier-root': () => trust.verifierRoots(),
    }
    for (const kind of TRUST_KINDS)
      for (const other of TRUST_KINDS.filter((one) => one !== kind)) {
        renameSync(path(kind), join(dir, 'kept'))
        copyFileSync(path(other), path(kind))
        expect(read[kind]).toThrow(expect.objectContaining({ code: 'corrupt' }))
        renameSync(join(dir, 'kept'), path(kind))
        expect(read[kind]()).toHaveLength(1)
      }
    writeFileSync(path('https'), readFileSync(path('https'), 'utf8').replace('sig":"', 'sig":"A'))
    expect(read.https).toThrow(expect.objectContaining({ code: 'corrupt' }))
  })
})
