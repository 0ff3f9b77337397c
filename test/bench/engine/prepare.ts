/** The folders that peers read: data, questions, the policy in each form that some engine takes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOpaCompiler } from '../../../adapters/compiler/opa/index.ts'
import type { Json } from '../../../core/json.ts'
import { seeded } from '../../crash/random.ts'
import { casbinLines } from './workloads/rbac.ts'
import { mixed, padded, type Workload } from './workloads/workload.ts'

export interface Variant {
  /** Multiplies the data. */
  readonly scale: number
  readonly questions: number
  /** Members in one order, or in another for each question and with strays. */
  readonly shape: 'mixed' | 'uniform'
  /** Bytes of JSON that each question has at least, with members that nothing reads. */
  readonly bytes?: number
  /** For engines that do not read Rego. */
  readonly foreign?: boolean
}

/** Fills `folder`. */
export async function prepare(workload: Workload, variant: Variant, folder: string): Promise<void> {
  const { entrypoint, rego } = workload
  const { data, inputs } = workload.generate(variant.scale, variant.questions)
  const asked = shaped(inputs, variant)
  mkdirSync(folder, { recursive: true })
  const write = (name: string, text: string | Uint8Array): void =>
    writeFileSync(join(folder, name), text)
  const { plan, wasm } = await compiled(rego, entrypoint)
  write('policy.rego', rego)
  write('entrypoint', entrypoint)
  write('plan.json', JSON.stringify(plan))
  write('policy.wasm', wasm)
  write('data.json', JSON.stringify(data))
  write('inputs.json', JSON.stringify(asked))
  const { cedar } = workload
  if (variant.foreign !== true || cedar === undefined) return
  const given = <T>(make: (data: never, input: never) => T): T[] =>
    inputs.map((input) => make(data as never, input as never))
  write('policy.cedar', cedar.policy)
  write('cedar-entities.json', JSON.stringify(cedar.entities(data as never, inputs as never)))
  write('cedar-requests.json', JSON.stringify(given(cedar.request)))
  write('cedar-slices.json', JSON.stringify(given(cedar.slice)))
  if (workload.name === 'rbac') write('casbin.csv', casbinLines(data as never))
}

function shaped(inputs: readonly object[], { bytes, shape }: Variant): readonly object[] {
  const random = seeded(21)
  const long =
    bytes === undefined
      ? inputs
      : inputs.map((input) => padded(random, input as Json, bytes) as object)
  return shape === 'uniform' ? long : long.map((input) => mixed(random, input as Json) as object)
}

async function compiled(
  rego: string,
  entrypoint: string,
): Promise<{ readonly plan: Json; readonly wasm: Uint8Array }> {
  const compiler = createOpaCompiler()
  try {
    return await compiler.build(
      { 'policy.rego': rego },
      { capabilities: 'compat', entrypoints: [entrypoint] },
    )
  } finally {
    await compiler.close()
  }
}
