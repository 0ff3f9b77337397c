/**
 * The Ed25519 path, against a stand-in of our own and no KMS: no emulator has such keys, so this shows what the adapter asks and makes of answers that
 * are shaped as AWS documents them, and not that AWS gives them.
 */
import { generateKeyPairSync, type KeyObject, sign as signWith } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Custody } from '../../../core/ports/custody.ts'
import { useAccount } from '../../../test/conformance/custody/kms.ts'
import { keyIn, sign, verifies } from '../../../test/conformance/custody/subject.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { systemClock } from '../../clock/system.ts'
import { openKmsCustody } from './index.ts'

type Asked = Readonly<Record<string, string>> & { readonly Tags?: readonly Tag[] }
interface Tag {
  readonly TagKey: string
  readonly TagValue: string
}

const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const KeyMetadata = {
  KeyId: KEY_ID,
  Arn: `arn:aws:kms:eu-central-1:111122223333:key/${KEY_ID}`,
  KeySpec: 'ECC_NIST_EDWARDS25519',
  KeyUsage: 'SIGN_VERIFY',
  KeyState: 'Enabled',
  Origin: 'AWS_KMS',
}
const message = new TextEncoder().encode('a message')

let secret: KeyObject
let spki: Buffer
let signed: Asked[]
let server: Server
let custody: Custody

beforeEach(async () => {
  useAccount()
  signed = []
  const pair = generateKeyPairSync('ed25519')
  secret = pair.privateKey
  spki = pair.publicKey.export({ format: 'der', type: 'spki' })
  server = standIn()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  custody = await openKmsCustody({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    algorithms: ['ed25519'],
    maxAgeMs: 0,
    clock: systemClock,
  })
})
afterEach(async () => {
  await custody.close()
  server.close()
})

/** One key, its tags, and aliases. */
function standIn(): Server {
  const tags = new Map<string, string>()
  const aliases = new Map<string, string>()
  const answers: Readonly<Record<string, (asked: Asked) => object>> = {
    CreateKey: ({ KeySpec, Tags = [] }) => {
      expect(KeySpec).toBe(KeyMetadata.KeySpec)
      for (const { TagKey, TagValue } of Tags) tags.set(TagKey, TagValue)
      return { KeyMetadata }
    },
    TagResource: ({ Tags = [] }) => {
      for (const { TagKey, TagValue } of Tags) tags.set(TagKey, TagValue)
      return {}
    },
    CreateAlias: ({ AliasName = '', TargetKeyId = '' }) => {
      aliases.set(AliasName, TargetKeyId)
      return {}
    },
    ListAliases: () => ({
      Aliases: [...aliases].map(([AliasName, TargetKeyId]) => ({ AliasName, TargetKeyId })),
      Truncated: false,
    }),
    ListResourceTags: () => ({
      Tags: [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      Truncated: false,
    }),
    DescribeKey: () => ({ KeyMetadata }),
    GetPublicKey: () => ({ KeyId: KEY_ID, PublicKey: spki.toString('base64') }),
    Sign: (asked) => {
      signed.push(asked)
      const Signature = signWith(null, Buffer.from(asked.Message ?? '', 'base64'), secret)
      return { KeyId: KEY_ID, Signature: Signature.toString('base64') }
    },
  }
  return createServer(async (request, answer) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const action = String(request.headers['x-amz-target']).replace('TrentService.', '')
    const asked = JSON.parse(String(Buffer.concat(parts))) as Asked
    answer.setHeader('content-type', 'application/x-amz-json-1.1')
    answer.end(JSON.stringify(answers[action]?.(asked) ?? {}))
  })
}

it('makes, lists and signs with pure Ed25519 over the whole message', async () => {
  const key = await keyIn(custody, 'active')
  expect(key).toMatchObject({ algorithm: 'ed25519', version: 1, state: 'active' })
  expect(key.publicKey).toHaveLength(32)
  expect(await custody.list('log')).toEqual([key])
  expect(verifies(key, await sign(custody, key, message), message)).toBe(true)
  expect(signed).toMatchObject([
    { MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512', KeyId: KEY_ID },
  ])
})

it('takes no signature of another key, and no key of another kind', async () => {
  const key = await keyIn(custody, 'active')
  secret = generateKeyPairSync('ed25519').privateKey
  expect(await refusal(sign(custody, key, message))).toBe('corrupt')
  spki = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' })
  expect(await refusal(custody.create('log', 'other'))).toBe('misconfigured')
})

it('is not made unless it is configured', async () => {
  expect(await refusal(custody.create('log', 'p', 'ecdsa-p256'))).toBe('algorithm_mismatch')
})
