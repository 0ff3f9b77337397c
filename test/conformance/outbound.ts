/** The laws of {@link Outbound}: what performs external actions knows its own, stops when it is told to, and can be asked twice. */
import { expect } from 'vitest'
import type { Json } from '../../core/json.ts'
import { parseJson } from '../../core/json.ts'
import type { Outbound, OutboundAction } from '../../core/ports/outbound.ts'
import type { Law, Subject } from './laws.ts'

export interface OpenedOutbound {
  readonly outbound: Outbound
  /** At least one of each kind, which can be performed. */
  readonly actions: readonly OutboundAction[]
  /** What the receivers were asked so far. */
  asked(): number
  close(): Promise<void>
}
export interface OutboundSubject extends Subject {
  open(): Promise<OpenedOutbound>
}

/** What an outcome may have in the log, in UTF-8 bytes. */
const MAX_OUTCOME_BYTES = 16_384

const using =
  (run: (opened: OpenedOutbound) => Promise<void>) =>
  async ({ open }: OutboundSubject): Promise<void> => {
    const opened = await open()
    try {
      await run(opened)
    } finally {
      await opened.close()
    }
  }
const never = (): AbortSignal => new AbortController().signal

export const outboundLaws: readonly Law<OutboundSubject>[] = [
  {
    name: 'it names its kinds, each once',
    run: using(async ({ actions, outbound }) => {
      expect(outbound.name).toMatch(/^outbound\/[a-z-]+$/)
      expect(new Set(outbound.kinds).size).toBe(outbound.kinds.length)
      expect([...new Set(actions.map(({ kind }) => kind))].sort()).toEqual(
        [...outbound.kinds].sort(),
      )
    }),
  },
  {
    name: 'an outcome is JSON of a size that can be logged',
    run: using(async ({ actions, outbound }) => {
      for (const action of actions) {
        const outcome = JSON.stringify(await outbound.perform(action, never()))
        expect(parseJson(outcome)).toEqual(JSON.parse(outcome))
        expect(new TextEncoder().encode(outcome).length).toBeLessThanOrEqual(MAX_OUTCOME_BYTES)
      }
    }),
  },
  {
    name: 'an action may be performed again',
    run: using(async ({ actions, outbound }) => {
      for (const action of actions) {
        await outbound.perform(action, never())
        await outbound.perform(action, never())
      }
    }),
  },
  {
    name: 'nobody is asked after the signal has aborted',
    run: using(async ({ actions, asked, outbound }) => {
      for (const action of actions)
        await expect(outbound.perform(action, AbortSignal.abort())).rejects.toThrow()
      expect(asked()).toBe(0)
    }),
  },
  {
    name: 'what it does not know is not performed',
    run: using(async ({ actions, asked, outbound }) => {
      const [known] = actions
      await expect(
        outbound.perform({ ...(known as OutboundAction), kind: 'nobody.knows' }, never()),
      ).rejects.toThrow()
      for (const { key, kind } of actions)
        for (const body of [null, [], {}, { unknown: 1 }] satisfies Json[])
          await expect(outbound.perform({ key, kind, body }, never())).rejects.toThrow()
      expect(asked()).toBe(0)
    }),
  },
]
