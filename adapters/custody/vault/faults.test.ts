/** A network and a Vault that fail in the middle: always a typed error within the deadline, and nothing half done. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Custody, KeyState, PublicKey } from '../../../core/ports/custody.ts'
import { type Fault, type FaultProxy, faultProxy, type Seen } from '../../../test/backends/proxy.ts'
import { vault } from '../../../test/backends/vault.ts'
import { ask, Keys, unique } from '../../../test/backends/vault-keys.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { openVaultCustody, type VaultCustodyOptions } from './index.ts'
import { STATES_AGE_MS } from './known.ts'

/** Short enough to be waited for, where nothing answers. */
const SHORT_MS = 600
let keys: Keys
let proxy: FaultProxy
beforeAll(async () => {
  keys = await Keys.in(await vault())
  proxy = await faultProxy(keys.vault.address)
}, 600_000)
afterAll(async () => {
  await proxy.close()
  keys.dispose()
})

const message = new Uint8Array([1, 2, 3])
const signed = async (custody: Custody, key: PublicKey): Promise<number> =>
  (await custody.sign({ key, purpose: 'test', message })).length

interface World {
  readonly options: VaultCustodyOptions
  /** Through the proxy. */
  readonly custody: Custody
  /** Past it. */
  readonly witness: Custody
  readonly key: PublicKey
}
/** @param run with an active key of `log` */
async function inWorld(run: (world: World) => Promise<void>, timeoutMs = 5000): Promise<void> {
  const options = { ...(await keys.options(unique('f'))), timeoutMs: 5000 }
  const witness = await openVaultCustody(options)
  const key = await witness.transition(await witness.create('log', 'main'), 'active')
  const custody = await openVaultCustody({ ...options, address: proxy.url, timeoutMs })
  try {
    await run({ options, custody, witness, key })
  } finally {
    proxy.fault = () => undefined
    await custody.close()
    await witness.close()
  }
}
const statesOf = async (custody: Custody): Promise<readonly KeyState[]> =>
  (await custody.list('log')).map(({ state }) => state)

/** Lets the first `n` requests of a kind go wrong. */
function first(
  n: number,
  fault: Fault,
  isIt: (seen: Seen) => boolean,
): (seen: Seen) => Fault | undefined {
  let left = n
  return (seen) => (isIt(seen) && left-- > 0 ? fault : undefined)
}
const isWrite = ({ method, path }: Seen): boolean => method === 'POST' && path.includes('/data/')
const isRotate = ({ path }: Seen): boolean => path.endsWith('/rotate')

const faults: readonly (readonly [string, Fault])[] = [
  ['silence', 'hang'],
  ['lost requests', 'lose'],
  ['lost answers', 'loseAnswer'],
  ['half an answer', { cut: 3 }],
  ['slowness', { delayMs: 2 * SHORT_MS }],
  ['500', { answer: { status: 500, body: '{"errors":["internal error"]}' } }],
  ['502 of a gateway', { answer: { status: 502, body: '<html>' } }],
  ['503', { answer: { status: 503, body: '{"errors":["Vault is sealed"]}' } }],
  ['throttling', { answer: { status: 429, body: '{"errors":["rate limit"]}' } }],
]
test.each(faults)(
  '%s all the time is an error within the deadline, and passes',
  async (_, fault) => {
    await inWorld(async ({ custody, key, witness }) => {
      // A machine that is busy may need more than one such deadline.
      await expect.poll(() => signed(custody, key).catch(() => 0)).toBe(64)
      proxy.fault = () => fault
      const calls = [
        signed(custody, key),
        custody.create('log', 'main'),
        custody.transition(key, 'grace'),
        custody.list('task'),
      ]
      const ended = Promise.all(calls.map(refusal))
      const codes = await Promise.race([ended, pause(10 * SHORT_MS)])
      expect(codes).toEqual(Array(4).fill('unavailable'))
      expect(await statesOf(witness)).toEqual(['active'])
      proxy.fault = () => undefined
      await expect.poll(() => signed(custody, key).catch(() => 0), { timeout: 8000 }).toBe(64)
      expect((await witness.create('log', 'main')).version).toBe(2)
    }, SHORT_MS)
  },
)

const short = faults.filter(([name]) => name !== 'silence' && name !== 'slowness')
test.each(short)('%s once is not noticed', async (_, fault) => {
  await inWorld(async ({ custody, key }) => {
    proxy.fault = first(1, fault, () => true)
    expect((await custody.list('log')).length).toBe(1)
    proxy.fault = first(1, fault, ({ path }) => path.includes('/sign/'))
    expect(await signed(custody, key)).toBe(64)
    proxy.fault = first(1, fault, isWrite)
    expect((await custody.create('log', 'main')).version).toBe(2)
    proxy.fault = first(1, fault, isWrite)
    expect((await custody.transition(key, 'grace')).state).toBe('grace')
    // What may have been rotated and may not have been: either way the next versions are 3 and 4.
    proxy.fault = first(1, fault, isRotate)
    const next = await custody.create('log', 'main').catch(() => custody.create('log', 'main'))
    expect(next.version).toBe(3)
    proxy.fault = () => undefined
    expect((await custody.create('log', 'main')).version).toBe(4)
    expect(await statesOf(custody)).toEqual(['grace', ...Array(3).fill('pre-active')])
  })
})

