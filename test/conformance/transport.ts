/**
 * The laws of a way in: it maps a call to one dispatch and back. It verifies nothing, decides nothing, invents nothing, and whatever goes
 * wrong is no decision rather than another one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { NoDecision, type NoDecisionCode } from '../../core/error.ts'
import type { Decision, Kernel, Seal } from '../../core/kernel.ts'
import type { Peer } from '../../core/request.ts'
import { type Dispatch, decision, FakeKernel } from '../fake-kernel.ts'
import { type Law, registerLaws, type Subject } from './laws.ts'

/** One evaluation as a client of this transport asks for it. */
export interface Sent {
  readonly evaluation: unknown
  readonly idempotencyKey?: string
  readonly seal?: Seal
  readonly timeoutMs?: number
  /** The client gives up. */
  readonly signal?: AbortSignal
  /** Says, in every way that this transport's clients have, that it is the operator. */
  readonly forged?: true
}

/** `code: 'unreachable'`: nobody answered. `status`: where the platform has one. */
export type Reply =
  | { readonly allow: boolean; readonly id: string }
  | {
      readonly code: string
      readonly text: string
      readonly status?: number
      readonly retryAfterMs?: number
      readonly decisionId?: string
    }

export interface OpenedTransport {
  send(sent: Sent): Promise<Reply>
  close(): Promise<void>
}

export interface TransportSubject extends Subject {
  /** Every request's peer, as this transport is opened. */
  readonly peer: Peer
  /** Status codes of {@link Reply}, where the platform has such a thing. */
  readonly statuses?: Readonly<Record<NoDecisionCode, number>>
  /** `maxBytes`: of a request's JSON text. */
  open(kernel: Kernel, options: { readonly maxBytes: number }): Promise<OpenedTransport>
}

const MAX_BYTES = 1024

function evaluationOf(id: string, pad = ''): Record<string, unknown> {
  return {
    subject: { type: 'user', id },
    action: { name: 'read' },
    resource: { type: 'record', id: 'record-1' },
    context: { pad },
  }
}

function law(
  name: string,
  hold: (
    kernel: FakeKernel,
    transport: OpenedTransport,
    subject: TransportSubject,
  ) => Promise<void>,
): Law<TransportSubject> {
  return {
    name,
    async run(subject) {
      const kernel = new FakeKernel()
      const transport = await subject.open(kernel, { maxBytes: MAX_BYTES })
      try {
        await hold(kernel, transport, subject)
      } finally {
        await transport.close()
      }
    },
  }
}

