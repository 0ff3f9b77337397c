import { afterAll } from 'vitest'
import { toBase64url } from '../../../core/crypto.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import { registerLaws } from '../../../test/conformance/laws.ts'
import { outboundLaws } from '../../../test/conformance/outbound.ts'
import { collector, lateKernel } from '../../../test/lease/kit.ts'
import { compiler } from '../../../test/rego.ts'
import { keyFolder } from '../../../test/signer/folder.ts'
import { signing } from '../../../test/signer/kit.ts'
import { createKeyCustody } from './index.ts'

afterAll(() => compiler.close())

const OUTBOX = { kind: 'embedded', id: 'outbox' }

/** Counts what custody is asked to change. */
function counted(custody: Custody, count: () => void): Custody {
  return {
    name: custody.name,
    algorithms: custody.algorithms,
    maxMessageBytes: custody.maxMessageBytes,
    scopes: custody.scopes,
    close: () => custody.close(),
    list: (scope) => custody.list(scope),
    sign: (request) => custody.sign(request),
    create(scope, name, algorithm) {
      count()
      return custody.create(scope, name, algorithm)
    },
    transition(key, state) {
      count()
      return custody.transition(key, state)
    },
  }
}

registerLaws('outbound', outboundLaws, {
  name: 'outbound/custody',
  async open() {
    let asked = 0
    const keys = await keyFolder()
    const custody = counted(keys, () => asked++)
    const kernel = lateKernel()
    // Performed by the laws, not by the kernel's own outbox.
    const place = await signing({
      custody: keys,
      outbound: [collector(['signer.make', 'signer.move'])],
    })
    kernel.use(place.kernel)
    const scope = 'bootstrap'
    await place.decide('signer.create', { name: 'a', scope })
    await place.decide('signer.create', { name: 'b', scope })
    const { publicKey, version } = await keys.create(scope, 'b')
    const made = { name: 'b', public_key: toBase64url(publicKey), scope, version }
    await place.decide('signer.created', made, OUTBOX)
    await place.decide('signer.activate', { name: 'b', scope, version })
    const make = { after: 0, algorithm: 'ed25519', name: 'a', scope }
    const move = { name: 'b', not_before: 0, scope, state: 'active', version }
    return {
      outbound: createKeyCustody({ clock: place.clock, custody, kernel }),
      actions: [
        { key: 'a/0', kind: 'signer.make', body: make },
        { key: 'b/0', kind: 'signer.move', body: move },
      ],
      asked: () => asked,
      close: () => place.kernel.close(),
    }
  },
})
