/** The laws of the Secrets port, and how an adapter says that it keeps them. */
import { inspect } from 'node:util'
import { x25519 } from '@noble/curves/ed25519.js'
import { expect } from 'vitest'
import { openValue } from '../../adapters/secrets/hpke/index.ts'
import { KEY_STATES, KEY_TRANSITIONS, type KeyState } from '../../core/ports/custody.ts'
import {
  MAX_SECRET_BYTES,
  type SecretRef,
  type Secrets,
  type SecretVersion,
} from '../../core/ports/secrets.ts'
import { bytes } from './bytes.ts'
import { type Law, refusal, registerLaws, type Subject } from './laws.ts'

/** Secrets without any: others in the same backend are not seen. */
export interface OpenedSecrets {
  readonly secrets: Secrets
  /** Closes them and opens them again as a new process would. */
  reopen(): Promise<OpenedSecrets>
  /** Second ones in the same place, as another process has them. `dispose` closes them. */
  another(): Promise<Secrets>
  /** From now on the backend does not answer, until what this resolves to is called. */
  stall(): Promise<() => Promise<void>>
  dispose(): Promise<void>
}
export interface SecretsSubject extends Subject {
  open(): Promise<OpenedSecrets>
}

const law = (name: string, run: (opened: OpenedSecrets) => Promise<void>): Law<SecretsSubject> => ({
  name,
  async run(subject) {
    const opened = await subject.open()
    try {
      await run(opened)
    } finally {
      await opened.dispose()
    }
  },
})

const PATH: Readonly<Record<KeyState, readonly KeyState[]>> = {
  'pre-active': [],
  active: ['active'],
  grace: ['active', 'grace'],
  retired: ['retired'],
  revoked: ['revoked'],
}
const VALUE = 'a robot password, spaces and all'

async function secretIn(secrets: Secrets, state: KeyState, name = 'robot'): Promise<SecretVersion> {
  let secret = await secrets.put(name, bytes(VALUE))
  for (const next of PATH[state]) secret = await secrets.transition(secret, next)
  return secret
}

const pair = x25519.keygen()
const other = x25519.keygen()
const seal = (
  { name, version }: SecretRef,
  secrets: Secrets,
  decision = 'decision',
): Promise<Uint8Array> => secrets.seal({ name, version, decision, recipient: pair.publicKey })

async function opened(
  sealed: Uint8Array,
  { name, version }: SecretRef,
  { decision = 'decision', key = pair.secretKey } = {},
): Promise<string | undefined> {
  const value = await openValue(key, { decision, name, version }, sealed)
  return value && new TextDecoder().decode(value)
}

const making: readonly Law<SecretsSubject>[] = [
  law(
    'versions count from 1 by name, start pre-active and are listed in order',
    async ({ secrets }) => {
      const made = [
        await secrets.put('robot', bytes(VALUE)),
        await secrets.create('robot'),
        await secrets.create('api-token'),
      ]
      expect(made.map(({ name, state, version }) => [name, version, state])).toEqual([
        ['robot', 1, 'pre-active'],
        ['robot', 2, 'pre-active'],
        ['api-token', 1, 'pre-active'],
      ])
      expect(await secrets.list()).toEqual([made[2], made[0], made[1]])
    },
  ),
  law('a value that is made has 32 random bytes as base64url', async ({ secrets }) => {
    const values = []
    for (let i = 0; i < 3; i++) {
      const secret = await secrets.transition(await secrets.create('made'), 'active')
      values.push(await opened(await seal(secret, secrets), secret))
    }
    for (const value of values) expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(new Set(values).size).toBe(3)
  }),
  law('names and sizes have limits', async ({ secrets }) => {
    for (const name of ['', '../robot', 'Robot', 'a'.repeat(64), '-a', 'a/b', 'a.1'])
      expect(await refusal(secrets.put(name, bytes(VALUE)))).toBe('invalid_name')
    for (const size of [0, MAX_SECRET_BYTES + 1])
      expect(await refusal(secrets.put('robot', new Uint8Array(size)))).toBe('too_large')
    const most = await secrets.put('robot', new Uint8Array(MAX_SECRET_BYTES).fill(0x61))
    await secrets.transition(most, 'active')
    expect(await opened(await seal(most, secrets), most)).toBe('a'.repeat(MAX_SECRET_BYTES))
    expect(await secrets.list()).toHaveLength(1)
  }),
  law('two at once make two versions', async ({ another, secrets }) => {
    const second = await another()
    const made = await Promise.all([
      secrets.put('robot', bytes('one')),
      second.put('robot', bytes('two')),
      secrets.create('robot'),
    ])
    expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3])
    expect(await second.list()).toHaveLength(3)
  }),
]

