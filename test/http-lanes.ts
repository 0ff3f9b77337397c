/** The two ways to an HTTP endpoint: the app as a function, and the app on Node's server. Both have to give the same answers. */
import { type AppOptions, createApp, serveHttp } from '../adapters/transport/http/index.ts'
import type { Kernel } from '../core/kernel.ts'

export type Ask = (path: string, init?: RequestInit) => Promise<Response>
type Options = Pick<AppOptions, 'evaluationsMax' | 'maxBodyBytes' | 'seal'>

export interface HttpLane {
  readonly name: string
  with(kernel: Kernel, use: (ask: Ask) => Promise<void>, options?: Options): Promise<void>
}

export const lanes: readonly HttpLane[] = [
  {
    name: 'the app',
    async with(kernel, use, options = {}) {
      const app = createApp(kernel, { publicUrl: 'https://pdp.example.com/', ...options })
      await use(async (path, init) => await app.request(path, init))
    },
  },
  {
    name: 'the server',
    async with(kernel, use, options = {}) {
      const publicUrl = 'https://pdp.example.com/'
      const { url, close } = await serveHttp(kernel, { publicUrl, ...options })
      try {
        await use((path, init) => fetch(`${url}${path}`, init))
      } finally {
        await close()
      }
    },
  },
]

/** A JSON POST. */
export function posted(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: text }
}
