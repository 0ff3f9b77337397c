import { x25519 } from '@noble/curves/ed25519.js'
import { afterAll } from 'vitest'
import { toBase64url } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import type { Custody } from '../../../core/ports/custody.ts'
import type { Secrets } from '../../../core/ports/secrets.ts'
import { registerLaws } from '../../../test/conformance/laws.ts'
import { outboundLaws } from '../../../test/conformance/outbound.ts'
import { collector, lateKernel } from '../../../test/lease/kit.ts'
import { compiler } from '../../../test/rego.ts'
import { deliveringTo, keyFolder, secretFolder } from '../../../test/signer/folder.ts'
import { type Signing, signing } from '../../../test/signer/kit.ts'
import { createKeyCustody } from './index.ts'

afterAll(() => compiler.close())

const PULLER = { kind: 'service', id: 'puller' }
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

/** Of what matters here. */
function countedSecrets(secrets: Secrets, count: () => void): Secrets {
  return {
    name: secrets.name,
    list: () => secrets.list(),
    create: (name) => secrets.create(name),
    put: (name, value) => secrets.put(name, value),
    transition: (secret, state) => secrets.transition(secret, state),
    seal(request) {
      count()
      return secrets.seal(request)
    },
    close: () => secrets.close(),
  }
}

/** A secret that is active in custody and on record, and a delivery that waits. */
async function secretToSeal(place: Signing): Promise<{ place: Secrets; sealing: Json }> {
  const secrets = await secretFolder()
  const robot = { name: 'robot', scope: 'secret' } as const
  await place.decide('signer.create', robot)
  const made = await secrets.create(robot.name)
  const { version } = await secrets.transition(made, 'active')
  await place.decide('signer.created', { ...robot, digest: made.digest, version }, OUTBOX)
  await place.decide('signer.activate', { ...robot, version })
  await place.decide('signer.moved', { ...robot, state: 'active', version }, OUTBOX)
  const recipient = toBase64url(x25519.keygen().publicKey)
  const { id: decision } = await place.decide('signer.deliver', { ...robot, recipient }, PULLER)
  return { place: secrets, sealing: { ...robot, decision, recipient, version } }
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
      data: await deliveringTo(PULLER, 'robot'),
      custody: keys,
      outbound: [collector(['signer.make', 'signer.move', 'signer.seal'])],
    })
    kernel.use(place.kernel)
    const scope = 'bootstrap'
    await place.decide('signer.create', { name: 'a', scope })
    await place.decide('signer.create', { name: 'b', scope })
    const { publicKey, version } = await keys.create(scope, 'b')
    const made = { name: 'b', public_key: toBase64url(publicKey), scope, version }
    await place.decide('signer.created', made, OUTBOX)
    await place.decide('signer.activate', { name: 'b', scope, version })
    const { place: secrets, sealing } = await secretToSeal(place)
    const make = { after: 0, algorithm: 'ed25519', name: 'a', scope }
    const move = { name: 'b', not_before: 0, scope, state: 'active', version }
    return {
      outbound: createKeyCustody({
        clock: place.clock,
        custody,
        kernel,
        secrets: countedSecrets(secrets, () => asked++),
      }),
      actions: [
        { key: 'a/0', kind: 'signer.make', body: make },
        { key: 'b/0', kind: 'signer.move', body: move },
        { key: 'c/0', kind: 'signer.seal', body: sealing },
      ],
      asked: () => asked,
      close: () => place.kernel.close(),
    }
  },
})
