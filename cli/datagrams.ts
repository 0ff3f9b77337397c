/** The UDP doors that the configuration opens, at most one for each log. */
import type { ComposedRealms } from '../adapters/compose-realms.ts'
import { type DatagramServer, serveDatagrams } from '../adapters/datagram/index.ts'
import type { Out } from './out.ts'

export interface Doors {
  close(): Promise<void>
}

/** @throws TransportError: none is left open then */
export async function openDatagrams({ own, realms }: ComposedRealms, out: Out): Promise<Doors> {
  const servers: DatagramServer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()))
  }
  try {
    for (const { clock, config, kernel } of [own, ...realms.values()]) {
      if (config.datagrams === undefined) continue
      const server = await serveDatagrams(kernel, { ...config.datagrams, clock })
      servers.push(server)
      const { host, port } = server
      out.event(
        { event: 'listening_datagrams', host, port },
        `signed messages on UDP ${host}:${port}`,
      )
    }
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}
