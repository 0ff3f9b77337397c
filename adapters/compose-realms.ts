/**
 * Several logs in one process: the server's own and those of its realms. Each has a kernel, a store, keys, policies, plugins and limits of
 * its own; they share the compiler, which keeps nothing between two calls. At the start it is all or nothing, so that no configuration
 * half works; later they fail one by one.
 */
import type { Compiler } from '../core/ports/compiler.ts'
import { Adapters, type Composed, type ComposeOptions, compose } from './compose.ts'
import type { Part } from './compose-parts.ts'
import type { Config } from './config/complete.ts'

export interface ComposedRealms {
  readonly own: Composed
  /** By name. */
  readonly realms: ReadonlyMap<string, Composed>
  /** Closes every one, also when one does not close, and throws the first such error. */
  close(): Promise<void>
}

/** @param options of the server's own log and, but for its parts, of every realm's @throws as `compose`: nothing is left open then */
export async function composeRealms(
  config: Config,
  options: ComposeOptions = {},
): Promise<ComposedRealms> {
  const { parts = [], ...rest } = options
  const tools = new Adapters(config, { parts: parts.filter(({ port }) => port === 'compiler') })
  const compiler: Part = { port: 'compiler', open: (): Promise<Compiler> => tools.get('compiler') }
  const clock = parts.filter(({ port }) => port === 'clock')
  const closing: (() => Promise<void>)[] = [() => tools.close()]
  const open = async (one: Config, own: readonly Part[], realm?: string): Promise<Composed> => {
    const named = realm === undefined ? {} : { realm }
    const composed = await compose(one, { ...rest, ...named, parts: [...own, compiler] })
    closing.push(() => composed.close())
    return composed
  }
  try {
    const own = await open(
      config,
      parts.filter(({ port }) => port !== 'compiler'),
    )
    const realms = new Map<string, Composed>()
    for (const [name, realm] of Object.entries(config.realms))
      realms.set(name, await open(realm, clock, name))
    return { own, realms, close: () => closeAll(closing) }
  } catch (error) {
    await closeAll(closing).catch(() => undefined)
    throw error
  }
}

async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (let close = closing.pop(); close; close = closing.pop())
    await close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
