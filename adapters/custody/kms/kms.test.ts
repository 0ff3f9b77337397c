/** What is in KMS, in whatever way it came to be there, and what a configuration may say. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  type KeySpec,
  KMSClient,
  ListAliasesCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Custody, PublicKey } from '../../../core/ports/custody.ts'
import { localstack } from '../../../test/backends/localstack.ts'
import { type OpenedKms, openKms, useAccount } from '../../../test/conformance/custody/kms.ts'
import { keyIn, sign, verifies } from '../../../test/conformance/custody/subject.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { type KmsCustodyOptions, openKmsCustody } from './index.ts'

const message = new TextEncoder().encode('a message')

let opened: OpenedKms
let custody: Custody
let operator: KMSClient
beforeEach(async () => {
  useAccount()
  opened = await openKms()
  custody = opened.custody
  operator = new KMSClient(await localstack())
})
afterEach(async () => {
  operator.destroy()
  await opened.dispose()
})

const aliasOf = (path: string): string => `alias/${opened.options.prefix}/${path}`
/** Every alias of this custody, without its prefix, with the key that it leads to. */
async function aliases(): Promise<ReadonlyMap<string, string>> {
  const { Aliases = [] } = await operator.send(new ListAliasesCommand({}))
  const own = Aliases.filter(({ AliasName }) => AliasName?.startsWith(aliasOf('')))
  return new Map(
    own.map(({ AliasName = '', TargetKeyId = '' }) => [
      AliasName.slice(aliasOf('').length),
      TargetKeyId,
    ]),
  )
}
async function keyIdOf(key: PublicKey): Promise<string> {
  return (await aliases()).get(`${key.scope}/${key.name}/${key.version}`) as string
}
async function made(
  KeySpec: KeySpec,
  KeyUsage: 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY',
): Promise<string> {
  const { KeyMetadata } = await operator.send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  return KeyMetadata?.KeyId as string
}
/** As a process has it that knows nothing yet. */
async function fresh(): Promise<Custody> {
  return (await opened.reopen()).custody
}

describe('aliases', () => {
  it('say versions, states, and for people what was activated last', async () => {
    const first = await keyIn(custody, 'active')
    expect([...(await aliases()).keys()].sort()).toEqual([
      'log/main',
      'log/main/1',
      'log/main/1/1-active',
    ])
    const second = await keyIn(custody, 'active')
    for (const state of ['grace', 'retired', 'active', 'grace', 'revoked'] as const)
      await custody.transition(first, state)
    const now = await aliases()
    expect([...now.keys()].sort()).toEqual([
      'log/main',
      'log/main/1',
      'log/main/1/5-grace',
      'log/main/1/6-revoked',
      'log/main/2',
      'log/main/2/1-active',
    ])
    expect(now.get('log/main')).toBe(await keyIdOf(first))
    expect(now.get('log/main/2')).toBe(await keyIdOf(second))
  })

  it('revoke whatever stands beside', async () => {
    const key = await keyIn(custody, 'revoked')
    const TargetKeyId = await keyIdOf(key)
    const AliasName = aliasOf('log/main/1/9-active')
    await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    const reader = await fresh()
    expect(await reader.list('log')).toMatchObject([{ state: 'revoked' }])
    expect(await refusal(sign(reader, key, message))).toBe('retired')
    expect(await refusal(reader.transition(key, 'active'))).toBe('invalid_transition')
  })

  it('of two states with one number say the one that takes more away', async () => {
    const key = await keyIn(custody, 'grace')
    const TargetKeyId = await keyIdOf(key)
    for (const mark of ['3-active', '3-retired']) {
      const AliasName = aliasOf(`log/main/1/${mark}`)
      await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    }
    expect(await (await fresh()).list('log')).toMatchObject([{ state: 'retired' }])
  })

  it('of others and of no meaning here are left alone', async () => {
    const key = await keyIn(custody, 'active')
    const TargetKeyId = await made('RSA_2048', 'SIGN_VERIFY')
    for (const path of ['log', 'nothing/main/1', 'log/Main/1', 'log/main/01', 'log/main/1/2/3/4'])
      await operator.send(new CreateAliasCommand({ AliasName: aliasOf(path), TargetKeyId }))
    expect(await (await fresh()).list('log')).toEqual([key])
  })

  it('that say no state are refused', async () => {
    const key = await keyIn(custody, 'active')
    const TargetKeyId = await keyIdOf(key)
    const AliasName = aliasOf('log/main/1/2-destroyed')
    await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    expect(await refusal((await fresh()).list('log'))).toBe('corrupt')
  })
})

