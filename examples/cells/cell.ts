/** A cell of the example: a folder, a server process of its own, and what is asked of it over HTTP. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseAnchor, parseReceipt, verifyReceipt } from 'assay/log'

const ASSAY = join(import.meta.dirname, '../../bin/assay')

export interface Answer {
  readonly id: string
  readonly allow: boolean
  readonly reasons: readonly { readonly code: string }[]
  readonly output: { readonly [member: string]: unknown }
}
/** Who asks, by the token that the cell's configuration knows. */
export type Who = 'lab' | 'operator'
const TOKENS: Readonly<Record<string, string>> = {
  lab: 'example-token-of-the-lab',
  neighbour: 'example-token-of-a-neighbour',
  operator: 'example-token-of-the-operator',
}

export class Cell {
  readonly name: string
  readonly folder: string
  readonly port: number
  /** The identity key's public half. */
  readonly key: string
  #process: ChildProcess | undefined
  #asked: string[] = []

  private constructor(name: string, folder: string, port: number, key: string) {
    this.name = name
    this.folder = folder
    this.port = port
    this.key = key
  }

  /** Makes the folder and the keys; neighbours have to know the public half before the server starts. */
  static async prepare(name: string, parent: string): Promise<Cell> {
    const folder = join(parent, name)
    await mkdir(folder)
    for (const [who, token] of Object.entries(TOKENS)) await writeFile(join(folder, who), token)
    return new Cell(name, folder, await freePort(), newKey(folder, 'cell', name))
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  newKey(scope: string, name: string): string {
    return newKey(this.folder, scope, name)
  }

  async start(settings: {
    readonly controller: string
    readonly neighbours: readonly Cell[]
    readonly resources: readonly string[]
    readonly driver: string
    readonly policies: string
    readonly tenantKey: string
  }): Promise<void> {
    const { controller, driver, neighbours, policies, resources, tenantKey } = settings
    const peers = neighbours.map(({ key, name, url }) => [
      name,
      { key, url, tokenFile: 'neighbour' },
    ])
    const config = {
      data: 'data',
      policies,
      cells: { [this.name]: { resources, driver: { url: driver } } },
      controller,
      tenants: { lab: tenantKey },
      peers: Object.fromEntries(peers),
      pullMs: 1000,
      http: {
        port: this.port,
        auth: [
          {
            kind: 'bearer',
            tokens: [
              { file: 'operator', peer: { kind: 'operator', id: 'oona' } },
              { file: 'lab', peer: { kind: 'service', id: 'lab' } },
              { file: 'neighbour', peer: { kind: 'service', id: 'neighbour' } },
            ],
          },
        ],
      },
    }
    const file = join(this.folder, 'assay.json')
    await writeFile(file, JSON.stringify(config, undefined, 2))
    this.#process = spawn(ASSAY, ['serve', '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`${this.name} ended with ${code}`)
    })
    const listening = once(this.#process.stdout as NodeJS.ReadableStream, 'data')
    await Promise.race([listening, ended])
    this.#process.stdout?.resume()
    ended.catch(() => undefined)
  }

  async ask(who: Who, action: string, payload: object): Promise<Answer> {
    const response = await fetch(`${this.url}/assay/v1/decisions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKENS[who]}` },
      body: JSON.stringify({ action, payload }),
    })
    if (!response.ok) throw new Error(`${this.name}: ${await response.text()}`)
    const answer = (await response.json()) as Answer
    this.#asked.push(answer.id)
    return answer
  }

  /** Fetches the receipt of everything that was asked, for when the server is gone. */
  async receipts(): Promise<readonly string[]> {
    const headers = { authorization: `Bearer ${TOKENS.operator}` }
    const fetched = this.#asked.map((id) =>
      fetch(`${this.url}/assay/v1/receipts/${id}`, { headers }),
    )
    return Promise.all(fetched.map(async (response) => (await response).text()))
  }

  /** What verifies receipts was obtained from the operator, not from the server. */
  async verify(receipts: readonly string[]): Promise<void> {
    const anchor = parseAnchor(await readFile(join(this.folder, 'data/trust.json')))
    for (const receipt of receipts) {
      const { checks, ok } = verifyReceipt(parseReceipt(receipt), anchor)
      if (!ok) throw new Error(checks.find((check) => !check.ok)?.detail)
    }
  }

  async stop(): Promise<void> {
    const server = this.#process
    if (server === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    server.kill()
    await ended
  }
}

function newKey(folder: string, scope: string, name: string): string {
  const run = (...args: string[]): string =>
    execFileSync(ASSAY, ['key', ...args, scope, name, '--data', join(folder, 'data')], {
      encoding: 'utf8',
    })
  run('create')
  run('activate')
  return run('export').trim()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}
