/** Takes what its folder offers, stops at the step that it is told, says so on standard output, and waits to be killed. */
import type { Kind } from '../../adapters/policies/bundle/cache.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import { openBundleServer } from './bundle-server.ts'

export type Step = 'activated' | 'kept' | 'tried' | 'verified'

const [folder = '', step] = process.argv.slice(2) as [string?, Step?]
/** With work for the event loop, so that the process lives. */
const hang = (): Promise<never> => {
  setInterval(() => undefined, 1000)
  process.stdout.write('here\n')
  return new Promise(() => undefined)
}

let counter = 0
const { keeper } = await openBundleServer(folder, (options) => {
  const { cache, kernel, trial } = options
  const isNext = (bundle: Bundle): boolean => (bundle.release?.counter ?? 0) > counter
  return {
    ...options,
    trial: {
      ...trial,
      engine: {
        name: trial.engine.name,
        load: (bundle) =>
          step === 'verified' && isNext(bundle) && counter > 0 ? hang() : trial.engine.load(bundle),
      },
    },
    cache: Object.assign(Object.create(cache) as typeof cache, {
      keep: async (content: string, bytes: Uint8Array, kind?: Kind) => {
        if (step === 'tried' && counter > 0) return hang()
        await cache.keep(content, bytes, kind)
        return step === 'kept' && counter > 0 ? hang() : undefined
      },
      read: (content: string, maxBytes: number, kind?: Kind) => cache.read(content, maxBytes, kind),
      prune: (contents: readonly string[]) => cache.prune(contents),
      confirm: (content: string, at: number) => cache.confirm(content, at),
      confirmed: (content: string) => cache.confirmed(content),
    }),
    kernel: {
      refusePolicy: (code, offered) => kernel.refusePolicy(code, offered),
      activate: async (bundle) => {
        const policy = await kernel.activate(bundle)
        return step === 'activated' && counter > 0 ? hang() : policy
      },
      update: async (operations, release) => {
        const policy = await kernel.update(operations, release)
        return step === 'activated' ? hang() : policy
      },
    },
  }
})
counter = keeper.standing.release?.counter ?? 0
process.stdout.write('serving\n')
keeper.follow()
