/** Runs inside the worker: loads one module and answers calls to it. It has no store, no custody and no environment. */
import { parentPort, workerData } from 'node:worker_threads'
import { EngineError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { CandidateReads, Plugin, ReadPorts } from '../../core/plugin.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { Engine, Policy } from '../../core/ports/engine.ts'
import { Payload } from '../../core/request.ts'
import type {
  CallMessage,
  CandidatesAnswer,
  CandidatesCall,
  EvaluateCall,
  FactsCall,
  Failure,
  FromWorker,
  IsolatedModule,
  PatchCall,
  ToWorker,
} from './protocol.ts'

type Methods = Readonly<Record<string, (body: never, call: Call) => unknown>>
interface Call {
  readonly signal: AbortSignal
  ask(method: string, body: unknown): Promise<unknown>
}

const port = parentPort
if (port === null) throw new Error('this file runs in a worker')
const post = (message: FromWorker): void => port.postMessage(message)
const target = workerData as IsolatedModule
const questions = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
const running = new Map<number, AbortController>()
let nextQuestion = 1

const methods: Promise<Methods> = import(target.module).then((module) => {
  const exported = module[target.exportName]
  return target.role === 'plugin'
    ? pluginMethods(exported)
    : engineMethods(exported, target.options ?? {})
})
// Each call awaits it and reports; this keeps an import failure from ending the worker before the first call.
methods.catch(() => undefined)

port.on('message', (message: ToWorker) => {
  if ('call' in message) void perform(message)
  else if ('abort' in message) running.get(message.abort)?.abort()
  else {
    const question = questions.get(message.answer)
    questions.delete(message.answer)
    if ('failed' in message) question?.reject(new Error(message.failed))
    else question?.resolve(message.value)
  }
})

async function perform({ call: id, method, body }: CallMessage): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  const ask: Call['ask'] = (name, question) =>
    new Promise((resolve, reject) => {
      const number = nextQuestion++
      questions.set(number, { resolve, reject })
      post({ ask: number, of: id, method: name, body: question })
    })
  try {
    const perform = (await methods)[method]
    if (perform === undefined) throw new Error(`${target.role} has no method ${method}`)
    const value = await perform(body as never, { signal: controller.signal, ask })
    post({ done: id, value })
  } catch (error) {
    post({ done: id, failed: failure(error) })
  } finally {
    running.delete(id)
  }
}

function failure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: undefined, message: 'it threw what is no Error' }
  const { code } = error as { code?: unknown }
  return { code: typeof code === 'string' ? code : undefined, message: error.message }
}

/** The export is an extension `{ plugin }` or the plugin itself. */
function pluginMethods(exported: { plugin?: Plugin } & Plugin): Methods {
  const plugin = exported.plugin ?? exported
  return {
    facts: ({ action, payload, peer, obligations, now }: FactsCall, { signal, ask }: Call) => {
      const read: ReadPorts = {
        get: (sort) => ask('get', { sort }) as ReturnType<ReadPorts['get']>,
        getFrom: (plugin, sort) =>
          ask('getFrom', { plugin, sort }) as ReturnType<ReadPorts['getFrom']>,
        listGuarded: (prefix) =>
          ask('listGuarded', { prefix }) as ReturnType<ReadPorts['listGuarded']>,
        snapshot: (sort, maxAgeMs) =>
          ask('snapshot', { sort, maxAgeMs }) as ReturnType<ReadPorts['snapshot']>,
        decided: (id) => ask('decided', { id }) as ReturnType<ReadPorts['decided']>,
      }
      const request = { action, payload: Payload.fromBytes(payload), peer, obligations }
      return plugin.facts(request, read, now, signal)
    },
    candidates: async (
      { after, limit, payload, query }: CandidatesCall,
      { ask }: Call,
    ): Promise<CandidatesAnswer> => {
      if (plugin.candidates === undefined) throw new Error('it lists no candidates')
      const read: CandidateReads = {
        get: (sort) => ask('get', { sort }) as ReturnType<CandidateReads['get']>,
        page: (prefix, after, limit) =>
          ask('page', { prefix, after, limit }) as ReturnType<CandidateReads['page']>,
      }
      const asked = { ...query, payload: Payload.fromBytes(payload) }
      const found = await plugin.candidates(asked, after, limit, read)
      if ('malformed' in found) return found
      const items = found.items.map((item) => ({ ...item, payload: item.payload.bytes }))
      return { ...found, items, unused: found.unused.bytes }
    },
  }
}

/** The export is a function that makes an engine, or an extension `{ adapter }` of the port `engine`. */
function engineMethods(
  exported: ((options: object) => Engine | Promise<Engine>) & {
    adapter?: { open(options: object): Engine | Promise<Engine> }
  },
  options: object,
): Methods {
  const engine = Promise.resolve(exported.adapter?.open(options) ?? exported(options))
  const policies = new Map<number, Promise<Policy>>()
  return {
    load: async ({ policy, bundle }: { policy: number; bundle: Bundle }) => {
      const loading = engine.then((loaded) => loaded.load(bundle))
      policies.set(policy, loading)
      const { digest, revision, entrypoints } = await loading
      return { digest, revision, entrypoints }
    },
    patch: async ({ policy, of, operations, revision }: PatchCall) => {
      const patching = Promise.resolve(policies.get(of)).then((base) => {
        if (base === undefined) throw new EngineError('engine/worker', 'closed', 'no such policy')
        return base.patch(operations, revision)
      })
      policies.set(policy, patching)
      await patching
    },
    evaluate: async ({ policy, entrypoint, text }: EvaluateCall): Promise<Json | undefined> => {
      const loaded = await policies.get(policy)
      return loaded?.evaluate(entrypoint, { value: JSON.parse(text) as Json, text })
    },
    unload: async ({ policy }: { policy: number }) => {
      const loaded = policies.get(policy)
      policies.delete(policy)
      await (await loaded)?.close()
    },
  }
}
