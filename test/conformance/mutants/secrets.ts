/** Secrets that break one promise each. */
import { createHash } from 'node:crypto'
import { CustodyError } from '../../../core/error.ts'
import type { Secrets } from '../../../core/ports/secrets.ts'
import type { Law, Mutant } from '../laws.ts'
import { openSecretsFolder } from '../secrets/file.ts'
import { type SecretsSubject, secretsLaws } from '../secrets.ts'

export const laws: readonly Law<SecretsSubject>[] = secretsLaws

type Change = (secrets: Secrets) => Partial<Secrets>

const broken = (change: Change): SecretsSubject => ({
  name: 'secrets/mutant',
  open: () =>
    openSecretsFolder((secrets) => ({
      name: secrets.name,
      list: () => secrets.list(),
      create: (name) => secrets.create(name),
      put: (name, value) => secrets.put(name, value),
      transition: (secret, state) => secrets.transition(secret, state),
      seal: (request) => secrets.seal(request),
      close: () => secrets.close(),
      ...change(secrets),
    })),
})

const mutant = (name: string, law: string, change: Change): Mutant<SecretsSubject> => ({
  name,
  law,
  subject: broken(change),
})

const isCode = (error: unknown, code: string): boolean =>
  error instanceof CustodyError && error.code === code

export const mutants: readonly Mutant<SecretsSubject>[] = [
  mutant(
    'has no salt in its digests',
    'no value leaves but sealed, and a digest says nothing about it',
    (secrets) => ({
      put: async (name, value) => ({
        ...(await secrets.put(name, value)),
        digest: createHash('sha256').update(value).digest('hex'),
      }),
    }),
  ),
  mutant(
    'tells the value',
    'no value leaves but sealed, and a digest says nothing about it',
    (secrets) => ({
      put: async (name, value) =>
        Object.defineProperty(await secrets.put(name, value), 'kept', {
          value: new TextDecoder().decode(value),
          enumerable: false,
        }),
    }),
  ),
  mutant(
    'seals without the decision',
    'it opens for its recipient as what it is, and as nothing else',
    (secrets) => ({ seal: (request) => secrets.seal({ ...request, decision: '' }) }),
  ),
  mutant(
    'seals what was revoked to the one before it',
    'only a version that is active or in grace is sealed',
    (secrets) => ({
      seal: (request) =>
        secrets.seal(request).catch((error: unknown) => {
          if (!isCode(error, 'retired')) throw error
          return secrets.seal({ ...request, version: 2 })
        }),
    }),
  ),
  mutant(
    'takes any step for one that was taken',
    'states lead where the port says, and nowhere else',
    (secrets) => ({
      transition: (secret, state) =>
        secrets.transition(secret, state).catch(async (error: unknown) => {
          const found = (await secrets.list()).find(({ version }) => version === secret.version)
          if (!isCode(error, 'invalid_transition') || found === undefined) throw error
          return found
        }),
    }),
  ),
  mutant(
    'makes the same value again',
    'a value that is made has 32 random bytes as base64url',
    (secrets) => ({ create: (name) => secrets.put(name, Buffer.from('A'.repeat(43))) }),
  ),
]
