/**
 * What a package of somebody else brings: the default export of an npm package, or of a module at a path. It ships JavaScript, since
 * Node strips no types under node_modules.
 *
 * ```js
 * export default { plugin, policies: new URL('./policies/', import.meta.url) }
 * ```
 */
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Compiler } from '../../core/ports/compiler.ts'
import type { Custody } from '../../core/ports/custody.ts'
import type { Engine } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Outbound } from '../../core/ports/outbound.ts'
import type { Store } from '../../core/ports/store.ts'

export interface Extension {
  readonly plugin?: Plugin
  /** The plugin's Rego: what `policies/<plugin>/` would hold. A folder of that name in the operator's own policies takes its place. */
  readonly policies?: URL
  readonly adapter?: Adapter
}

/** `options` is what the configuration file says; checking it is the adapter's work. */
type Open<T> = (options: Options, place: Place) => Promise<T> | T
export type Options = Readonly<Record<string, Json>>
/** Absolute paths. */
export interface Place {
  readonly dataFolder: string
  readonly configFolder: string
}
export interface StorePair {
  readonly store: Store
  readonly log: LogStore
}
export type Adapter =
  | { readonly port: 'store'; readonly open: Open<StorePair> }
  | { readonly port: 'custody'; readonly open: Open<Custody> }
  | { readonly port: 'engine'; readonly open: Open<Engine> }
  | { readonly port: 'compiler'; readonly open: Open<Compiler> }
  | { readonly port: 'outbound'; readonly open: Open<Outbound> }
export type AdapterPort = Adapter['port']
