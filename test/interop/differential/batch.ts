/** Programs of one seed, several to a bundle, on a few inputs, in all three evaluators. */
import type { OpaCompiler } from '../../../adapters/compiler/opa/index.ts'
import { canonicalJson } from '../../../core/canonical.ts'
import { CompilerError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import { DATA } from './data.ts'
import { Dice } from './dice.ts'
import { type Difference, isKnown } from './known.ts'
import { type Program, program } from './program.ts'
import { type Engines, open, oracle, type Told } from './subjects.ts'
import { input } from './values.ts'

const PROGRAMS = 24
const INPUTS = 8

export interface Report {
  readonly programs: number
  readonly compared: number
  /** How many answers were an error, and how many programs OPA's compiler refused. */
  readonly errors: number
  readonly refused: number
  /** How many differences are of a known kind. */
  readonly known: number
  /** All others. */
  readonly differences: readonly Difference[]
}

export async function batch(compiler: OpaCompiler, seed: number): Promise<Report> {
  const dice = new Dice(seed)
  const names = Array.from({ length: PROGRAMS }, (_, i) => `p${i}`)
  const made = new Map(names.map((name) => [name, program(dice, name)]))
  const inputs = Array.from({ length: INPUTS }, () => input(dice))
  const left = await compiled(compiler, made)
  const wanted = await answers(compiler, left.modules, inputs)
  const held = compareAll(left, inputs, wanted, await open(left.bundle))
  return { programs: left.modules.size, refused: made.size - left.modules.size, ...held }
}

interface Compiled {
  readonly bundle: Bundle
  /** Source by name: those that OPA's compiler takes. */
  readonly modules: ReadonlyMap<string, Program>
}

/** Leaves out what is no Rego after all, such as a program in which two types never meet. */
async function compiled(
  compiler: OpaCompiler,
  made: ReadonlyMap<string, Program>,
): Promise<Compiled> {
  const modules = new Map(made)
  for (;;) {
    const sources = { ...sourcesOf(modules), 'data.json': JSON.stringify(DATA) }
    const entrypoints = [...modules.keys()].map((name) => `e/${name}`)
    try {
      const bundle = await compiler.build(sources, { capabilities: 'compat', entrypoints })
      return { bundle, modules }
    } catch (error) {
      if (!(error instanceof CompilerError)) throw error
      for (const name of await refused(compiler, modules, error)) modules.delete(name)
    }
  }
}

/** Some errors name no file: then each module is tried alone. */
async function refused(
  compiler: OpaCompiler,
  modules: ReadonlyMap<string, Program>,
  error: CompilerError,
): Promise<readonly string[]> {
  const files = new Set(error.problems.map(({ file, message }) => file ?? message.split(':')[0]))
  const named = [...modules.keys()].filter(
    (name) => files.has(`${name}.rego`) || files.has(`${name}-entry.rego`),
  )
  if (named.length > 0) return named
  const bad: string[] = []
  for (const [name, program] of modules) {
    const alone = { ...sourcesOf(new Map([[name, program]])), 'data.json': JSON.stringify(DATA) }
    const options = { capabilities: 'compat', entrypoints: [`e/${name}`] } as const
    await compiler.build(alone, options).catch(() => bad.push(name))
  }
  if (bad.length === 0) throw error
  return bad
}

function sourcesOf(modules: ReadonlyMap<string, Program>): Record<string, string> {
  const files = [...modules].flatMap(([name, { entry, rego }]) => [
    [`${name}.rego`, rego],
    [`${name}-entry.rego`, entry],
  ])
  return Object.fromEntries(files)
}

/** OPA's answer for each program on each input. All programs are asked at once; where one of them ends the evaluation, each by itself. */
async function answers(
  compiler: OpaCompiler,
  modules: ReadonlyMap<string, Program>,
  inputs: readonly Json[],
): Promise<ReadonlyMap<string, readonly Told[]>> {
  const sources = { ...sourcesOf(modules), 'data.json': JSON.stringify(DATA) }
  const names = [...modules.keys()]
  const together = await oracle(compiler, sources, 'e', inputs)
  const failed = inputs.flatMap((one, i) => (together[i]?.startsWith('!') ? [{ one, i }] : []))
  const all = new Map(names.map((name) => [name, together.map((text) => part(text, name))]))
  if (failed.length === 0) return all
  for (const name of names) {
    const alone = await oracle(
      compiler,
      sources,
      `e/${name}`,
      failed.map(({ one }) => one),
    )
    for (const [j, { i }] of failed.entries()) all.get(name)![i] = alone[j]!
  }
  return all
}

function part(text: Told, name: string): Told {
  if (text.startsWith('!')) return text
  const value = (JSON.parse(text) as { readonly [name: string]: Json })[name]
  return value === undefined ? 'undefined' : canonicalJson(value)
}

function compareAll(
  { modules }: Compiled,
  inputs: readonly Json[],
  wanted: ReadonlyMap<string, readonly Told[]>,
  engines: Engines,
): Pick<Report, 'compared' | 'differences' | 'errors' | 'known'> {
  const differences: Difference[] = []
  let [errors, known] = [0, 0]
  for (const [name, { rego }] of modules)
    for (const [i, one] of inputs.entries()) {
      const opa = wanted.get(name)?.[i] as Told
      if (opa.startsWith('!')) errors++
      const jit = engines.jit(`e/${name}`, one)
      const wasm = engines.wasm(`e/${name}`, one)
      if (opa === jit && opa === wasm) continue
      const difference = { rego, input: one, opa, jit, wasm }
      if (isKnown(difference)) known++
      else differences.push(difference)
    }
  return { compared: modules.size * inputs.length, errors, known, differences }
}
