/** A node: it has a folder, `assay/node-agent`, and for its first minute an enrolment token. It copies nothing and trusts nobody else. */
import { request } from 'node:https'
import {
  installPackage,
  type NodeAgent,
  type NodeTrust,
  openNodeAgent,
  openNodeTrust,
  readToken,
} from 'assay/node-agent'

const seconds = (): number => Math.floor(Date.now() / 1000)

export class Node {
  readonly id: string
  readonly trust: NodeTrust
  readonly #folder: string
  #agent: NodeAgent | undefined

  constructor(id: string, folder: string) {
    this.id = id
    this.#folder = folder
    this.trust = openNodeTrust(folder)
  }

  /** The answer proves itself by the token, so that it does not matter yet who carried it: no CA is needed for this one request. */
  async enrol(url: string, text: string): Promise<string> {
    const secret = readToken(text)?.secret
    const answer = await post(`${url}/enrol`, { node_id: this.id, secret }, { anybody: true })
    const { refused } = JSON.parse(answer) as { readonly refused?: string }
    if (refused !== undefined) return refused
    const enrolled = this.trust.enrol(text, answer)
    return enrolled.accepted ? 'trusted' : enrolled.reason
  }

  /** Over TLS that its own trust for HTTPS verifies, and nothing else. */
  async call(url: string, path: string, body: object = {}): Promise<string> {
    return post(url + path, body, { ca: this.trust.httpsCa() })
  }

  async fetchSet(url: string): Promise<string> {
    const { envelope } = JSON.parse(await this.call(url, '/set')) as { envelope: object }
    const taken = this.#opened().ingestSet(JSON.stringify(envelope))
    return taken.accepted ? `verifier set ${taken.version}` : taken.reason
  }

  accept(task: string): string {
    const answer = this.#opened().accept(task, seconds())
    return answer.accepted ? `accepted: ${answer.task.type}` : answer.reason
  }

  #opened(): NodeAgent {
    this.#agent ??= openNodeAgent({
      dir: this.#folder,
      nodeId: this.id,
      root: this.trust.verifierRoots(),
      types: [installPackage],
    })
    return this.#agent
  }
}

type How = { readonly anybody: true } | { readonly ca: readonly string[] }

function post(url: string, body: object, how: How): Promise<string> {
  const tls = 'ca' in how ? { ca: [...how.ca] } : { rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const asked = request(url, { ...tls, agent: false, method: 'POST' }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve(text)
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}
