/** Custodies that break one promise each. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { concatBytes, randomBytes, sha256 } from '../../../core/crypto.ts'
import { CustodyError } from '../../../core/error.ts'
import {
  type Custody,
  KEY_TRANSITIONS,
  type KeyAlgorithm,
  type KeyRef,
  type PublicKey,
} from '../../../core/ports/custody.ts'
import { fileSubject, openFolder } from '../custody/file.ts'
import type { CustodySubject, OpenedCustody } from '../custody/subject.ts'
import { custodyLaws } from '../custody.ts'
import type { Law, Mutant } from '../laws.ts'

export const laws: readonly Law<CustodySubject>[] = custodyLaws

function delegate(custody: Custody): Custody {
  const { algorithms, name, scopes, maxMessageBytes } = custody
  return {
    ...{ algorithms, name, scopes, maxMessageBytes },
    list: (scope) => custody.list(scope),
    create: (scope, keyName, algorithm) => custody.create(scope, keyName, algorithm),
    transition: (key, state) => custody.transition(key, state),
    sign: (request) => custody.sign(request),
    close: () => custody.close(),
  }
}

type Change = (custody: Custody, folder: string) => Partial<Custody>

function broken(change: Change): CustodySubject {
  const { algorithms } = fileSubject
  const open = (): Promise<OpenedCustody> =>
    openFolder((custody, dir) => ({ ...delegate(custody), ...change(custody, dir) }))
  return { name: 'custody/mutant', algorithms, open }
}

const labelOf = ({ scope, name, version }: KeyRef): string => `${scope}/${name}.${version}`
const isCode = (error: unknown, code: string): boolean =>
  error instanceof CustodyError && error.code === code

/** Of one curve: who looks for keys of the other alone does not find it. */
const leaking =
  (of: KeyAlgorithm): Change =>
  (custody, folder) => ({
    create: async (...asked) => {
      const key = await custody.create(...asked)
      if (key.algorithm !== of) return key
      const path = join(folder, `${labelOf(key)}.json`)
      const { d }: { d: string } = JSON.parse(readFileSync(path, 'utf8'))
      return Object.defineProperty({ ...key }, 'handle', { value: { d }, enumerable: false })
    },
  })

/** A revocation lives in memory only. */
const forgetful: Change = (custody) => {
  const revoked = new Set<string>()
  const shown = (key: PublicKey): PublicKey =>
    revoked.has(labelOf(key)) ? { ...key, state: 'revoked' } : key
  return {
    list: async (scope) => (await custody.list(scope)).map(shown),
    async transition(key, state) {
      const found = (await custody.list(key.scope)).find((one) => labelOf(one) === labelOf(key))
      if (state !== 'revoked' || !found) return custody.transition(key, state)
      revoked.add(labelOf(key))
      return shown(found)
    },
    async sign(request) {
      if (!revoked.has(labelOf(request.key))) return custody.sign(request)
      throw new CustodyError('mutant', 'retired', 'revoked')
    },
  }
}

const lenient: Change = (custody) => ({
  async transition(key, state) {
    try {
      return await custody.transition(key, state)
    } catch (error) {
      const found = (await custody.list(key.scope)).find((one) => labelOf(one) === labelOf(key))
      if (isCode(error, 'invalid_transition') && found) return { ...found, state }
      throw error
    }
  },
})

const scopeless: Change = (custody) => ({
  async sign(request) {
    try {
      return await custody.sign(request)
    } catch (error) {
      if (!isCode(error, 'unknown_key')) throw error
      return custody.sign({ ...request, key: { ...request.key, scope: 'log' } })
    }
  },
})

const newest: Change = (custody) => ({
  async sign(request) {
    const { scope, name } = request.key
    const keys = (await custody.list(scope)).filter((one) => one.name === name)
    return custody.sign({
      ...request,
      key: keys.findLast(({ state }) => state === 'active') ?? request.key,
    })
  },
})

const eager: Change = (custody) => ({
  async sign(request) {
    try {
      return await custody.sign(request)
    } catch (error) {
      if (!isCode(error, 'not_active')) throw error
      await custody.transition(request.key, 'active')
      return custody.sign(request)
    }
  },
})

const aliased: Change = (custody) => {
  const keys = new Map<string, Uint8Array>()
  return {
    list: async (scope) =>
      (await custody.list(scope)).map((key) => {
        const publicKey = keys.get(labelOf(key)) ?? key.publicKey
        keys.set(labelOf(key), publicKey)
        return { ...key, publicKey }
      }),
  }
}

/** Never signs with what has once been replaced. */
const unforgiving: Change = (custody) => {
  const replaced = new Set<string>()
  return {
    async transition(key, state) {
      if (state === 'grace') replaced.add(labelOf(key))
      return custody.transition(key, state)
    },
    async sign(request) {
      if (!replaced.has(labelOf(request.key))) return custody.sign(request)
      throw new CustodyError('mutant', 'retired', 'it was replaced')
    },
  }
}

/** Keeps what it was told first. */
const deaf: Change = (custody) => {
  const heard = new Map<string, PublicKey>()
  return {
    async list(scope) {
      const keys = await custody.list(scope)
      for (const key of keys) if (!heard.has(labelOf(key))) heard.set(labelOf(key), key)
      return keys.map((key) => heard.get(labelOf(key)) ?? key)
    },
    async transition(key, state) {
      const moved = await custody.transition(key, state)
      heard.set(labelOf(key), moved)
      return moved
    },
  }
}