describe('a key that is not what its alias says', () => {
  it.each([
    ['RSA_2048', 'SIGN_VERIFY'],
    ['ECC_NIST_P384', 'SIGN_VERIFY'],
    ['RSA_2048', 'ENCRYPT_DECRYPT'],
  ] as const)('is of another kind: %s for %s', async (spec, usage) => {
    const TargetKeyId = await made(spec, usage)
    const AliasName = aliasOf('log/main/1')
    await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    expect(await refusal(custody.list('log'))).toBe('misconfigured')
    expect(await refusal(custody.create('log', 'main'))).toBe('misconfigured')
  })

  it('has a private half that somebody imported, and may have kept', async () => {
    const first = await keyIn(custody, 'active')
    const Tags = Object.entries({
      'assay:prefix': opened.options.prefix ?? '',
      'assay:scope': 'log',
      'assay:name': 'main',
      'assay:version': '2',
      'assay:public-key': `ecdsa-p256:${Buffer.from(first.publicKey).toString('base64url')}`,
    }).map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
    const spec = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
    const { KeyMetadata } = await operator.send(
      new CreateKeyCommand({ ...spec, Origin: 'EXTERNAL', Tags }),
    )
    const TargetKeyId = KeyMetadata?.KeyId
    await operator.send(new CreateAliasCommand({ AliasName: aliasOf('log/main/2'), TargetKeyId }))
    expect(await refusal((await fresh()).list('log'))).toBe('misconfigured')
  })

  it('was made as nothing', async () => {
    const TargetKeyId = await made('ECC_NIST_P256', 'SIGN_VERIFY')
    const AliasName = aliasOf('log/main/1')
    await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    expect(await refusal(custody.list('log'))).toBe('corrupt')
  })

  it('was made as another version, whether or not its alias was known', async () => {
    const [first, second] = [await keyIn(custody, 'active'), await keyIn(custody, 'active')]
    const update = { AliasName: aliasOf('log/main/1'), TargetKeyId: await keyIdOf(second) }
    await operator.send(new UpdateAliasCommand(update))
    expect(await refusal((await fresh()).list('log'))).toBe('corrupt')
    await expect.poll(() => refusal(sign(opened.custody, first, message))).toBe('corrupt')
  })

  it('has the public key of another one in its tag', async () => {
    const [key, other] = [await keyIn(custody, 'active'), await keyIn(custody, 'active', 'other')]
    const TagValue = `ecdsa-p256:${Buffer.from(other.publicKey).toString('base64url')}`
    const Tags = [{ TagKey: 'assay:public-key', TagValue }]
    await operator.send(new TagResourceCommand({ KeyId: await keyIdOf(key), Tags }))
    expect(await refusal((await fresh()).list('log'))).toBe('corrupt')
  })
})

describe('what an operator did to a key', () => {
  it('disabled it: it signs nothing until it is enabled', async () => {
    const key = await keyIn(custody, 'active')
    const KeyId = await keyIdOf(key)
    await operator.send(new DisableKeyCommand({ KeyId }))
    expect(await refusal(sign(custody, key, message))).toBe('misconfigured')
    const reader = await fresh()
    expect(await reader.list('log')).toEqual([key])
    await operator.send(new EnableKeyCommand({ KeyId }))
    expect(verifies(key, await sign(reader, key, message), message)).toBe(true)
  })

  it('is about to delete it: verifiers have its public key still', async () => {
    const key = await keyIn(custody, 'revoked')
    const KeyId = await keyIdOf(key)
    await operator.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    expect(await (await fresh()).list('log')).toEqual([key])
  })

  it('enabled a retired one: it signs nothing all the same', async () => {
    const key = await keyIn(custody, 'retired')
    await operator.send(new EnableKeyCommand({ KeyId: await keyIdOf(key) }))
    expect(await refusal(sign(await fresh(), key, message))).toBe('retired')
  })
})

describe('many aliases', () => {
  it('are read page by page', async () => {
    const TargetKeyId = await made('ECC_NIST_P256', 'SIGN_VERIFY')
    const key = await keyIn(custody, 'active', 'zzz', 'witness')
    for (let n = 0; n < 210; n++) {
      const AliasName = `alias/a-stranger/${n}`
      await operator.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    }
    const reader = await fresh()
    const before = opened.proxy.seen.length
    expect(await reader.list('witness')).toEqual([key])
    const asked = opened.proxy.seen
      .slice(before)
      .map(({ headers }) => headers['x-amz-target'])
      .filter((target) => target === 'TrentService.ListAliases')
    expect(asked.length).toBeGreaterThan(2)
  })

  it('are read once for many signatures', async () => {
    const key = await keyIn(custody, 'active')
    const reader = await openKmsCustody({ ...opened.options, maxAgeMs: 60_000 })
    await sign(reader, key, message)
    const before = opened.proxy.seen.length
    await Promise.all(Array.from({ length: 20 }, () => sign(reader, key, message)))
    expect(opened.proxy.seen.length - before).toBe(20)
    await reader.close()
  })
})

it('another prefix or region has other keys', async () => {
  await keyIn(custody, 'active')
  for (const other of [{ prefix: 'other' }, { region: 'eu-west-1' }]) {
    const there = await openKmsCustody({ ...opened.options, ...other })
    expect(await there.list('log')).toEqual([])
    await there.close()
  }
})

it.each([
  [{ region: '' }, 'misconfigured'],
  [{ region: 'eu central 1' }, 'misconfigured'],
  [{ prefix: 'A' }, 'misconfigured'],
  [{ prefix: 'a/b' }, 'misconfigured'],
  [{ endpoint: 'localhost:4566' }, 'misconfigured'],
  [{ endpoint: 'file:///x' }, 'misconfigured'],
  [{ algorithms: [] }, 'misconfigured'],
  [{ algorithms: ['rsa' as 'ed25519'] }, 'misconfigured'],
  [{ scopes: ['all' as 'log'] }, 'scope_mismatch'],
] as readonly (readonly [Partial<KmsCustodyOptions>, string])[])(
  'options are checked: %j',
  async (changed, code) => {
    expect(await refusal(openKmsCustody({ ...opened.options, ...changed }))).toBe(code)
  },
)
