/** What `facts` read, with the versions that the commit will check. One instance serves one attempt at one decision. */
import type { AuditedReads } from './audit/erase.ts'
import { pastDecision } from './audit/past.ts'
import type { Json } from './json.ts'
import { KeyMap } from './keymap.ts'
import type { Listed, PastDecision, Plugin, ReadPorts, Snapshot } from './plugin.ts'
import type { Key, Store, Stored, Version, Write } from './ports/store.ts'
import { keyOf } from './storage.ts'

const MAX_LISTED = 1000

interface Parsed {
  readonly version: Version
  readonly value: Json
  /** Of its text. */
  readonly bytes: number
}

/** Of text; parsed, it takes some times as much. */
const MAX_CACHED_BYTES = 33_554_432

/**
 * Parsed records by version, so that a record that did not change is parsed once. Bounded, in number and in bytes, by two generations: what
 * is asked for moves to the young one, and when that is half full the old one is dropped.
 */
export class RecordCache {
  readonly #limit: number
  #young = new KeyMap<Parsed>()
  #old = new KeyMap<Parsed>()
  #youngBytes = 0

  constructor(limit = 20_000) {
    this.#limit = limit
  }

  value(stored: Stored): Json {
    const young = this.#young.get(stored.key)
    if (young?.version === stored.version) return young.value
    const old = this.#old.get(stored.key)
    const parsed = old?.version === stored.version ? old : parse(stored)
    if (2 * this.#young.size >= this.#limit || 2 * this.#youngBytes >= MAX_CACHED_BYTES) {
      this.#old = this.#young
      this.#young = new KeyMap()
      this.#youngBytes = 0
    }
    this.#young.set(stored.key, parsed)
    this.#youngBytes += parsed.bytes
    return parsed.value
  }
}

function parse({ value, version }: Stored): Parsed {
  const parsed = deepFreeze(JSON.parse(decoder.decode(value)) as Json)
  return { version, value: parsed, bytes: value.length }
}
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

interface Read {
  readonly key: Key
  readonly version: Version | 'absent'
  readonly value: Json | undefined
}

export class GuardedReads implements ReadPorts {
  readonly audit: AuditedReads | undefined
  readonly #store: Store
  readonly #plugin: Plugin
  readonly #cache: RecordCache
  readonly #reads = new Map<string, Read>()
  /** By plugin and key: U+0000 stands in neither. */
  readonly #foreign = new Map<string, Read>()
  readonly #generations = new Map<string, Read>()

  constructor(store: Store, plugin: Plugin, cache: RecordCache, audit?: AuditedReads) {
    this.audit = audit
    this.#store = store
    this.#plugin = plugin
    this.#cache = cache
  }

  get(sort: string): Promise<Json | undefined> {
    const known = this.#reads.get(sort)
    if (known) return Promise.resolve(known.value)
    const key = { partition: this.#plugin.name, sort }
    return this.#store.get(key).then((stored) => {
      // Of two reads at the same time the first counts, for both: the commit checks one version.
      const read = this.#reads.get(sort) ?? this.#readFrom(key, stored)
      this.#reads.set(sort, read)
      return read.value
    })
  }

  async getFrom(plugin: string, sort: string): Promise<Json | undefined> {
    if (!this.#plugin.reads?.includes(plugin))
      throw new TypeError(`${plugin} is not among the plugin's reads`)
    const name = `${plugin}\0${sort}`
    const read = this.#foreign.get(name) ?? (await this.#read({ partition: plugin, sort }))
    const first = this.#foreign.get(name) ?? read
    this.#foreign.set(name, first)
    return first.value
  }

  async listGuarded(prefix: string): Promise<readonly Listed[]> {
    if (!this.#plugin.lists?.includes(prefix))
      throw new TypeError(`${prefix} is not a declared list`)
    if (!this.#generations.has(prefix)) {
      const read = await this.#read(generationKey(this.#plugin, prefix))
      if (!this.#generations.has(prefix)) this.#generations.set(prefix, read)
    }
    const listed: Listed[] = []
    for await (const stored of this.#store.list(this.#plugin.name, prefix)) {
      if (listed.length === MAX_LISTED)
        throw new RangeError(`over ${MAX_LISTED} records: ${prefix}`)
      listed.push({ sort: stored.key.sort, value: this.#cache.value(stored) })
    }
    return listed
  }

  async snapshot(sort: string, _maxAgeMs: number): Promise<Snapshot> {
    const read = await this.#read({ partition: this.#plugin.name, sort })
    return { value: read.value, revision: read.version }
  }

  /** The record as it was read guarded. @throws RangeError when it was not */
  recorded(sort: string): {
    readonly version: Version | 'absent'
    readonly value: Json | undefined
  } {
    const read = this.#reads.get(sort)
    if (!read)
      throw new RangeError('only a record that facts read guarded can be used in an effect')
    return read
  }

  decided(id: string): Promise<PastDecision | undefined> {
    return pastDecision(this.#store, this.#plugin, id)
  }

  /** Checks of everything that was read guarded, but for the keys that the batch writes anyway. */
  checks(writes: readonly Write[]): Write[] {
    const written = new KeyMap<true>()
    for (const write of writes) written.set(keyOf(write), true)
    const checks: Write[] = []
    for (const { key, version } of this.#reads.values())
      if (!written.has(key)) checks.push({ check: key, if: version })
    for (const { key, version } of this.#foreign.values()) checks.push({ check: key, if: version })
    for (const read of this.#generations.values())
      checks.push({ check: read.key, if: read.version })
    if (this.audit) checks.push(...this.audit.checks(written))
    return checks
  }

  /** One write for each declared list that a written key belongs to: what makes `listGuarded` see no phantoms. */
  async bumps(written: Iterable<string>, decisionId: string): Promise<Write[]> {
    const prefixes = new Set<string>()
    for (const sort of written) {
      for (const prefix of this.#plugin.lists ?? [])
        if (sort.startsWith(prefix)) prefixes.add(prefix)
    }
    const bumps: Write[] = []
    for (const prefix of prefixes) {
      const key = generationKey(this.#plugin, prefix)
      const known = this.#generations.get(prefix) ?? (await this.#read(key))
      this.#generations.delete(prefix)
      bumps.push({ put: key, value: encoder.encode(JSON.stringify(decisionId)), if: known.version })
    }
    return bumps
  }

  async #read(key: Key): Promise<Read> {
    return this.#readFrom(key, await this.#store.get(key))
  }

  #readFrom(key: Key, stored: Stored | undefined): Read {
    if (!stored) return { key, version: 'absent', value: undefined }
    return { key, version: stored.version, value: this.#cache.value(stored) }
  }
}
const encoder = new TextEncoder()

function generationKey(plugin: Plugin, prefix: string): Key {
  return { partition: `${plugin.name}#generations`, sort: prefix }
}

function deepFreeze(value: Json): Json {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
