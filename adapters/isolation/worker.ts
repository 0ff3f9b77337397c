/**
 * `isolation: worker`: a plugin's facts and candidates, or an engine, in a worker without store or custody that is killed at its deadline. Reads go by
 * message through the guarded ports of the request. A module's metadata (actions, schema, effects) is loaded in the process itself, so
 * importing a module still trusts its top level; effects are pure and run in the process. So does `screen`, which a plugin may have for what is
 * not worth a message: one that does not come back holds up the process.
 */
import { EngineError, type EngineErrorCode } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { Engine, Policy } from '../../core/ports/engine.ts'
import { Payload } from '../../core/request.ts'
import { Channel, type ChannelOptions, IsolationError } from './channel.ts'
import type {
  CandidatesAnswer,
  CandidatesCall,
  EvaluateCall,
  FactsCall,
  PatchCall,
} from './protocol.ts'

export interface IsolationOptions extends ChannelOptions {
  /** Which export of the module; default `default`. */
  readonly exportName?: string
}
export interface EngineIsolationOptions extends IsolationOptions {
  /** What the engine is made with; plain data. */
  readonly options?: object
}
export interface IsolatedPlugin extends Plugin {
  /** Ends the worker. */
  close(): Promise<void>
}
export interface IsolatedEngine extends Engine {
  close(): Promise<void>
}

/**
 * The plugin of the module at `specifier` with its facts computed in a worker. `facts` rejects with IsolationError: `timeout` when it
 * was late (the worker is gone, the next call gets a new one), `crashed`, `failed` with what it threw.
 */
export async function isolatePlugin(
  specifier: URL,
  options: IsolationOptions,
): Promise<IsolatedPlugin> {
  const { exportName = 'default' } = options
  const exported = (await import(specifier.href))[exportName] as { plugin?: Plugin } & Plugin
  const plugin = exported.plugin ?? exported
  const channel = new Channel({ role: 'plugin', module: specifier.href, exportName }, options)
  return {
    ...plugin,
    facts: (request, read, now, signal) => {
      const { action, payload, peer, obligations } = request
      const body: FactsCall = { action, payload: payload.bytes, peer, obligations, now }
      const answer = (method: string, question: unknown): Promise<unknown> =>
        answerRead(read, method, question as ReadQuestion)
      return channel.call('facts', body, { signal, answer }) as Promise<object>
    },
    ...(plugin.candidates && { candidates: candidatesIn(channel) }),
    close: () => channel.close(),
  }
}

function candidatesIn(channel: Channel): NonNullable<Plugin['candidates']> {
  return async ({ payload, ...query }, after, limit, read) => {
    const body: CandidatesCall = { query, payload: payload.bytes, after, limit }
    const answer = async (method: string, question: unknown): Promise<unknown> => {
      const { after, limit, prefix, sort } = question as ReadQuestion
      if (method === 'get') return read.get(sort)
      if (method === 'page') return read.page(prefix, after, limit)
      throw new Error('there is no such read')
    }
    const found = (await channel.call('candidates', body, { answer })) as CandidatesAnswer
    if ('malformed' in found) return found
    const items = found.items.map((item) => ({ ...item, payload: Payload.fromBytes(item.payload) }))
    return { ...found, items, unused: Payload.fromBytes(found.unused) }
  }
}

interface ReadQuestion {
  readonly after: string | undefined
  readonly limit: number
  readonly plugin: string
  readonly sort: string
  readonly prefix: string
  readonly maxAgeMs: number
  readonly id: string
}
async function answerRead(
  read: ReadPorts,
  method: string,
  { id, maxAgeMs, plugin, prefix, sort }: ReadQuestion,
): Promise<unknown> {
  if (method === 'get') return read.get(sort)
  if (method === 'getFrom') return read.getFrom(plugin, sort)
  if (method === 'listGuarded') return read.listGuarded(prefix)
  if (method === 'snapshot') return read.snapshot(sort, maxAgeMs)
  if (method === 'decided') return read.decided(id)
  throw new Error('there is no such read')
}

/** The engine that the module at `specifier` makes, in a worker: `evaluate` answers with a promise, EngineError `timeout` when late. */
export async function isolateEngine(
  specifier: URL,
  isolation: EngineIsolationOptions,
): Promise<IsolatedEngine> {
  const { exportName = 'default', options = {} } = isolation
  const module = specifier.href
  const channel = new Channel({ role: 'engine', module, exportName, options }, isolation)
  const numbers = { channel, next: 1 }
  return {
    name: 'worker',
    async load(bundle) {
      const policy = numbers.next++
      const forget = await kept(channel.keep('load', { policy, bundle }), 'invalid_bundle')
      return isolatedPolicy(numbers, policy, bundle, new Kept(forget))
    },
    close: () => channel.close(),
  }
}

async function kept(keeping: Promise<() => void>, fallback: EngineErrorCode): Promise<() => void> {
  try {
    return await keeping
  } catch (error) {
    throw engineError(error, fallback)
  }
}

/** What a fresh worker is told again, as long as somebody needs it: a policy, and all that were made from it. */
class Kept {
  #users = 1
  readonly #forget: () => void
  constructor(forget: () => void) {
    this.#forget = forget
  }
  use(): void {
    this.#users++
  }
  release(): void {
    if (--this.#users === 0) this.#forget()
  }
}

function isolatedPolicy(
  numbers: { readonly channel: Channel; next: number },
  policy: number,
  { digest, revision, entrypoints }: Pick<Policy, 'digest' | 'entrypoints' | 'revision'>,
  held: Kept,
): Policy {
  const { channel } = numbers
  let closed = false
  const open = (): void => {
    if (closed) throw new EngineError('engine/worker', 'closed', 'the policy was closed')
  }
  return {
    digest,
    revision,
    entrypoints,
    async patch(operations, next) {
      open()
      const body: PatchCall = { policy: numbers.next++, of: policy, operations, revision: next }
      held.use()
      const forget = await kept(channel.keep('patch', body), 'invalid_patch').catch((error) => {
        held.release()
        throw error
      })
      const release = (): void => {
        forget()
        held.release()
      }
      return isolatedPolicy(
        numbers,
        body.policy,
        { digest, entrypoints, revision: next },
        new Kept(release),
      )
    },
    async evaluate(entrypoint, { text }) {
      open()
      const body: EvaluateCall = { policy, entrypoint, text }
      try {
        return (await channel.call('evaluate', body)) as Json | undefined
      } catch (error) {
        throw engineError(error, 'evaluation_failed')
      }
    },
    async close() {
      if (closed) return
      closed = true
      held.release()
      await channel.call('unload', { policy }).catch(() => undefined)
    },
  }
}

const ENGINE_CODES: readonly string[] = [
  'budget_exhausted',
  'closed',
  'engine_mismatch',
  'evaluation_failed',
  'invalid_bundle',
  'invalid_input',
  'invalid_patch',
  'timeout',
  'unknown_entrypoint',
] satisfies readonly EngineErrorCode[]

function engineError(error: unknown, otherwise: EngineErrorCode): EngineError {
  if (!(error instanceof IsolationError)) throw error
  const code = error.inner ?? error.code
  const known = ENGINE_CODES.includes(code) ? (code as EngineErrorCode) : otherwise
  return new EngineError('engine/worker', known, error.message, { cause: error })
}