/** Rejects when it takes too long: a law fails rather than hangs. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const late = sleep(5000, undefined, { ref: false }).then(() => {
    throw new Error('this took more than five seconds')
  })
  return await Promise.race([promise, late])
}

const dispatchLaws: readonly Law<TransportSubject>[] = [
  law('one request is one dispatch, with the payload that was sent', async (kernel, transport) => {
    await transport.send({ evaluation: evaluationOf('älice\u{1f600}') })
    expect(kernel.dispatches.map(({ submission }) => submission.action)).toEqual([
      'access.evaluate',
    ])
    expect(kernel.dispatches[0]?.submission.payload.json()).toEqual(evaluationOf('älice\u{1f600}'))
    expect(kernel.checks).toEqual([])
  }),

  law('allow and deny both come back as they were decided', async (kernel, transport) => {
    for (const allow of [true, false]) {
      kernel.script = async () => decision({ allow, id: (allow ? 'a' : 'b').repeat(32) })
      expect(await transport.send({ evaluation: evaluationOf('alice') })).toEqual({
        allow,
        id: (allow ? 'a' : 'b').repeat(32),
      })
    }
  }),

  law('the largest request is dispatched, and one byte more is not', async (kernel, transport) => {
    const overhead = Buffer.byteLength(JSON.stringify(evaluationOf('alice')))
    // Two bytes a character: what counts is bytes.
    const pad = 'é'.repeat((MAX_BYTES - overhead) >> 1) + 'x'.repeat((MAX_BYTES - overhead) & 1)
    expect(await transport.send({ evaluation: evaluationOf('alice', pad) })).toHaveProperty('allow')
    expect(kernel.dispatches.length).toBe(1)
    expect(await transport.send({ evaluation: evaluationOf('alice', `${pad}x`) })).toHaveProperty(
      'code',
    )
    expect(kernel.dispatches.length).toBe(1)
  }),

  law('a request that cannot be read is not dispatched', async (kernel, transport) => {
    const { subject: _, ...nobody } = evaluationOf('alice')
    const unread = [undefined, null, 7, 'alice', [], nobody, { ...nobody, subject: undefined }]
    for (const evaluation of unread)
      expect(await transport.send({ evaluation })).toHaveProperty('code')
    expect(kernel.dispatches).toEqual([])
  }),

  law('nothing in a request changes who the peer is', async (kernel, transport, { peer }) => {
    const evaluation = { ...evaluationOf('alice'), peer: { kind: 'operator', id: 'root' } }
    await transport.send({ evaluation, forged: true })
    await transport.send({ evaluation })
    expect(kernel.dispatches.map(({ submission }) => submission.peer)).toEqual([peer, peer])
    expect(kernel.dispatches[0]?.submission.payload.json()).toEqual(evaluationOf('alice'))
  }),

  law(
    'key, seal and timeout reach the dispatch, and only when they were sent',
    async (kernel, transport) => {
      const evaluation = evaluationOf('alice')
      await transport.send({ evaluation, idempotencyKey: 'k-1', seal: 'durable', timeoutMs: 250 })
      await transport.send({ evaluation })
      const said = kernel.dispatches.map(({ submission, options: { seal, timeoutMs } }) => [
        submission.idempotencyKey,
        seal,
        timeoutMs,
      ])
      expect(said).toEqual([
        ['k-1', 'durable', 250],
        [undefined, undefined, undefined],
      ])
    },
  ),

  law(
    'what the caller changes after sending does not reach the dispatch',
    async (kernel, transport) => {
      const evaluation = evaluationOf('alice')
      const sent = transport.send({ evaluation })
      Object.assign(evaluation.subject as object, { id: 'mallory' })
      await sent
      expect(kernel.dispatches[0]?.submission.payload.json()).toEqual(evaluationOf('alice'))
    },
  ),
]

const NO_DECISIONS: readonly NoDecisionCode[] = [
  'aborted',
  'closed',
  'idempotency_mismatch',
  'malformed',
  'overloaded',
  'unavailable',
  'unknown_outcome',
]
const SECRET = 'postgres://user:hunter2@db'
const THROWN: readonly (() => Promise<Decision>)[] = [
  () => Promise.reject(new Error(SECRET)),
  () => Promise.reject(SECRET),
  () => {
    throw new TypeError(SECRET)
  },
]

const failureLaws: readonly Law<TransportSubject>[] = [
  law(
    'every reason for no decision keeps its code, and its status',
    async (kernel, transport, subject) => {
      for (const code of NO_DECISIONS) {
        kernel.script = () => Promise.reject(new NoDecision(code, SECRET))
        const reply = await transport.send({ evaluation: evaluationOf('alice') })
        expect(reply).toMatchObject({ code })
        expect((reply as { status?: number }).status).toBe(subject.statuses?.[code])
      }
    },
  ),

  law('when to retry and which decision to look for come back', async (kernel, transport) => {
    const id = 'c'.repeat(32)
    kernel.script = () =>
      Promise.reject(new NoDecision('overloaded', 'busy', { retryAfterMs: 3000 }))
    expect(await transport.send({ evaluation: evaluationOf('alice') })).toMatchObject({
      retryAfterMs: 3000,
    })
    kernel.script = () =>
      Promise.reject(new NoDecision('unknown_outcome', 'timed out', { decisionId: id }))
    expect(await transport.send({ evaluation: evaluationOf('alice') })).toMatchObject({
      decisionId: id,
    })
  }),

  law(
    'a dispatch that throws is unavailable, without its text',
    async (kernel, transport, subject) => {
      for (const thrown of THROWN) {
        kernel.script = thrown
        const reply = await transport.send({ evaluation: evaluationOf('alice') })
        expect(reply).toMatchObject({ code: 'unavailable' })
        expect((reply as { status?: number }).status).toBe(subject.statuses?.unavailable)
        expect(JSON.stringify(reply)).not.toContain('hunter2')
      }
    },
  ),

  law('a caller that gives up aborts the signal', async (kernel, transport) => {
    const gaveUp = new NoDecision('aborted', 'the caller gave up')
    let heard = false
    kernel.script = ({ options: { signal } }) =>
      new Promise((_, reject) => {
        const abort = (): void => {
          heard = true
          reject(gaveUp)
        }
        signal?.addEventListener('abort', abort, { once: true })
        // A transport that does not say so must not keep the law from ending.
        setTimeout(() => reject(gaveUp), 2000)
      })
    const signal = AbortSignal.timeout(50)
    const sent = transport.send({ evaluation: evaluationOf('alice'), signal })
    expect(await soon(sent)).toHaveProperty('code')
    for (let i = 0; i < 100 && !heard; i++) await sleep(10)
    expect(heard).toBe(true)
  }),
]

/** Answers that wait until the test lets them go. */
class Held {
  readonly #open: (() => void)[] = []
  readonly script = async ({ submission }: Dispatch): Promise<Decision> => {
    await new Promise<void>((resolve) => {
      this.#open.push(resolve)
    })
    const { subject } = submission.payload.json() as { subject: { id: string } }
    return decision({ id: subject.id, allow: Number(subject.id) % 3 === 0 })
  }

