/** Loads an extension and checks that it is one. Whatever is wrong with it is known before anything is served. */
import { ConfigError, type ConfigErrorCode } from '../../core/error.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Adapter, AdapterPort, Extension } from './extension.ts'
import { resolveModule } from './resolve.ts'

export interface Loaded {
  readonly extension: Extension
  /** The module that it came from: what an isolated worker imports. */
  readonly url: URL
}

/** @param hint what to say behind the error, such as a near spelling @throws ConfigError with `code` */
async function load(
  specifier: string,
  folder: string,
  code: ConfigErrorCode,
  hint: string,
): Promise<Loaded> {
  const url = resolveModule(specifier, folder)
  if (url === undefined)
    throw new ConfigError(
      code,
      `"${specifier}" is neither built in nor installed where ${folder} finds it${hint}`,
    )
  let module: { default?: unknown }
  try {
    module = await import(url.href)
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : 'it threw'
    throw new ConfigError(code, `"${specifier}" cannot be loaded: ${why}`)
  }
  const extension = module.default
  if (typeof extension !== 'object' || extension === null)
    throw new ConfigError(code, `"${specifier}" has no default export { plugin } or { adapter }`)
  return { extension, url }
}

export interface LoadedPlugin extends Loaded {
  readonly extension: Extension & Required<Pick<Extension, 'plugin'>>
}

/** @throws ConfigError `unknown_plugin` */
export async function loadPlugin(
  specifier: string,
  folder: string,
  hint: string,
): Promise<LoadedPlugin> {
  const { extension, url } = await load(specifier, folder, 'unknown_plugin', hint)
  const { plugin, policies } = extension
  if (!isPlugin(plugin))
    throw new ConfigError(
      'unknown_plugin',
      `"${specifier}" exports no plugin { name, actions, schema, facts }`,
    )
  if (policies !== undefined && !(policies instanceof URL && policies.protocol === 'file:'))
    throw new ConfigError('unknown_plugin', `"${specifier}": policies must be a file: URL`)
  return { extension: { ...extension, plugin }, url }
}

/** @throws ConfigError `unknown_adapter`, also when it is an adapter of another port */
export async function loadAdapter<Port extends AdapterPort>(
  port: Port,
  specifier: string,
  folder: string,
  hint: string,
): Promise<Extract<Adapter, { port: Port }>> {
  const { extension } = await load(specifier, folder, 'unknown_adapter', hint)
  const { adapter } = extension
  if (adapter?.port !== port || typeof adapter.open !== 'function')
    throw new ConfigError(
      'unknown_adapter',
      `"${specifier}" exports no adapter for the port ${port}`,
    )
  return adapter as Extract<Adapter, { port: Port }>
}

/** The kernel's registry looks closer; this tells a plugin from anything else. */
function isPlugin(value: Partial<Plugin> | null | undefined): value is Plugin {
  if (typeof value !== 'object' || value === null) return false
  const { name, actions, schema, facts } = value
  return (
    typeof name === 'string' &&
    Array.isArray(actions) &&
    typeof schema === 'object' &&
    typeof facts === 'function'
  )
}
