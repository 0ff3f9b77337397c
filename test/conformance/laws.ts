/**
 * How a law suite runs: every law of a port on every adapter of it. An adapter may be excepted from a law only in `exceptions.json`, with
 * a reason, and only as long as it really breaks that law.
 */
import { inspect } from 'node:util'
import { describe, test } from 'vitest'
import { KernelError } from '../../core/error.ts'
import exceptions from './exceptions.json' with { type: 'json' }

/** What every adapter of a port promises. `run` throws when the subject breaks it. */
export interface Law<S> {
  readonly name: string
  run(subject: S): Promise<void>
}

/** What an adapter reached in this run. */
export type Backend = 'emulator' | 'fake' | 'real'

/** An adapter under test. */
export interface Subject {
  /** `<port>/<adapter>`, for example `store/sqlite`. */
  readonly name: string
  /** Default `real`. */
  readonly backend?: Backend
  /** True, or why the adapter cannot run here; `REQUIRE_BACKENDS` makes that a failure. */
  available?(): Promise<true | string>
}

/** A deliberately broken adapter, and the law that has to notice. */
export interface Mutant<S = never> {
  readonly name: string
  readonly law: string
  readonly subject: S
}

/** One call of {@link registerLaws}. */
export interface Registration {
  readonly title: string
  readonly laws: readonly string[]
  readonly subject: Subject
}

const reasons: Readonly<Record<string, string>> = exceptions
const COLLECTOR = Symbol.for('assay.conformance')
type Collecting = { [COLLECTOR]?: Registration[] }

/** Registers one test a law with vitest. */
export function registerLaws<S extends Subject>(
  title: string,
  laws: readonly Law<S>[],
  subject: S,
): void {
  const collected = (globalThis as Collecting)[COLLECTOR]
  if (collected) {
    collected.push({ title, laws: laws.map(({ name }) => name), subject })
    return
  }
  describe(`${subject.name}: laws of ${title}`, () => {
    for (const law of laws) {
      const reason = reasons[`${subject.name} / ${law.name}`]
      const name = reason === undefined ? law.name : `breaks, as excepted (${reason}): ${law.name}`
      test(name, async (context) => {
        const available = (await subject.available?.()) ?? true
        if (available !== true && isRequired(subject.name)) throw new Error(`not run: ${available}`)
        if (available !== true) context.skip(`not run: ${available}`)
        await (reason === undefined ? law.run(subject) : breaks(law, subject))
      })
    }
  })
}

/** `REQUIRE_BACKENDS` is `all`, or adapter names with commas between them. */
export function isRequired(
  name: string,
  required: string = process.env.REQUIRE_BACKENDS ?? '',
): boolean {
  return required === 'all' || required.split(',').includes(name)
}

/** Resolves when `law` fails on `subject`. @throws when it holds */
export async function breaks<S>(law: Law<S>, subject: S): Promise<void> {
  try {
    await law.run(subject)
  } catch {
    return
  }
  throw new Error(`"${law.name}" holds: it has to fail here`)
}

/** What `load` registers, without running it. */
export async function collectLaws(load: () => Promise<unknown>): Promise<readonly Registration[]> {
  const collected: Registration[] = []
  const collecting = globalThis as Collecting
  collecting[COLLECTOR] = collected
  try {
    await load()
  } finally {
    delete collecting[COLLECTOR]
  }
  return collected
}

/** The code of the typed error that `promise` rejects with. @throws when it resolves, or rejects with anything else */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  let resolved: unknown
  try {
    resolved = await promise
  } catch (error) {
    if (error instanceof KernelError) return error.code
    throw error
  }
  throw new Error(`nothing was refused: ${inspect(resolved)}`)
}