  async arrived(count: number): Promise<void> {
    for (let i = 0; i < 500 && this.#open.length < count; i++) await sleep(10)
    expect(this.#open.length).toBe(count)
  }

  /** The last one first. */
  release(): void {
    for (const open of this.#open.splice(0).reverse()) open()
  }
}

const concurrencyLaws: readonly Law<TransportSubject>[] = [
  law('concurrent requests do not mix', async (kernel, transport) => {
    const held = new Held()
    kernel.script = held.script
    const ids = Array.from({ length: 40 }, (_, i) => String(i).padStart(32, '0'))
    const replies = ids.map((id) => transport.send({ evaluation: evaluationOf(id) }))
    await held.arrived(40)
    held.release()
    const expected = ids.map((id) => ({ id, allow: Number(id) % 3 === 0 }))
    expect(await soon(Promise.all(replies))).toEqual(expected)
  }),

  law('close waits for what is under way, and takes nothing more', async (kernel, transport) => {
    const held = new Held()
    kernel.script = held.script
    const id = '3'.padStart(32, '0')
    const under = transport.send({ evaluation: evaluationOf(id) })
    await held.arrived(1)
    let isClosed = false
    const closing = transport.close().then(() => {
      isClosed = true
    })
    const late = await soon(transport.send({ evaluation: evaluationOf('9') }))
    expect(['closed', 'unreachable']).toContain((late as { code?: string }).code)
    await sleep(50)
    expect(isClosed).toBe(false)
    held.release()
    expect(await soon(under)).toEqual({ id, allow: true })
    await soon(closing)
    expect(kernel.dispatches.length).toBe(1)
  }),

  law('close may be called again, and nobody is answered after it', async (kernel, transport) => {
    await soon(Promise.all([transport.close(), transport.close()]))
    await soon(transport.close())
    const reply = await soon(transport.send({ evaluation: evaluationOf('alice') }))
    expect(['closed', 'unreachable']).toContain((reply as { code?: string }).code)
    expect(kernel.dispatches).toEqual([])
  }),
]

export const transportLaws: readonly Law<TransportSubject>[] = [
  ...dispatchLaws,
  ...failureLaws,
  ...concurrencyLaws,
]

export function transportConformance(subject: TransportSubject): void {
  registerLaws('transport', transportLaws, subject)
}