test('a change of which nothing is heard any more is an unknown outcome', async () => {
  await inWorld(async ({ custody, key, witness }) => {
    let silent = false
    proxy.fault = (seen) => {
      if (silent) return 'lose'
      silent = isWrite(seen)
      return silent ? 'loseAnswer' : undefined
    }
    expect(await refusal(custody.transition(key, 'grace'))).toBe('unknown_outcome')
    expect(await statesOf(witness)).toEqual(['grace'])
  })
})

test.each(['grace', 'revoked'] as const)(
  'a crash before the record says %s leaves a version that does not sign',
  async (state) => {
    await inWorld(async ({ custody, key, witness }) => {
      let dead = false
      proxy.fault = (seen) => {
        dead ||= isWrite(seen)
        return dead ? 'lose' : undefined
      }
      expect(await refusal(custody.transition(key, state))).toBe('unknown_outcome')
      expect(await statesOf(witness)).toEqual(['active'])
      expect(await refusal(signed(witness, key))).toBe('retired')
      // Whoever moves it again mends both.
      await witness.transition(key, 'grace')
      await witness.transition(key, 'active')
      expect(await signed(witness, key)).toBe(64)
    })
  },
)

test('a crash before the record of a new version leaves nothing but a version for the next one', async () => {
  await inWorld(async ({ custody, key, witness }) => {
    let dead = false
    proxy.fault = (seen) => {
      dead ||= isWrite(seen)
      return dead ? 'lose' : undefined
    }
    expect(await refusal(custody.create('log', 'main'))).toBe('unknown_outcome')
    expect(await statesOf(witness)).toEqual(['active'])
    expect(await signed(witness, key)).toBe(64)
    expect((await witness.create('log', 'main')).version).toBe(2)
  })
})

test('after many failures in a row nothing is asked for a moment', async () => {
  await inWorld(async ({ custody, key }) => {
    proxy.fault = () => ({ answer: { status: 503 } })
    for (let i = 0; i < 4; i++) await refusal(signed(custody, key))
    const from = proxy.seen.length
    const began = performance.now()
    for (let i = 0; i < 20; i++) expect(await refusal(signed(custody, key))).toBe('unavailable')
    // Nothing, or the one request that tries where this took more than a second.
    expect(proxy.seen.length - from).toBeLessThanOrEqual(1 + (performance.now() - began) / 1000)
    proxy.fault = () => undefined
    await expect.poll(() => signed(custody, key).catch(() => 0), { timeout: 5000 }).toBe(64)
  })
})

test.each([
  ['of another message', (text: string) => `${text.slice(0, -6)}AAAA==`],
  ['of another version', (text: string) => text.replace('vault:v1', 'vault:v2')],
  ['that is none', () => 'vault:v1:!'],
])('a signature %s is not passed on', async (_, change) => {
  await inWorld(async ({ custody, key, options }) => {
    const path = `${options.mount}/sign/${options.prefix}-log-main`
    const input = Buffer.from(message).toString('base64')
    const { data } = await keys.post(path, { input })
    const body = JSON.stringify({ data: { signature: change(String(data.signature)) } })
    proxy.fault = (seen) =>
      seen.path.includes('/sign/') ? { answer: { status: 200, body } } : undefined
    expect(await refusal(signed(custody, key))).toBe('corrupt')
  })
})

test('whoever can write records alone gets no key in, and deleting one revives nothing', async () => {
  await inWorld(async ({ options, witness }) => {
    const { kvMount, mount, prefix } = options
    const path = `${kvMount}/data/${prefix}/log/main`
    const { data } = (await keys.get(path)).data as unknown as { data: { versions: object[] } }
    const forged = Buffer.alloc(32, 9).toString('base64')
    const versions = [{ ...data.versions[0], publicKey: forged }]
    await keys.post(path, { data: { ...data, versions } })
    const fresh = (): Promise<string> =>
      openVaultCustody(options).then((one) => refusal(one.list('log')).finally(() => one.close()))
    expect(await fresh()).toBe('corrupt')
    await keys.post(path, { data: { ...data, algorithm: 'ecdsa-p256' } })
    expect(await fresh()).toBe('misconfigured')
    await pause(STATES_AGE_MS)
    expect(await refusal(witness.list('log'))).toBe('misconfigured')
    await keys.post(path, { data: { ...data, versions: 'none' } })
    expect(await fresh()).toBe('corrupt')
    await ask(keys.vault, 'DELETE', path)
    expect(await fresh()).toBe('corrupt')
    expect(await refusal(witness.create('log', 'main'))).toBe('corrupt')
    // All of its history too, with a second version in Vault.
    await keys.post(`${mount}/keys/${prefix}-log-main/rotate`)
    await ask(keys.vault, 'DELETE', `${kvMount}/metadata/${prefix}/log/main`)
    expect(await refusal(witness.create('log', 'main'))).toBe('corrupt')
  })
})
