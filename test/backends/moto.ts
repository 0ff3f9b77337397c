/** moto as DynamoDB, for what AWS's own emulator lacks: continuous backups. */
import { join } from 'node:path'
import { freePort } from '../proxies.ts'
import { motoServer } from '../tools.ts'
import { type Running, shared, startServer } from './shared.ts'

export interface Moto extends Running {
  readonly endpoint: string
}

export async function moto(): Promise<Moto> {
  const command = await motoServer()
  return await shared('moto', async (place) => {
    const port = await freePort()
    const logFile = join(place, 'log')
    const running = await startServer({
      command,
      args: ['-H', '127.0.0.1', '-p', String(port)],
      logFile,
      ready: async (said) => said.includes(`:${port}`),
    })
    return { ...running, endpoint: `http://127.0.0.1:${port}` }
  })
}
