import { registerLaws } from '../../../test/conformance/laws.ts'
import { outboundLaws } from '../../../test/conformance/outbound.ts'
import { FakeKernel } from '../../../test/fake-kernel.ts'
import { broadcastEntry, reportEntry, START_MS } from '../../../test/outbox.ts'
import { otherKernel } from '../../../test/peer.ts'
import { createPeers, createRevoking } from './index.ts'

registerLaws('outbound', outboundLaws, {
  name: 'outbound/peers',
  async open() {
    const other = await otherKernel()
    other.reply = ({ path }) =>
      path.endsWith('/announce')
        ? { status: 204 }
        : { status: 200, body: '{"allow":true,"reasons":[]}' }
    const peers = { 'cell-b': { url: other.url } }
    const outbound = createPeers({ clock: { now: () => START_MS }, peers })
    return {
      outbound,
      actions: [
        { key: 'a/0', kind: 'announce.broadcast', body: broadcastEntry() },
        { key: 'b/0', kind: 'announce.fetch', body: { cell: 'cell-b' } },
        { key: 'c/0', kind: 'capability.report', body: reportEntry('cell-b') },
      ],
      asked: () => other.heard.length,
      async close() {
        await outbound.close()
        await other.close()
      },
    }
  },
})

registerLaws('outbound', outboundLaws, {
  name: 'outbound/revoking',
  async open() {
    const kernel = new FakeKernel()
    return {
      outbound: createRevoking({ cells: ['cell-a'], kernel }),
      actions: [{ key: 'a/0', kind: 'announce.revoke', body: { id: 'x', kind: 'key' } }],
      asked: () => kernel.dispatches.length,
      close: async () => undefined,
    }
  },
})
