/** The drivers' adapter, broken on purpose: each mutant must fail in the law that it names. */
import { createDrivers } from '../../../adapters/outbound/driver/index.ts'
import type { Decision, DryRun } from '../../../core/kernel.ts'
import type { Outbound, OutboundAction } from '../../../core/ports/outbound.ts'
import { openDesk } from '../../lease/desk.ts'
import type { Law, Mutant } from '../laws.ts'
import { type OutboundSubject, outboundLaws } from '../outbound.ts'

/** A kernel that takes every outcome. */
const ALLOW = { allow: true, reasons: [], obligations: [] } as const
const kernel = {
  check: async (): Promise<DryRun> => ({ dryRun: true, ...ALLOW }),
  decide: async () => ({ id: '0'.repeat(32), ...ALLOW }) as unknown as Decision,
}

const reset = { cell: 'cell-a', epoch: 3, resource: 'gpu-0' }
const actions: readonly OutboundAction[] = [
  {
    key: 'a/0',
    kind: 'lease.teardown',
    body: { ...reset, generation: 1, lease: '0'.repeat(32) },
  },
  { key: 'b/0', kind: 'lease.reset', body: reset },
]

function broken(change: (original: Outbound) => Partial<Outbound>): OutboundSubject {
  return {
    name: 'outbound/driver',
    async open() {
      const desk = await openDesk()
      const original = createDrivers({ drivers: { 'cell-a': { url: desk.url } }, kernel })
      return {
        outbound: { ...original, ...change(original) },
        actions,
        asked: () => desk.asked.length,
        close: () => desk.close(),
      }
    },
  }
}

export const laws: readonly Law<OutboundSubject>[] = outboundLaws

export const mutants: readonly Mutant<OutboundSubject>[] = [
  {
    name: 'names a kind twice',
    law: 'it names its kinds, each once',
    subject: broken(({ kinds }) => ({ kinds: [...kinds, ...kinds] })),
  },
  {
    name: 'names a kind that it does not perform',
    law: 'it names its kinds, each once',
    subject: broken(({ kinds }) => ({ kinds: [...kinds, 'lease.polish'] })),
  },
  {
    name: 'keeps the whole answer',
    law: 'an outcome is JSON of a size that can be logged',
    subject: broken(({ perform }) => ({
      perform: async (...asked) => ({ text: 'x'.repeat(20_000), told: await perform(...asked) }),
    })),
  },
  {
    name: 'refuses what it did before',
    law: 'an action may be performed again',
    subject: broken(({ perform }) => {
      const done = new Set<string>()
      return {
        perform(action, signal) {
          if (done.has(action.key)) return Promise.reject(new Error('done'))
          done.add(action.key)
          return perform(action, signal)
        },
      }
    }),
  },
  {
    name: 'does not look at the signal',
    law: 'nobody is asked after the signal has aborted',
    subject: broken(({ perform }) => ({
      perform: (action) => perform(action, new AbortController().signal),
    })),
  },
  {
    name: 'resolves for what it does not know',
    law: 'what it does not know is not performed',
    subject: broken(({ kinds, perform }) => ({
      perform: async (action, signal) =>
        kinds.includes(action.kind) ? perform(action, signal) : null,
    })),
  },
]
