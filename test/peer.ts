/** Another kernel's side of the wire: a real HTTP server that takes messages and questions as it is told, and remembers them. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Heard {
  readonly path: string
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly body: Uint8Array
}
/** `hang`: no answer and no end. `cut`: the connection ends without an answer. */
export type Reply = 'cut' | 'hang' | { readonly status: number; readonly body?: string }

export interface OtherKernel {
  readonly url: string
  readonly heard: Heard[]
  /** Default: 204. */
  reply: (heard: Heard) => Promise<Reply> | Reply
  close(): Promise<void>
}

export async function otherKernel(makeServer: () => Server = createServer): Promise<OtherKernel> {
  const server = makeServer()
  const scheme = 'setSecureContext' in server ? 'https' : 'http'
  server.on('request', (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', async () => {
      const { headers, url = '' } = incoming
      const heard = { path: url, headers, body: new Uint8Array(Buffer.concat(chunks)) }
      other.heard.push(heard)
      const reply = await other.reply(heard)
      if (reply === 'hang') return
      if (reply === 'cut') incoming.socket.destroy()
      else outgoing.writeHead(reply.status).end(reply.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const other: OtherKernel = {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: [],
    reply: () => ({ status: 204 }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return other
}
