/**
 * A plan compiled ahead of time: the module's text, and beside it what a server otherwise learns from the plan. A process that starts often, such
 * as a function in the cloud, loads both instead of compiling.
 */
import type { Json } from '../../../core/json.ts'
import { BUILTINS } from '../builtins/index.ts'
import type { DataPath } from './data-only.ts'
import { emit } from './module.ts'
import { readPlan } from './plan.ts'
import { PolicyFailure } from './runtime.ts'

/** Plain JSON. It belongs to one policy, one module's text and one release of this package. */
export interface PackedPlan {
  /** Of the policy: `Bundle.digest`. */
  readonly digest: string
  readonly entrypoints: readonly string[]
  /** Built-ins that the plan names. */
  readonly named: readonly string[]
  /** Built-ins that it calls through the library. */
  readonly builtins: readonly string[]
  /** Rules that are constants of the data, with the paths that they look at. */
  readonly dataOnly: readonly (readonly [rule: number, paths: readonly DataPath[]])[]
}

/** @param plan of the policy with this digest @throws PlanError, PolicyFailure: it cannot serve */
export function packPlan(plan: Json, digest: string): PackedPlan & { readonly text: string } {
  const read = readPlan(plan)
  const unknown = [...read.builtins.keys()].find((name) => !BUILTINS.has(name))
  if (unknown !== undefined) throw new PolicyFailure('builtin', `no built-in ${unknown}`)
  const { builtins, dataOnly, text } = emit(read)
  return {
    digest,
    entrypoints: read.entries.map(({ name }) => name),
    named: [...read.builtins.keys()],
    builtins,
    dataOnly: [...dataOnly],
    text,
  }
}
