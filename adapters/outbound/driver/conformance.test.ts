import { afterAll } from 'vitest'
import { registerLaws } from '../../../test/conformance/laws.ts'
import { outboundLaws } from '../../../test/conformance/outbound.ts'
import { openDesk } from '../../../test/lease/desk.ts'
import { CELL, collector, lateKernel, leasing, publicKey, TENANT } from '../../../test/lease/kit.ts'
import { compiler } from '../../../test/rego.ts'
import { createDrivers } from './index.ts'

afterAll(() => compiler.close())

registerLaws('outbound', outboundLaws, {
  name: 'outbound/driver',
  async open() {
    const desk = await openDesk()
    const late = lateKernel()
    const outbound = createDrivers({ drivers: { [CELL]: { url: desk.url } }, kernel: late })
    // Performed by the laws, not by the kernel's own outbox.
    const place = await leasing({ outbound: [collector()] })
    late.use(place.kernel)
    for (const resource of ['gpu-0', 'gpu-1'])
      await place.decide('lease.add-resource', { cell: CELL, resource })
    const ended = async (resource: string): Promise<string> => {
      const asked = { cell: CELL, nk: publicKey(), resource, tenant: TENANT, ttl: 60 }
      const { id } = await place.decide('lease.grant', asked)
      await place.decide('lease.free', { lease: id })
      return id
    }
    const lease = await ended('gpu-0')
    const fenced = { epoch: 2, lease: await ended('gpu-1'), ok: false, resource: 'gpu-1' }
    await place.decide('lease.torn-down', fenced)
    const body = { cell: CELL, epoch: 2, generation: 1, lease, resource: 'gpu-0' }
    const reset = { cell: CELL, epoch: 3, resource: 'gpu-1' }
    return {
      outbound,
      actions: [
        { key: 'a/0', kind: 'lease.teardown', body },
        { key: 'b/0', kind: 'lease.reset', body: reset },
      ],
      asked: () => desk.asked.length,
      async close() {
        await place.kernel.close()
        await desk.close()
      },
    }
  },
})
