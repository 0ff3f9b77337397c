import type { Kernel } from '../kernel.ts'

/**
 * A way in. It maps a platform's call to one dispatch and back; it verifies nothing and decides nothing. A transport is a function from
 * the kernel to whatever the platform calls, so the port is a type only: `(kernel, options) => { close }` and more.
 */
export type Transport<Options, Served extends Closable> = (
  kernel: Kernel,
  options: Options,
) => Promise<Served>
export interface Closable {
  /** Stops taking requests and waits for those under way. */
  close(): Promise<void>
}
