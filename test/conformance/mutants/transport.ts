/** Transports, broken on purpose: each mutant must fail in the law that it names. */
import type { Decision, Kernel } from '../../../core/kernel.ts'
import type { Law, Mutant } from '../laws.ts'
import { embeddedSubject } from '../transport/embedded.ts'
import { httpSubject } from '../transport/http.ts'
import { functionUrlSubject, lambdaSubject } from '../transport/lambda.ts'
import {
  type OpenedTransport,
  type Reply,
  type Sent,
  type TransportSubject,
  transportLaws,
} from '../transport.ts'

export const laws: readonly Law<TransportSubject>[] = transportLaws

type Decide = Kernel['decide']

/** The kernel that the transport gets, with another `decide`. */
function dispatching(
  original: TransportSubject,
  change: (decide: Decide) => Decide,
): TransportSubject {
  return {
    ...original,
    open(kernel, options) {
      const decide = change((...asked) => kernel.decide(...asked))
      const changed: Kernel = new Proxy(kernel, {
        get: (target, name) => {
          if (name === 'decide') return decide
          const member: unknown = Reflect.get(target, name)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
      return original.open(changed, options)
    },
  }
}

function opened(
  original: TransportSubject,
  change: (transport: OpenedTransport, kernel: Kernel) => Partial<OpenedTransport>,
): TransportSubject {
  return {
    ...original,
    async open(kernel, options) {
      const transport = await original.open(kernel, options)
      return { ...transport, ...change(transport, kernel) }
    },
  }
}

function sending(
  original: TransportSubject,
  change: (send: OpenedTransport['send'], sent: Sent) => Promise<Reply>,
): TransportSubject {
  return opened(original, ({ send }) => ({ send: (sent) => change(send, sent) }))
}

function limited(original: TransportSubject, by: number): TransportSubject {
  return {
    ...original,
    open: (kernel, { maxBytes }) => original.open(kernel, { maxBytes: maxBytes + by }),
  }
}

/** The peer is whoever the last caller said. */
function believing(original: TransportSubject): TransportSubject {
  let forged = false
  const told = sending(original, (send, sent) => {
    forged = sent.forged === true
    return send(sent)
  })
  return dispatching(told, (decide) => (submission, options) => {
    const peer = { kind: 'operator', id: 'root' }
    return decide(forged ? { ...submission, peer } : submission, options)
  })
}

/** Each answer goes to whoever asked before. */
function mixing(original: TransportSubject): TransportSubject {
  let previous: Promise<Decision> | undefined
  return dispatching(original, (decide) => async (submission, options) => {
    const mine = decide(submission, options)
    const other = previous ?? mine
    previous = mine
    await mine
    return other
  })
}

function talking(original: TransportSubject): TransportSubject {
  let said = ''
  const listening = dispatching(original, (decide) => async (submission, options) => {
    try {
      return await decide(submission, options)
    } catch (error) {
      said = String(error)
      throw error
    }
  })
  return sending(listening, async (send, sent) => {
    const reply = await send(sent)
    return 'code' in reply ? { ...reply, text: `${reply.text} (${said})` } : reply
  })
}

const DENY = { allow: false, id: 'd'.repeat(32) }

export const mutants: readonly Mutant<TransportSubject>[] = [
  {
    name: 'asks twice',
    law: 'one request is one dispatch, with the payload that was sent',
    subject: dispatching(httpSubject, (decide) => async (submission, options) => {
      await decide(submission, options)
      return await decide(submission, options)
    }),
  },
  {
    name: 'turns a deny into an allow',
    law: 'allow and deny both come back as they were decided',
    subject: dispatching(embeddedSubject, (decide) => async (submission, options) => ({
      ...(await decide(submission, options)),
      allow: true,
    })),
  },
  {
    name: 'takes one byte more',
    law: 'the largest request is dispatched, and one byte more is not',
    subject: limited(httpSubject, 1),
  },
  {
    name: 'takes one byte less',
    law: 'the largest request is dispatched, and one byte more is not',
    subject: limited(embeddedSubject, -1),
  },
  {
    name: 'fills in what a request lacks',
    law: 'a request that cannot be read is not dispatched',
    subject: sending(httpSubject, (send, sent) => {
      const nobody = { subject: { type: 'user', id: 'nobody' } }
      return send({ ...sent, evaluation: { ...nobody, ...Object(sent.evaluation) } })
    }),
  },
  {
    name: 'believes what a caller says about itself',
    law: 'nothing in a request changes who the peer is',
    subject: believing(httpSubject),
  },
  {
    name: 'lets a call rename the program',
    law: 'nothing in a request changes who the peer is',
    subject: believing(embeddedSubject),
  },
  {
    name: 'forgets the timeout',
    law: 'key, seal and timeout reach the dispatch, and only when they were sent',
    subject: dispatching(
      httpSubject,
      (decide) =>
        (submission, { timeoutMs: _, ...options } = {}) =>
          decide(submission, options),
    ),
  },
  {
    name: 'forgets the idempotency key',
    law: 'key, seal and timeout reach the dispatch, and only when they were sent',
    subject: dispatching(
      embeddedSubject,
      (decide) =>
        ({ idempotencyKey: _, ...submission }, options) =>
          decide(submission, options),
    ),
  },
  {
    name: 'reads the caller\u2019s object late',
    law: 'what the caller changes after sending does not reach the dispatch',
    subject: sending(embeddedSubject, async (send, sent) => {
      await null
      return await send(sent)
    }),
  },
  {
    name: 'answers a failure with a deny',
    law: 'every reason for no decision keeps its code, and its status',
    subject: sending(httpSubject, async (send, sent) => {
      const reply = await send(sent)
      return 'code' in reply ? DENY : reply
    }),
  },
  {
    name: 'answers every failure with 500',
    law: 'every reason for no decision keeps its code, and its status',
    subject: sending(httpSubject, async (send, sent) => {
      const reply = await send(sent)
      return 'code' in reply ? { ...reply, status: 500 } : reply
    }),
  },
  {
    name: 'does not say when to retry',
    law: 'when to retry and which decision to look for come back',
    subject: sending(httpSubject, async (send, sent) => {
      const { retryAfterMs: _, ...reply } = (await send(sent)) as Reply & { retryAfterMs?: number }
      return reply
    }),
  },
  {
    name: 'quotes what was thrown',
    law: 'a dispatch that throws is unavailable, without its text',
    subject: talking(httpSubject),
  },
  {
    name: 'does not hear the caller give up',
    law: 'a caller that gives up aborts the signal',
    subject: dispatching(
      httpSubject,
      (decide) =>
        (submission, { signal: _, ...options } = {}) =>
          decide(submission, options),
    ),
  },
  {
    name: 'gives an answer to somebody else',
    law: 'concurrent requests do not mix',
    subject: mixing(httpSubject),
  },
  {
    name: 'closes without waiting',
    law: 'close waits for what is under way, and takes nothing more',
    subject: opened(embeddedSubject, ({ close }) => ({ close: async () => void close() })),
  },
  {
    name: 'answers after it was closed',
    law: 'close may be called again, and nobody is answered after it',
    subject: opened(embeddedSubject, () => ({ close: async () => {} })),
  },
  {
    name: 'takes one byte more of a directly invoked payload',
    law: 'the largest request is dispatched, and one byte more is not',
    subject: limited(lambdaSubject, 1),
  },
  {
    name: 'believes the client context of an invocation',
    law: 'nothing in a request changes who the peer is',
    subject: believing(lambdaSubject),
  },
  {
    name: 'works on when its time is over',
    law: 'a caller that gives up aborts the signal',
    subject: dispatching(
      functionUrlSubject,
      (decide) =>
        (submission, { signal: _, ...options } = {}) =>
          decide(submission, options),
    ),
  },
  {
    name: 'gives the answer of one invocation to another',
    law: 'concurrent requests do not mix',
    subject: mixing(lambdaSubject),
  },
  {
    name: 'ends an environment that still decides',
    law: 'close waits for what is under way, and takes nothing more',
    subject: opened(lambdaSubject, ({ close }) => ({ close: async () => void close() })),
  },
]
