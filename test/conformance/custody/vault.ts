/** The vault custody as a subject: with a token that may do what its policy says and no more, through a proxy that can be silent. */
import { openVaultCustody } from '../../../adapters/custody/vault/index.ts'
import { faultProxy } from '../../backends/proxy.ts'
import { vault } from '../../backends/vault.ts'
import { Keys, unique } from '../../backends/vault-keys.ts'
import { reopened } from './reopened.ts'
import { type CustodySubject, type OpenedCustody, SCOPES } from './subject.ts'

let keys: Promise<Keys> | undefined

async function open(): Promise<OpenedCustody> {
  keys ??= vault().then((running) => Keys.in(running))
  const own = await keys
  const proxy = await faultProxy(own.vault.address)
  const options = { ...(await own.options(unique('c'))), address: proxy.url, scopes: SCOPES }
  return await reopened(() => openVaultCustody(options), {
    async stall() {
      proxy.fault = () => 'hang'
      return async () => {
        proxy.fault = () => undefined
      }
    },
    dispose: () => proxy.close(),
  })
}

export const vaultSubject: CustodySubject = {
  name: 'custody/vault',
  algorithms: ['ed25519', 'ecdsa-p256'],
  open,
}
