/** Custodies that break one promise each. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileCustody } from '../../../adapters/custody/file/index.ts'
import { sha256 } from '../../../core/crypto.ts'
import { CustodyError } from '../../../core/error.ts'
import type { Custody, KeyRef, PublicKey } from '../../../core/ports/custody.ts'
import { type CustodySubject, type OpenedCustody, SCOPES } from '../custody/subject.ts'
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
  return {
    name: 'custody/mutant',
    async open() {
      const folder = mkdtempSync(join(tmpdir(), 'assay-mutant-'))
      const dir = join(folder, 'keys')
      const again = async (): Promise<[Custody, Custody]> => {
        const custody = await openFileCustody({ dir, scopes: SCOPES })
        return [custody, { ...delegate(custody), ...change(custody, dir) }]
      }
      let [sound, mutant] = await again()
      const opened: OpenedCustody = {
        get custody() {
          return mutant
        },
        async reopen() {
          await sound.close()
          ;[sound, mutant] = await again()
          return opened
        },
        async dispose() {
          await sound.close()
          rmSync(folder, { recursive: true })
        },
      }
      return opened
    },
  }
}

const labelOf = ({ scope, name, version }: KeyRef): string => `${scope}/${name}.${version}`
const isCode = (error: unknown, code: string): boolean =>
  error instanceof CustodyError && error.code === code

const leaking: Change = (custody, folder) => ({
  create: async (scope, name) => {
    const key = await custody.create(scope, name)
    const file: { d: string } = JSON.parse(
      readFileSync(join(folder, `${labelOf(key)}.json`), 'utf8'),
    )
    return Object.defineProperty({ ...key }, 'handle', { value: { d: file.d }, enumerable: false })
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

export const mutants: readonly Mutant<CustodySubject>[] = (
  [
    ['hides a private key in a property', 'no method or property gives out a private key', leaking],
    ['forgets a state when it closes', 'what is not active refuses, also after reopening, and revoked does so forever', forgetful],
    [
      'agrees to any transition',
      'states lead where the port says, and nowhere else',
      lenient,
    ],
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
        create: async (scope, name) => ({ ...(await custody.create(scope, name)), version: 1 }),
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