const moving: readonly Law<SecretsSubject>[] = [
  law('states lead where the port says, and nowhere else', async ({ secrets }) => {
    for (const from of KEY_STATES) {
      const secret = await secretIn(secrets, from)
      for (const to of [...KEY_STATES, 'destroyed' as KeyState])
        if (!KEY_TRANSITIONS[from].includes(to))
          expect(await refusal(secrets.transition(secret, to))).toBe('invalid_transition')
      for (const to of KEY_TRANSITIONS[from]) {
        const fresh = await secretIn(secrets, from)
        expect(await secrets.transition(fresh, to)).toEqual({ ...fresh, state: to })
        expect(await secrets.list()).toContainEqual({ ...fresh, state: to })
      }
    }
    expect(await refusal(secrets.transition({ name: 'robot', version: 999 }, 'active'))).toBe(
      'unknown_key',
    )
  }),
  law('what another process moved is so here, and after reopening', async (place) => {
    const secret = await secretIn(place.secrets, 'active')
    await (await place.another()).transition(secret, 'revoked')
    expect(await refusal(seal(secret, place.secrets))).toBe('retired')
    const { secrets } = await place.reopen()
    expect(await secrets.list()).toEqual([{ ...secret, state: 'revoked' }])
    expect(await refusal(secrets.transition(secret, 'active'))).toBe('invalid_transition')
  }),
]

const CODE: Readonly<Partial<Record<KeyState, string>>> = {
  'pre-active': 'not_active',
  retired: 'retired',
  revoked: 'retired',
}

const sealing: readonly Law<SecretsSubject>[] = [
  law('only a version that is active or in grace is sealed', async ({ secrets }) => {
    for (const state of KEY_STATES) {
      const secret = await secretIn(secrets, state)
      const code = CODE[state]
      if (code === undefined) expect(await opened(await seal(secret, secrets), secret)).toBe(VALUE)
      else expect(await refusal(seal(secret, secrets))).toBe(code)
    }
    expect(await refusal(seal({ name: 'nobody', version: 1 }, secrets))).toBe('unknown_key')
    expect(await refusal(seal({ name: 'robot', version: 0 }, secrets))).toBe('unknown_key')
  }),
  law('it opens for its recipient as what it is, and as nothing else', async ({ secrets }) => {
    const secret = await secretIn(secrets, 'active')
    const sealed = await seal(secret, secrets, 'decision 1')
    expect(await opened(sealed, secret, { decision: 'decision 1' })).toBe(VALUE)
    const wrong = [
      opened(sealed, secret, { decision: 'decision 2' }),
      opened(sealed, { ...secret, name: 'other' }, { decision: 'decision 1' }),
      opened(sealed, { ...secret, version: 2 }, { decision: 'decision 1' }),
      opened(sealed, secret, { decision: 'decision 1', key: other.secretKey }),
      opened(
        sealed.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
        secret,
        { decision: 'decision 1' },
      ),
    ]
    expect(await Promise.all(wrong)).toEqual(wrong.map(() => undefined))
    const again = await seal(secret, secrets, 'decision 1')
    expect(Buffer.compare(again, sealed)).not.toBe(0)
  }),
  law('nothing is sealed to what is no public key', async ({ secrets }) => {
    const secret = await secretIn(secrets, 'active')
    for (const recipient of [new Uint8Array(32), new Uint8Array(31).fill(9), new Uint8Array()])
      expect(await refusal(secrets.seal({ ...secret, decision: 'd', recipient }))).toBe('weak_key')
  }),
]

const keeping: readonly Law<SecretsSubject>[] = [
  law('no value leaves but sealed, and a digest says nothing about it', async ({ secrets }) => {
    const value = bytes(VALUE)
    const one = await secrets.put('robot', value)
    expect(new TextDecoder().decode(value)).toBe(VALUE)
    const two = await secrets.put('robot', value)
    await secrets.transition(one, 'active')
    const told = [one, two, await secrets.list(), await seal(one, secrets), secrets]
    for (const each of told)
      expect(inspect(each, { depth: 8, showHidden: true })).not.toContain(VALUE)
    expect(one.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(one.digest).not.toBe(two.digest)
    expect((await secrets.list()).map(({ digest }) => digest)).toEqual([one.digest, two.digest])
  }),
  law('a silent backend is no hang, and closed is closed', async (place) => {
    const { secrets } = place
    const secret = await secretIn(secrets, 'active')
    const release = await place.stall()
    try {
      const codes = ['unavailable', 'unknown_outcome']
      expect(codes).toContain(await refusal(secrets.put('robot', bytes(VALUE))))
      expect(codes).toContain(await refusal(secrets.transition(secret, 'grace')))
    } finally {
      await release()
    }
    await secrets.close()
    const calls = [
      secrets.list(),
      secrets.create('robot'),
      secrets.put('robot', bytes(VALUE)),
      secrets.transition(secret, 'grace'),
      seal(secret, secrets),
    ]
    for (const call of calls) expect(await refusal(call)).toBe('closed')
  }),
]

export const secretsLaws: readonly Law<SecretsSubject>[] = [
  ...making,
  ...moving,
  ...sealing,
  ...keeping,
]

export function secretsConformance(subject: SecretsSubject): void {
  registerLaws('secrets', secretsLaws, subject)
}
