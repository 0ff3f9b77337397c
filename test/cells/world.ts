/** Kernels in processes of their own, each with cells and a data folder, that know each other over networks which lose things. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OWN_POLICIES } from '../../adapters/config/complete.ts'
import type { Json } from '../../core/json.ts'
import { assemble, newKey } from '../../formats/cap1/client.ts'
import type { Random } from '../crash/random.ts'
import { Server } from '../server.ts'
import { type Flaky, flaky, type Weather } from './flaky.ts'

export const TENANT = 'demo'
const PLUGINS = ['access', 'announce', 'audit', 'capability', 'enrolment', 'lease']

export interface Answered {
  readonly id: string
  readonly allow: boolean
  readonly reasons: readonly { readonly code: string }[]
  readonly output?: { readonly [name: string]: Json }
}

/** One kernel. */
export class Kernel {
  readonly name: string
  /** Those whose keys it keeps. */
  readonly cells: readonly string[]
  readonly folder: string
  /** The networks by which others reach it, by their names. */
  readonly reachedBy: Map<string, Flaky> = new Map<string, Flaky>()
  url = ''
  #server: Server | undefined

  constructor(name: string, cells: readonly string[], folder: string) {
    this.name = name
    this.cells = cells
    this.folder = folder
  }

  async configure(config: object): Promise<void> {
    await writeFile(join(this.folder, 'assay.yaml'), JSON.stringify(config))
  }

  /** Always on the same port. */
  async start(): Promise<void> {
    const port = this.url === '' ? 0 : Number(new URL(this.url).port)
    this.#server = new Server({
      data: join(this.folder, 'data'),
      config: join(this.folder, 'assay.yaml'),
      port,
      timeoutMs: 120_000,
    })
    this.url = await this.#server.ready
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#server?.stop(signal)
    this.#server = undefined
  }

  get output(): string {
    return this.#server?.output ?? ''
  }

  /** @throws when there is no answer, or not one with a decision */
  async ask(action: string, payload: Json): Promise<Answered> {
    const response = await fetch(`${this.url}/assay/v1/decisions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action, payload }),
      signal: AbortSignal.timeout(10_000),
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${response.status}: ${text}`)
    return JSON.parse(text) as Answered
  }
}

export interface WorldOptions {
  readonly kernels: number
  /** Of each cell. */
  readonly resources: number
  readonly weather: Weather
  readonly random: Random
}

export class World {
  readonly kernels: readonly Kernel[]
  readonly weather: Weather
  readonly #folder: string

  private constructor(kernels: readonly Kernel[], weather: Weather, folder: string) {
    this.kernels = kernels
    this.weather = weather
    this.#folder = folder
  }

  static async make({ kernels: count, random, resources, weather }: WorldOptions): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'assay-cells-'))
    const policies = await openPolicies(folder)
    const names = Array.from({ length: count }, (_, i) => 'abcdefgh'.charAt(i))
    const kernels = names.map(
      (name) => new Kernel(name, [`cell-${name}`, `cell-${name}2`], join(folder, name)),
    )
    const world = new World(kernels, weather, folder)
    const base = { plugins: PLUGINS, policies: { source: 'folder', dir: policies, watch: false } }
    const own = ({ cells }: Kernel): object =>
      Object.fromEntries(
        cells.map((cell) => {
          const names = Array.from({ length: resources }, (_, i) => `${cell}-gpu-${i}`)
          return [cell, { driver: 'none', resources: names }]
        }),
      )
    await Promise.all(
      kernels.map(async (kernel) => {
        await mkdir(kernel.folder)
        await kernel.configure({ ...base, cells: own(kernel), tenants: { [TENANT]: 'own' } })
        await kernel.start()
      }),
    )
    const keys = await world.#keys()
    for (const kernel of kernels) {
      const peers: Record<string, object> = {}
      for (const other of kernels.filter((each) => each !== kernel)) {
        const network = await flaky(() => other.url, weather, random)
        other.reachedBy.set(kernel.name, network)
        for (const cell of other.cells) peers[cell] = { key: keys.get(cell), url: network.url }
      }
      await kernel.stop()
      await kernel.configure({ ...base, cells: own(kernel), peers, tenants: { [TENANT]: 'own' } })
    }
    await Promise.all(kernels.map((kernel) => kernel.start()))
    return world
  }

  async #keys(): Promise<ReadonlyMap<string, string>> {
    const keys = new Map<string, string>()
    for (const kernel of this.kernels)
      for (const cell of kernel.cells) {
        const { output } = await kernel.ask('enrolment.prove', { cell })
        keys.set(cell, output?.public_key as string)
      }
    return keys
  }

  /** Nobody hears of this kernel, and it hears of nobody. */
  partition(kernel: Kernel, cut: boolean): void {
    for (const network of kernel.reachedBy.values()) network.cut = cut
    for (const other of this.kernels) {
      const network = other.reachedBy.get(kernel.name)
      if (network !== undefined) network.cut = cut
    }
  }

  get networks(): readonly Flaky[] {
    return this.kernels.flatMap(({ reachedBy }) => [...reachedBy.values()])
  }

  async close(): Promise<void> {
    await Promise.all(this.kernels.map((kernel) => kernel.stop('SIGKILL')))
    await Promise.all(this.networks.map((network) => network.close()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The package's policies, but that everybody on this machine is an operator: who may revoke is tried elsewhere. */
async function openPolicies(folder: string): Promise<string> {
  const policies = join(folder, 'policies')
  await cp(OWN_POLICIES, policies, { recursive: true })
  const edit = async (name: string, change: (data: Data) => void): Promise<void> => {
    const file = join(policies, name, 'data.json')
    const data = JSON.parse(await readFile(file, 'utf8')) as Data
    change(data)
    await writeFile(file, JSON.stringify(data))
  }
  await edit('announce', (data) => {
    const actions = ['announce.revoke', 'announce.sweep']
    data.permits?.push({ actions, peer: { kind: 'anonymous' } })
  })
  await edit('lease', (data) => {
    data.operators?.push({ kind: 'anonymous' })
  })
  return policies
}
interface Data {
  readonly permits?: object[]
  readonly operators?: object[]
}

export interface Leased {
  readonly lease: string
  readonly resource: string
  readonly token: string
}

/** A lease of the cell's `n`-th resource, and its token. */
export async function granted(kernel: Kernel, cell: string, n: number): Promise<Leased> {
  const key = await newKey()
  const resource = `${cell}-gpu-${n}`
  const asked = { cell, nk: key.publicKey, resource, tenant: TENANT, ttl: 300 }
  const { allow, output = {}, reasons } = await kernel.ask('lease.grant', asked)
  if (!allow) throw new Error(`no lease: ${JSON.stringify(reasons)}`)
  const { lease, payload, signature } = output as { [name: string]: string }
  const token = assemble({ payload: payload as string, signature: signature as string }, key)
  return { lease: lease as string, resource, token }
}

/** The token presented at its own cell, as `kernel` decides it. */
export function used(
  kernel: Kernel,
  cell: string,
  { resource, token }: Pick<Leased, 'resource' | 'token'>,
): Promise<Answered> {
  const operation = { op: 'read', resource }
  return kernel.ask('capability.use', { at: cell, operation, token })
}
