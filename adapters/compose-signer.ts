/** Managed keys: custody performs what the plugin `signer` has decided, and the schedule of rotations runs. */
import { KernelError } from '../core/error.ts'
import type { Adapters } from './compose.ts'
import { type CellParts, LateKernel } from './compose-cells.ts'
import { openSecrets } from './compose-secrets.ts'

const NEEDED = 'signer'
const ROTATE_MS = 60_000

export async function openSigner(adapters: Adapters): Promise<CellParts> {
  if (!adapters.config.plugins.some(({ name }) => name === NEEDED))
    return { outbound: [], start: async () => undefined }
  const late = new LateKernel()
  const { createKeyCustody } = await import('./outbound/custody/index.ts')
  const custody = await adapters.get('custody')
  const clock = await adapters.get('clock')
  const secrets = await openSecrets(adapters)
  return {
    outbound: [createKeyCustody({ clock, custody, kernel: late, secrets })],
    async start(kernel, { store, telemetry }) {
      late.use(kernel)
      const { keepRotation } = await import('./sweep/rotation.ts')
      const onError = (error: unknown): void => {
        const code = error instanceof KernelError ? error.code : 'unavailable'
        telemetry.log?.write('warn', 'rotation_failed', { code })
      }
      const sweeper = keepRotation({ clock, everyMs: ROTATE_MS, kernel, onError, store })
      adapters.onClose(() => sweeper.close())
    },
  }
}
