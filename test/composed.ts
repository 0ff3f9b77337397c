/** What a server is composed of, in this process, with a clock that a test moves and policies that are compiled once. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { manualClock } from '../adapters/clock/manual.ts'
import { type Composed, type ComposeOptions, compose, type Part } from '../adapters/compose.ts'
import { type Config, OWN_POLICIES } from '../adapters/config/complete.ts'
import { loadConfig } from '../adapters/config/load.ts'
import type { Bundle, Compiler } from '../core/ports/compiler.ts'
import { compiler } from './rego.ts'

// As bin/assay runs what compiles once.
setFlagsFromString('--liftoff-only')

const builds = new Map<string, Promise<Bundle>>()
const once: Compiler = {
  name: compiler.name,
  version: compiler.version,
  build(sources, options) {
    const key = JSON.stringify([sources, options])
    const built = builds.get(key) ?? compiler.build(sources, options)
    builds.set(key, built)
    return built
  },
  check: (sources, options) => compiler.check(sources, options),
  format: (sources) => compiler.format(sources),
  syntax: (sources) => compiler.syntax(sources),
  test: (sources, options) => compiler.test(sources, options),
  close: async () => undefined,
}

/** Compiles the same sources once, and is not closed with the composition. */
export const COMPILER: Part = { port: 'compiler', open: () => once }

export const START_MS = 1_790_000_000_000

/** A folder with a configuration and data, in which one server at a time is started and stopped. */
export class Place {
  readonly folder: string
  readonly data: string
  readonly clock: ReturnType<typeof manualClock> = manualClock(START_MS)
  /** As the last start read it. */
  config!: Config
  #composed: Composed | undefined

  private constructor(folder: string) {
    this.folder = folder
    this.data = join(folder, 'data')
  }

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'assay-place-')))
  }

  /** In place of what the configuration says. */
  get parts(): readonly Part[] {
    return [COMPILER, { port: 'clock', open: () => this.clock }]
  }

  get database(): string {
    return join(this.data, 'assay.db')
  }

  /** The package's own policies as `./policies`, with this as `audit/data.json`. */
  async auditWith(data: object): Promise<void> {
    const policies = join(this.folder, 'policies')
    await cp(OWN_POLICIES, policies, { recursive: true })
    await writeFile(join(policies, 'audit/data.json'), JSON.stringify(data))
  }

  /** @param text of the configuration file */
  async start(text = 'seal: sealed', options: ComposeOptions = {}): Promise<Composed> {
    const file = join(this.folder, 'assay.yaml')
    await writeFile(file, text)
    return this.startWith(await loadConfig({ file, data: this.data }), options)
  }

  async startWith(config: Config, options: ComposeOptions = {}): Promise<Composed> {
    const given = options.parts ?? []
    const parts = this.parts.filter((part) => !given.some(({ port }) => port === part.port))
    this.config = config
    this.#composed = await compose(config, {
      watch: false,
      ...options,
      parts: [...parts, ...given],
    })
    return this.#composed
  }

  async stop(): Promise<void> {
    const composed = this.#composed
    this.#composed = undefined
    await composed?.close()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}
