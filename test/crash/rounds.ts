/**
 * Kill rounds: a real server under load, killed with signal 9 at a seeded moment, started again on the same data folder; after the last
 * round the whole is audited against the client's own ledger.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { assay, Server } from '../server.ts'
import { root } from '../source.ts'
import { audit, type Evidence, type Head } from './audit.ts'
import { gather } from './evidence.ts'
import { Ledger } from './ledger.ts'
import { keepSearching, keepSending, type Load, send } from './load.ts'
import { between, type Random, seeded } from './random.ts'

export interface RoundsOptions {
  /** An empty folder. */
  readonly folder: string
  readonly rounds: number
  readonly seed: number
  readonly connections?: number
  /** For the servers that are killed; the last start, which is audited, is without. */
  readonly env?: NodeJS.ProcessEnv
  progress?(line: string): void
}
export interface RoundsReport {
  readonly problems: readonly string[]
  readonly acknowledged: number
  readonly unanswered: number
  readonly retried: number
  readonly leaves: number
}

/** A configuration under which anybody may administer. The policies are the product's own. */
export function openConfig(folder: string): string {
  const policies = join(folder, 'policies')
  cpSync(join(root, 'policies'), policies, { recursive: true })
  const path = join(policies, 'access', 'data.json')
  const data = JSON.parse(readFileSync(path, 'utf8'))
  data.administrators.peer_kinds.push('anonymous')
  writeFileSync(path, JSON.stringify(data))
  const config = join(folder, 'assay.json')
  const compiler = { kind: join(import.meta.dirname, 'compiler.ts') }
  const folderOnly = { source: 'folder', dir: './policies', watch: false }
  writeFileSync(config, JSON.stringify({ compiler, policies: folderOnly }))
  return config
}

/** One data folder over all its servers, and what the client knows. */
export class Run {
  readonly options: RoundsOptions
  readonly random: Random
  readonly ledger: Ledger
  readonly heads: Head[] = []
  readonly data: string
  readonly config: string
  /** As it was at the first start: what came later is verified against it. */
  trust: string | undefined
  retried = 0
  #op = 0

  constructor(options: RoundsOptions) {
    this.options = options
    this.random = seeded(options.seed)
    this.ledger = new Ledger(join(options.folder, 'ledger'))
    this.data = join(options.folder, 'data')
    this.config = openConfig(options.folder)
    mkdirSync(this.data, { mode: 0o700 })
  }

  start(env: NodeJS.ProcessEnv = {}): Server {
    return new Server({ data: this.data, config: this.config, env })
  }

  /** Keeps so many connections busy until it is told to stop. */
  load(url: string, connections: number): { stop(): Promise<void> } {
    let stopped = false
    const load: Load = {
      url,
      ledger: this.ledger,
      random: this.random,
      next: () => ++this.#op,
      stopped: () => stopped,
    }
    const clients = Array.from({ length: connections }, () => keepSending(load))
    clients.push(keepSearching(load))
    return {
      stop: async () => {
        stopped = true
        await Promise.all(clients)
      },
    }
  }

  /** What the first server says of its trust is what all are held to. */
  trustNow(): void {
    this.trust ??= readFileSync(join(this.data, 'trust.json'), 'utf8')
  }

  /** One life of the server, ended by a kill. */
  async round(): Promise<void> {
    const { env = {}, connections = 8 } = this.options
    const server = this.start(env)
    // One life in eight ends while it recovers from the last.
    if (this.random() < 1 / 8) {
      await sleep(between(this.random, 50, 900))
      return await kill(server)
    }
    const url = await server.ready
    this.trustNow()
    await this.see(url)
    await this.resolveSome(url)
    const load = this.load(url, connections)
    await sleep(between(this.random, 20, 700))
    const seen = this.see(url)
    await kill(server)
    await Promise.all([load.stop(), seen])
  }

  /** A retry with the same idempotency key must give the decision that was made, or make it now; others are left as they are. */
  async resolveSome(url: string): Promise<void> {
    const recent = this.ledger.open().slice(-(this.options.connections ?? 8))
    for (const entry of recent.filter(() => this.random() < 0.5)) {
      this.retried++
      if (!(await send(url, this.ledger, entry))) return
    }
  }

  /** Remembers the published head. */
  async see(url: string): Promise<void> {
    const response = await fetch(`${url}/log/checkpoint`).catch(() => undefined)
    if (response?.status !== 200) return
    const text = await response.text().catch(() => '')
    const [, size, rootHash] = text.split('\n')
    if (size && rootHash) this.heads.push({ size: Number(size), rootHash })
  }
}

/** @throws when it had ended by itself before */
async function kill(server: Server): Promise<void> {
  const code = await server.stop('SIGKILL')
  if (code !== null) throw new Error(`the server ended by itself with ${code}:\n${server.output}`)
}

/** @throws when a server does not start again */
export async function crashRounds(options: RoundsOptions): Promise<RoundsReport> {
  const run = new Run(options)
  const { ledger } = run
  for (let round = 1; round <= options.rounds; round++) {
    await run.round()
    const { size } = ledger.entries
    options.progress?.(`round ${round}: ${size} requests, ${ledger.open().length} unanswered`)
  }
  return await settled(run)
}

/** A last start, a clean stop, and the audit of everything. @throws when the server does not start again */
export async function settled(run: Run): Promise<RoundsReport> {
  const { ledger, options } = run
  const evidence = await settle(run)
  const trust = join(options.folder, 'trust.json')
  writeFileSync(trust, run.trust ?? '')
  const fsck = await assay('fsck', '--data', run.data, '--trust', trust)
  ledger.close()
  const entries = [...ledger.entries.values()]
  return {
    problems: [...(fsck.code === 0 ? [] : [`fsck: ${fsck.output}`]), ...audit(evidence)],
    acknowledged: entries.filter(({ acknowledged }) => acknowledged).length,
    unanswered: ledger.open().length,
    retried: run.retried,
    leaves: evidence.leaves.length,
  }
}

/** A last start that recovers, and a clean stop. */
async function settle(run: Run): Promise<Evidence> {
  const server = run.start()
  const url = await server.ready
  await run.see(url)
  const gathered = await gather(url, run.data, run.trust ?? '')
  const code = await server.stop()
  if (code !== 0) throw new Error(`a clean stop ended with ${code}:\n${server.output}`)
  return { ledger: run.ledger, heads: run.heads, ...gathered }
}
