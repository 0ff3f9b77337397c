/** What can be measured only once a process: `node --expose-gc once.ts load|cold|patch KIND FOLDER` prints one line of JSON. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as opaWasm from '@open-policy-agent/opa-wasm'
import { createJitEngine } from '../../../adapters/engine/jit/index.ts'
import type { Json } from '../../../core/json.ts'
import type { Policy } from '../../../core/ports/engine.ts'

const [, , what = '', kind = '', folder = ''] = process.argv
const read = (name: string): Buffer<ArrayBuffer> =>
  readFileSync(join(folder, name)) as Buffer<ArrayBuffer>
const entrypoint = read('entrypoint').toString()
const inputs = JSON.parse(read('inputs.json').toString()) as Json[]
const texts = inputs.map((input) => JSON.stringify(input))
const bytes = { data: read('data.json'), plan: read('plan.json'), wasm: read('policy.wasm') }

/** What a decision takes, and what its engine holds. */
interface Loaded {
  decide(i: number): unknown
  readonly policy?: Policy
  /** Of WebAssembly. */
  memory(): number
}

/** From bytes, as they come out of a bundle. */
const LOAD: Readonly<Record<string, () => Promise<Loaded>>> = {
  async jit() {
    const policy = await createJitEngine({ checkInputs: false, takesData: true }).load({
      capabilities: 'trust',
      data: JSON.parse(bytes.data.toString()) as Json,
      digest: '',
      entrypoints: [entrypoint],
      plan: JSON.parse(bytes.plan.toString()) as Json,
      revision: '',
      sources: {},
      wasm: bytes.wasm,
    })
    const decide = (i: number): unknown =>
      policy.evaluate(entrypoint, { text: texts[i]!, value: inputs[i]! })
    return { decide, policy, memory: () => 0 }
  },
  async 'opa-wasm'() {
    const { loadPolicy } = (opaWasm as unknown as { readonly default: typeof opaWasm }).default
    const initial = Math.ceil((11 * bytes.data.length) / 65_536) + 16
    const policy = await loadPolicy(new Uint8Array(bytes.wasm), { initial, maximum: 65_536 })
    policy.setData(JSON.parse(bytes.data.toString()) as object)
    const { mem } = policy as unknown as { readonly mem: WebAssembly.Memory }
    return { decide: (i) => policy.evaluate(inputs[i]), memory: () => mem.buffer.byteLength }
  },
}

async function cold(): Promise<object> {
  const [cpu, started] = [process.cpuUsage(), performance.now()]
  const { decide } = await LOAD[kind]!()
  decide(0)
  const wallMs = performance.now() - started
  const { system, user } = process.cpuUsage(cpu)
  return { cpuMs: (system + user) / 1000, wallMs }
}

async function load(): Promise<object> {
  const text = bytes.data.length
  globalThis.gc!()
  const before = process.memoryUsage().heapUsed
  const started = performance.now()
  const { decide, memory } = await LOAD[kind]!()
  decide(0)
  const loadMs = performance.now() - started
  bytes.data = Buffer.alloc(0)
  bytes.plan = Buffer.alloc(0)
  for (let i = 0; i < 20_000; i++) decide(i % inputs.length)
  const evaluated = performance.now()
  for (let i = 0; i < 20_000; i++) decide(i % inputs.length)
  const micros = ((performance.now() - evaluated) * 1000) / 20_000
  globalThis.gc!()
  const held = process.memoryUsage().heapUsed - before + memory()
  return { held, loadMs, micros, text }
}

/** One entry of all, again and again, each time another policy over the data that is there. */
async function patch(): Promise<object> {
  const loaded = await LOAD[kind]!()
  let policy = loaded.policy!
  const took: number[] = []
  for (let i = 0; i < 1000; i++) {
    const state = i % 2 === 0 ? 'failed' : 'running'
    const started = performance.now()
    policy = await policy.patch(
      [{ op: 'replace', path: `/workloads/wl-${i}/state`, value: state }],
      `revision-${i}`,
    )
    policy.evaluate(entrypoint, { text: texts[i]!, value: inputs[i]! })
    took.push(performance.now() - started)
  }
  took.sort((a, b) => a - b)
  return { p50Ms: took[500], p99Ms: took[990], maxMs: took[999] }
}

console.log(JSON.stringify(await { cold, load, patch }[what]!()))