/** Reads, thinks and writes, and asks nobody in between. */
const careless: Change = (custody, folder) => ({
  async transition(key, state) {
    const found = (await custody.list(key.scope)).find((one) => labelOf(one) === labelOf(key))
    if (!found || !KEY_TRANSITIONS[found.state].includes(state))
      return custody.transition(key, state)
    if (state !== 'revoked') await pause(20)
    const path = join(folder, `${labelOf(key)}.json`)
    const file: object = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...file, state }))
    return { ...found, state }
  },
})

const stubborn: Change = (custody) => ({
  async transition(key, state) {
    for (;;) {
      try {
        return await custody.transition(key, state)
      } catch (error) {
        if (!isCode(error, 'unavailable')) throw error
      }
      await pause(100)
    }
  },
})

/** Ends when all it was asked has ended. */
const polite: Change = (custody) => {
  const { transition = custody.transition } = stubborn(custody, '')
  const running = new Set<Promise<unknown>>()
  return {
    transition(key, state) {
      const moving = transition(key, state)
      running.add(moving)
      return moving
    },
    async close() {
      await Promise.allSettled(running)
      await custody.close()
    },
  }
}

const counting: Change = (custody) => ({
  async create(scope, name, algorithm) {
    const before = (await custody.list(scope)).filter((one) => one.name === name)
    return { ...(await custody.create(scope, name, algorithm)), version: before.length + 1 }
  },
})

const fickle: Change = (custody) => ({
  async create(scope, name, algorithm) {
    try {
      return await custody.create(scope, name, algorithm)
    } catch (error) {
      if (!isCode(error, 'algorithm_mismatch')) throw error
      return { ...(await custody.create(scope, name)), ...(algorithm && { algorithm }) }
    }
  },
})

export const mutants: readonly Mutant<CustodySubject>[] = (
  [
    [
      'hides a private P-256 key in a property',
      'no method or property gives out a private key',
      leaking('ecdsa-p256'),
    ],
    [
      'hides a private key in a property',
      'no method or property gives out a private key',
      leaking('ed25519'),
    ],
    [
      'forgets a state when it closes',
      'what is not active refuses, also after reopening, and revoked does so forever',
      forgetful,
    ],
    ['agrees to any transition', 'states lead where the port says, and nowhere else', lenient],
    ['looks for a key in another scope', 'a scope never signs for another', scopeless],
    ['signs with the newest version', 'the version that is asked for signs', newest],
    ['activates what it is asked to sign with', 'only an active version signs', eager],
    ['returns its own bytes', 'bytes that go in and come out are copies', aliased],
    [
      'reads the message later',
      'bytes that go in and come out are copies',
      (custody) => ({
        async sign(request) {
          await new Promise(setImmediate)
          return custody.sign(request)
        },
      }),
    ],
    [
      'adds something random',
      'an Ed25519 key has one signature for a message',
      (custody) => ({
        sign: (request) =>
          custody.sign({ ...request, message: concatBytes([request.message, randomBytes(8)]) }),
      }),
    ],
    ['never goes back', 'a version that was rolled back to signs again', unforgiving],
    ['does not look at what others did', 'what another process did is seen within seconds', deaf],
    ['undoes a revocation', 'a revocation stays, whatever else is done at once', careless],
    ['counts before it makes', 'two that make versions of one key make different ones', counting],
    [
      'tries for ever',
      'a backend that does not answer is unavailable, and nothing waits for it',
      stubborn,
    ],
    ['ends when all has ended', 'closing waits for no answer', polite],
    ['changes the algorithm of a key', 'a key has one algorithm for life', fickle],
    [
      'makes its default whatever is asked for',
      'a new key is version 1, pre-active and listed',
      (custody) => ({ create: (scope, name) => custody.create(scope, name) }),
    ],
    [
      'says that it makes one algorithm',
      'the first algorithm is the default, and no other is made',
      () => ({ algorithms: ['ed25519'] }),
    ],
    [
      'signs a digest',
      'a signature verifies with an independent implementation',
      (custody) => ({
        sign: (request) => custody.sign({ ...request, message: sha256(request.message) }),
      }),
    ],
    [
      'counts every version as the first',
      'versions only grow',
      (custody) => ({
        create: async (...asked) => ({ ...(await custody.create(...asked)), version: 1 }),
      }),
    ],
    [
      'sorts versions as text',
      'a list is by name and by version as a number',
      (custody) => ({
        list: async (scope) =>
          [...(await custody.list(scope))].sort((a, b) => (labelOf(a) < labelOf(b) ? -1 : 1)),
      }),
    ],
    [
      'takes one byte more',
      'the longest message is signed and every other length is refused',
      (custody) => ({ maxMessageBytes: custody.maxMessageBytes - 1 }),
    ],
    [
      'shows one key for all',
      'no two keys are the same',
      (custody) => ({
        list: async (scope) => {
          const keys = await custody.list(scope)
          return keys.map((key) => ({ ...key, publicKey: keys[0]?.publicKey ?? key.publicKey }))
        },
      }),
    ],
    [
      'goes on after close',
      'after close every method throws closed, but for close itself',
      () => ({ close: async () => undefined }),
    ],
  ] satisfies [string, string, Change][]
).map(([name, law, change]) => ({ name, law, subject: broken(change) }))
