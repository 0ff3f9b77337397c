/** Custody in this process's memory, for kernel tests: real Ed25519, countable, and able to fail or stall. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { CustodyError } from '../../core/error.ts'
import type { Custody, KeyScope, PublicKey } from '../../core/ports/custody.ts'

export interface TestCustody extends Custody {
  signatures: number
  failing: boolean
}

export async function testCustody(): Promise<TestCustody> {
  const keys = new Map<string, { info: PublicKey; key: KeyObject }>()
  const add = (scope: KeyScope, name: string): void => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const x = publicKey.export({ format: 'jwk' }).x as string
    const info: PublicKey = {
      scope,
      name,
      version: 1,
      algorithm: 'ed25519',
      publicKey: new Uint8Array(Buffer.from(x, 'base64url')),
      state: 'active',
    }
    keys.set(`${scope}/${name}`, { info, key: privateKey })
  }
  add('log', 'log')
  add('cell', 'cell')
  const refuse = (): never => {
    throw new CustodyError('test', 'unavailable', 'not here')
  }
  const custody: TestCustody = {
    name: 'test',
    scopes: ['log', 'cell'],
    algorithms: ['ed25519'],
    maxMessageBytes: 65_536,
    signatures: 0,
    failing: false,
    list: async (scope) =>
      [...keys.values()].map(({ info }) => info).filter((k) => k.scope === scope),
    create: async () => refuse(),
    transition: async () => refuse(),
    async sign({ key, message }) {
      if (custody.failing) refuse()
      custody.signatures++
      const held = keys.get(`${key.scope}/${key.name}`)
      return held ? new Uint8Array(sign(null, message, held.key)) : refuse()
    },
    close: async () => {},
  }
  return custody
}
