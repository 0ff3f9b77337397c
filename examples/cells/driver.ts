/** Stands for what really tears a GPU down: an HTTP server that says how it went, and that can be told to fail. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'

export class Driver {
  /** Whether the next teardown goes wrong. */
  broken = false
  readonly #server: Server

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      const { kind } = JSON.parse(body) as { readonly kind: string }
      const failed = this.broken && kind === 'lease.teardown'
      const answer = failed ? { ok: false, why: 'the GPU does not answer' } : { ok: true }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    })
  }

  static async start(): Promise<Driver> {
    const driver = new Driver()
    driver.#server.listen(0, '127.0.0.1')
    await once(driver.#server, 'listening')
    return driver
  }

  get url(): string {
    const { port } = this.#server.address() as { readonly port: number }
    return `http://127.0.0.1:${port}`
  }

  async stop(): Promise<void> {
    this.#server.close()
    await once(this.#server, 'close')
  }
}
