/** The control plane of the example: Assay in its own process, behind an HTTPS server that nodes talk to. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { open } from 'assay'
import { createToken, signedEnvelope, tokenHash, tokenText } from 'assay/node-agent'
import type { Served } from './certificates.ts'

type Assay = Awaited<ReturnType<typeof open>>
/** What a signed decision answers. */
interface Output {
  readonly keyid?: string
  readonly payload: string
  readonly payloadType: string
  readonly signature: string
}
const TASK = { name: 'task', scope: 'task' }
const KEYS = [
  { name: 'bootstrap-root', scope: 'bootstrap' },
  { name: 'verifier-root', scope: 'bootstrap' },
  TASK,
]
/** What nodes may ask of it, and for which action that stands. */
const PATHS: Readonly<Record<string, string>> = {
  '/acknowledge': 'bootstrap.acknowledge',
  '/enrol': 'bootstrap.fetch',
  '/report': 'task.report',
}

export class Platform {
  readonly #assay: Assay
  readonly #server: Server
  /** Public keys, base64url. */
  readonly #keys = new Map<string, string>()
  /** What was decided: for the trail at the end. */
  readonly decided: string[] = []

  private constructor(assay: Assay, served: Served) {
    this.#assay = assay
    this.#server = createServer(served, async (request, response) => {
      const action = PATHS[request.url ?? '']
      let body = ''
      for await (const chunk of request) body += chunk
      const answer =
        request.url === '/set'
          ? await this.ask('signer.set', TASK)
          : await this.ask(action ?? 'none', JSON.parse(body))
      response.end(JSON.stringify(answer.output ?? { refused: answer.code }))
    })
  }

  static async start(folder: string, config: string, served: Served): Promise<Platform> {
    const platform = new Platform(await open({ config, data: folder, id: 'platform' }), served)
    platform.#server.listen(0, '127.0.0.1')
    await once(platform.#server, 'listening')
    await platform.#makeKeys()
    return platform
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`
  }

  key(name: string): string {
    return this.#keys.get(name) ?? ''
  }

  /** Presents another certificate from the next connection on. */
  serve(served: Served): void {
    this.#server.setSecureContext(served)
  }

  async ask(action: string, payload: object): Promise<{ code: string; output: Output }> {
    const { id, output, reasons } = await this.#assay.decideAction(action, payload)
    const code = reasons[0]?.code ?? 'none'
    this.decided.push(`${id}  ${action.padEnd(22)} ${code}`)
    return { code, output: output as unknown as Output }
  }

  /** A token's text: all that goes to a new node. */
  async token(node_id: string): Promise<string> {
    const root = createHash('sha256').update(Buffer.from(this.key('bootstrap-root'), 'base64url'))
    const about = { control_plane: 'https://control.example', node_id, root: root.digest('hex') }
    const token = createToken(about)
    await this.ask('bootstrap.issue', { node_id, token_hash: tokenHash(token.secret) })
    return tokenText(token)
  }

  /** An envelope: a trust document, as it is published. */
  async publish(trust: string, anchors: readonly object[]): Promise<string> {
    const { code, output } = await this.ask('bootstrap.publish', { anchors, trust })
    return output === undefined || code !== 'published'
      ? code
      : JSON.stringify(signedEnvelope(output))
  }

  async task(node_id: string): Promise<string> {
    const params = { name: 'driver', digest: `sha256:${'ab'.repeat(32)}` }
    const asked = { node_id, params, type: 'node.install-package', version: 1 }
    return JSON.stringify(signedEnvelope((await this.ask('task.sign', asked)).output))
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await this.#assay.close()
  }

  /** Custody makes each key; an operator says that it is to be used. */
  async #makeKeys(): Promise<void> {
    for (const key of KEYS) {
      await this.ask('signer.create', key)
      await this.#until('signer.activate', { ...key, version: 1 }, 'activation_begun')
      this.#keys.set(key.name, await this.#publicKey(key))
    }
  }

  async #publicKey(key: { readonly name: string; readonly scope: string }): Promise<string> {
    for (;;) {
      const { output } = await this.ask('signer.status', key)
      const { status } = (output ?? {}) as { readonly status?: { readonly key: KeyStatus } }
      const { versions = [] } = status?.key ?? {}
      const active = versions.find(({ state }) => state === 'active')
      if (active !== undefined) return active.public_key
      await pause(50)
    }
  }

  async #until(action: string, payload: object, wanted: string): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if ((await this.ask(action, payload)).code === wanted) return
      await pause(50)
    }
    throw new Error(`${action} does not come to ${wanted}`)
  }
}

interface KeyStatus {
  readonly versions?: readonly { readonly public_key: string; readonly state: string }[]
}
