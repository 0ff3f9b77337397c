/** Several logs in one process: what a realm takes over from the server's own configuration, and what it must not share with anybody. */
import { join } from 'node:path'
import { ConfigError } from '../../core/error.ts'
import type { Config } from './complete.ts'
import { keyPlaces } from './custody.ts'
import type { ConfigFile, RealmConfig } from './file.ts'
import { storePlaces } from './store.ts'

/**
 * As if it were the only one. Policies, plugins, engine, limits and the like are the server's own unless the realm says otherwise; where
 * things are kept, its log's name, its first state and its exports never are.
 */
export function realmFile(written: ConfigFile, realm: RealmConfig): ConfigFile {
  const {
    cells: _cells,
    controller: _controller,
    custody: _c,
    data: _d,
    datagrams: _datagrams,
    export: _e,
    http,
    origin: _o,
    peers: _peers,
    realms: _r,
    secrets: _secrets,
    state: _s,
    store,
    tenants: _tenants,
    ...shared
  } = written
  const { rateLimit, ...own } = realm
  const kept = store?.kind === 'memory' ? { store } : {}
  const limited = rateLimit === undefined ? http : { ...http, rateLimit }
  return { ...shared, ...kept, ...(limited === undefined ? {} : { http: limited }), ...own }
}

export function realmFolder(data: string, name: string): string {
  return join(data, 'realms', name)
}

/** @throws ConfigError `invalid_config` */
export function checkRealms(own: Config, written: ConfigFile): void {
  const all = [['the server itself', own] as const, ...Object.entries(own.realms)]
  for (const [what, placeOf] of PLACES) {
    const seen = new Map<string, string>()
    for (const [name, config] of all) {
      for (const place of placeOf(config)) {
        const other = seen.get(place)
        if (other !== undefined && other !== name)
          throw refusal(`${name} and ${other} have the same ${what}`)
        seen.set(place, name)
      }
    }
  }
  if (Object.keys(own.realms).length === 0) return
  for (const port of ['store', 'custody'] as const)
    if (!SHAREABLE.has(own[port].kind))
      for (const [name, realm] of Object.entries(written.realms ?? {}))
        if (realm[port] === undefined)
          throw refusal(`realms.${name} needs a ${port} of its own: the server's cannot be shared`)
}

/** Of these, every log has one of its own unless it says otherwise. */
const SHAREABLE: ReadonlySet<string> = new Set(['file', 'memory', 'sqlite'])

const PLACES: readonly (readonly [what: string, of: (config: Config) => readonly string[]])[] = [
  ['data folder', ({ data }) => [data]],
  ['origin', ({ origin }) => (origin === undefined ? [] : [origin])],
  ['store', ({ store }) => storePlaces(store)],
  ['place of keys', ({ custody }) => keyPlaces(custody)],
  ['place of secrets', ({ secrets }) => (secrets === undefined ? [] : [secrets.dir])],
]

function refusal(what: string): ConfigError {
  return new ConfigError('invalid_config', `realms: ${what}`)
}
