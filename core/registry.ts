/** Which plugin answers which action: exactly one. Everything is checked at start, before anything is served. */
import { RegistryError } from './error.ts'
import { isSearchAction } from './log/leaves.ts'
import type { FactField, Plugin } from './plugin.ts'

/** A plugin as the kernel runs it. */
export interface Registered {
  readonly plugin: Plugin
  /** The Rego entry point, `assay/<plugin>/decision`. */
  readonly entrypoint: string
  /** Sorted by name: the order of facts in the policy's input and in the leaf. */
  readonly fields: readonly (readonly [name: string, field: FactField])[]
}

export interface Registry {
  readonly actions: readonly string[]
  readonly entrypoints: readonly string[]
  find(action: string): Registered | undefined
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/
const VERB = /^[a-z][a-z0-9-]{0,63}$/
const FIELD = /^[a-z][a-z0-9_]{0,63}$/

/** @throws RegistryError: nothing may be served. */
export function createRegistry(plugins: readonly Plugin[]): Registry {
  const names = new Set<string>()
  const byAction = new Map<string, Registered>()
  for (const plugin of plugins) {
    checkPlugin(plugin)
    if (names.has(plugin.name)) refuse(plugin, 'duplicate_plugin', 'two plugins have this name')
    names.add(plugin.name)
    const registered: Registered = {
      plugin,
      entrypoint: `assay/${plugin.name}/decision`,
      fields: Object.entries<FactField>(plugin.schema as Record<string, FactField>).sort(byName),
    }
    for (const action of plugin.actions) {
      if (byAction.has(action)) refuse(plugin, 'duplicate_action', `${action} is answered already`)
      byAction.set(action, registered)
    }
  }
  return {
    actions: [...byAction.keys()].sort(),
    entrypoints: [...new Set([...byAction.values()].map((r) => r.entrypoint))],
    find: (action) => byAction.get(action),
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

function checkPlugin(plugin: Plugin): void {
  if (!NAME.test(plugin.name))
    refuse(plugin, 'invalid_plugin', `its name must match ${NAME.source}`)
  if (plugin.name === 'kernel') refuse(plugin, 'invalid_plugin', 'the name is taken')
  if (plugin.actions.length === 0) refuse(plugin, 'invalid_plugin', 'it answers no action')
  for (const action of plugin.actions) {
    const verb = action.slice(plugin.name.length + 1)
    if (isSearchAction(action))
      refuse(plugin, 'invalid_plugin', `${action} is for searches' leaves`)
    if (action !== `${plugin.name}.${verb}` || !VERB.test(verb)) {
      refuse(plugin, 'invalid_plugin', `action ${action} is not of the form ${plugin.name}.<verb>`)
    }
  }
  for (const [name, field] of Object.entries<FactField>(
    plugin.schema as Record<string, FactField>,
  )) {
    if (!FIELD.test(name))
      refuse(plugin, 'invalid_plugin', `field ${name} must match ${FIELD.source}`)
    if ((name === 'claimed') !== (field.trust === 'claimed')) {
      refuse(
        plugin,
        'invalid_plugin',
        `claims live under the one field claimed, and nothing else does: ${name}`,
      )
    }
    if (field.evidence && field.trust === 'claimed') {
      refuse(plugin, 'invalid_plugin', `a claim is not evidence: ${name}`)
    }
  }
}

function refuse(plugin: Plugin, code: RegistryError['code'], what: string): never {
  throw new RegistryError(`plugin/${plugin.name}`, code, what)
}
