/** A resource driver for tests: a real HTTP server that answers as it is told, and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Json } from '../../core/json.ts'

export interface Asked {
  readonly authorization: string | undefined
  readonly body: { readonly [member: string]: Json }
  readonly key: string | undefined
}
/** A status alone, a body with status 200, or nothing at all: the connection stays open. */
export type Answer = number | string | 'silence'

export interface Desk {
  readonly url: string
  readonly asked: Asked[]
  /** For the requests to come; the last one is kept. */
  answer(...answers: readonly Answer[]): void
  close(): Promise<void>
}

export const DONE = '{"ok":true}'
export const FAILED = '{"ok":false,"why":"it hangs"}'

export async function openDesk(): Promise<Desk> {
  const asked: Asked[] = []
  let answers: readonly Answer[] = [DONE]
  const server = createServer((request, response) => {
    void answered(request, response)
  })
  async function answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse((await buffer(request)).toString())
    const { authorization, 'idempotency-key': key } = request.headers
    asked.push({ authorization, body, key: key as string | undefined })
    const [answer, ...later] = answers
    if (later.length > 0) answers = later
    if (answer === 'silence') return
    if (typeof answer === 'number') response.writeHead(answer).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    answer: (...given) => {
      answers = given
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
