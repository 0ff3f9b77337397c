/** The peers in JavaScript: `node javascript.ts KIND FOLDER`. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as opaWasm from '@open-policy-agent/opa-wasm'
import { createJitEngine } from '../../../../adapters/engine/jit/index.ts'
import { createWasmEngine } from '../../../../adapters/engine/wasm/index.ts'
import type { Json } from '../../../../core/json.ts'
import type { Bundle } from '../../../../core/ports/compiler.ts'
import type { Engine } from '../../../../core/ports/engine.ts'
import { npmPackage } from '../../npm-package.ts'
import { CASBIN, CEDAR_WASM } from '../versions.ts'
import { WORKLOADS } from '../workloads/index.ts'
import { serve } from './serve.ts'

type Decide = (i: number) => boolean | Promise<boolean>

class Folder {
  readonly #path: string
  constructor(path: string) {
    this.#path = path
  }
  text(name: string): string {
    return readFileSync(join(this.#path, name), 'utf8')
  }
  json<T>(name: string): T {
    return JSON.parse(this.text(name)) as T
  }
  get entrypoint(): string {
    return this.text('entrypoint')
  }
  get wasm(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(readFileSync(join(this.#path, 'policy.wasm')))
  }
  get bundle(): Bundle {
    return {
      capabilities: 'trust',
      data: this.json('data.json'),
      digest: '',
      entrypoints: [this.entrypoint],
      plan: this.json('plan.json'),
      revision: '',
      sources: {},
      wasm: this.wasm,
    }
  }
}

function allows(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return answer === true
  return (answer as { readonly allow?: unknown }).allow === true
}

/** One of ours, on objects or on the text of each question. */
async function ours(engine: Engine, folder: Folder, from: 'object' | 'text'): Promise<Decide> {
  const { entrypoint } = folder
  const policy = await engine.load(folder.bundle)
  const texts = folder.json<Json[]>('inputs.json').map((input) => JSON.stringify(input))
  const inputs = texts.map((text) => ({ text, value: JSON.parse(text) as Json }))
  if (from === 'object') return (i) => allows(policy.evaluate(entrypoint, inputs[i]!))
  return (i) => {
    const text = texts[i]!
    return allows(policy.evaluate(entrypoint, { text, value: JSON.parse(text) as Json }))
  }
}

/** The npm package as its page says, with the memory that its data needs. */
async function opaPackage(folder: Folder, from: 'object' | 'text'): Promise<Decide> {
  const { loadPolicy } = (opaWasm as unknown as { readonly default: typeof opaWasm }).default
  const data = folder.text('data.json')
  const pages = Math.ceil((11 * data.length) / 65_536) + 16
  const policy = await loadPolicy(folder.wasm, { initial: pages, maximum: 65_536 })
  policy.setData(JSON.parse(data) as object)
  const objects = folder.json<object[]>('inputs.json')
  const inputs =
    from === 'object' ? objects : objects.map((input) => Buffer.from(JSON.stringify(input)))
  const evaluate = policy.evaluate.bind(policy) as (
    input: unknown,
  ) => readonly { readonly result: unknown }[]
  const given = inputs.map((input) =>
    Buffer.isBuffer(input)
      ? input.buffer.slice(input.byteOffset, input.byteOffset + input.length)
      : input,
  )
  return (i) => allows(evaluate(given[i])[0]?.result)
}

function byHand(folder: Folder): Decide {
  const workload = WORKLOADS.find(({ entrypoint }) => entrypoint === folder.entrypoint)!
  const decide = workload.byHand(folder.json<never>('data.json'))
  const inputs = folder.json<never[]>('inputs.json')
  return (i) => decide(inputs[i] as never)
}

function cedarWasm(folder: Folder): Decide {
  const cedar = createRequire(join(npmPackage(CEDAR_WASM), 'index.js'))(
    '@cedar-policy/cedar-wasm/nodejs',
  ) as {
    preparsePolicySet(id: string, policies: object): { readonly type: string }
    statefulIsAuthorized(call: object): { readonly response?: { readonly decision: string } }
  }
  const parsed = cedar.preparsePolicySet('bench', { staticPolicies: folder.text('policy.cedar') })
  if (parsed.type !== 'success') throw new Error('cedar-wasm refuses the policy')
  const requests = folder.json<object[]>('cedar-requests.json')
  const slices = folder.json<object[]>('cedar-slices.json')
  return (i) =>
    cedar.statefulIsAuthorized({
      ...requests[i],
      entities: slices[i],
      preparsedPolicySetId: 'bench',
    }).response?.decision === 'allow'
}

async function casbin(folder: Folder): Promise<Decide> {
  const { newEnforcer, newModelFromString, StringAdapter } = createRequire(
    join(npmPackage(CASBIN), 'index.js'),
  )('casbin') as {
    newEnforcer(
      model: object,
      adapter: object,
    ): Promise<{ enforceSync(...request: string[]): boolean }>
    newModelFromString(text: string): object
    StringAdapter: new (text: string) => object
  }
  const model = newModelFromString(
    '[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n' +
      '[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act\n',
  )
  const enforcer = await newEnforcer(model, new StringAdapter(folder.text('casbin.csv')))
  const inputs =
    folder.json<{ readonly user: string; readonly action: string; readonly resource: string }[]>(
      'inputs.json',
    )
  return (i) => {
    const { action, resource, user } = inputs[i]!
    return enforcer.enforceSync(user, resource, action)
  }
}

/** A client of OPA's server, with the port in the third argument; one connection that stays. */
function opaServer(folder: Folder, port: number): Decide {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const bodies = folder.json<Json[]>('inputs.json').map((input) => JSON.stringify({ input }))
  const path = `/v1/data/${folder.entrypoint}`
  return (i) =>
    new Promise((resolve, reject) => {
      const headers = {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(bodies[i]!),
      }
      const asked = request({ agent, headers, method: 'POST', path, port }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        answer.once('end', () =>
          resolve(allows((JSON.parse(text) as { readonly result?: unknown }).result)),
        )
      })
      asked.once('error', reject).end(bodies[i])
    })
}

const KINDS: Readonly<Record<string, (folder: Folder) => Decide | Promise<Decide>>> = {
  'by-hand': byHand,
  casbin,
  'cedar-wasm': cedarWasm,
  jit: (folder) => ours(createJitEngine({ checkInputs: false }), folder, 'object'),
  'jit-checked': (folder) => ours(createJitEngine(), folder, 'object'),
  'jit-text': (folder) => ours(createJitEngine({ checkInputs: false }), folder, 'text'),
  'opa-server': (folder) => opaServer(folder, Number(process.argv[4])),
  'opa-wasm': (folder) => opaPackage(folder, 'object'),
  'opa-wasm-text': (folder) => opaPackage(folder, 'text'),
  wasm: (folder) => ours(createWasmEngine(), folder, 'object'),
}

const [, , kind = '', path = ''] = process.argv
const open = KINDS[kind]
if (open === undefined) throw new Error(`no such peer: ${kind}`)
const folder = new Folder(path)
const decide = await open(folder)
await serve(folder.json<unknown[]>('inputs.json').length, decide)
