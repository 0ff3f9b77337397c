/** Signed messages over UDP (RFC 768). Nothing is ever sent from here, so nobody can use this port to flood somebody else. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { TransportError } from '../../core/error.ts'
import type { Kernel } from '../../core/kernel.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { AnnounceDoor } from './door.ts'
import type { SourceLimits } from './sources.ts'

export interface DatagramOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: the system picks one. */
  readonly port?: number
  /** Larger datagrams are dropped unread. Default, and most: 65,507, which is what UDP over IPv4 can carry. */
  readonly maxBytes?: number
  readonly clock: Clock
  readonly limits?: SourceLimits
}
export interface DatagramServer {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

const MOST_BYTES = 65_507
/** What the system keeps while a decision is made. */
const RECEIVE_BUFFER = 1_048_576

/** @throws TransportError `invalid_options`, `address_in_use` */
export async function serveDatagrams(
  kernel: Kernel,
  options: DatagramOptions,
): Promise<DatagramServer> {
  const { clock, host = '127.0.0.1', limits, maxBytes = MOST_BYTES, port = 0 } = options
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > MOST_BYTES)
    throw new TransportError('datagram', 'invalid_options', `maxBytes is 1 to ${MOST_BYTES}`)
  const door = new AnnounceDoor(kernel, clock, limits)
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER,
  })
  socket.on('message', (message, { address }) => {
    if (message.length > maxBytes) kernel.refused('announce.receive', 'too_large')
    else door.take(networkOf(address), message)
  })
  await listening(socket, host, port)
  // An address that nobody listens on, or a network that is gone: there is nothing to answer.
  socket.on('error', () => {})
  const bound = socket.address()
  return {
    host: bound.address,
    port: bound.port,
    async close() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
      await door.close()
    },
  }
}

async function listening(socket: Socket, host: string, port: number): Promise<void> {
  socket.bind(port, host)
  try {
    await once(socket, 'listening')
  } catch (cause) {
    const inUse = (cause as { readonly code?: unknown }).code === 'EADDRINUSE'
    const code = inUse ? 'address_in_use' : 'invalid_options'
    throw new TransportError('datagram', code, `cannot listen on ${host} port ${port}`, { cause })
  }
}

/** What counts as one source: an IPv4 address, or a /64 of IPv6, which is what one subscriber has. */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%')
  if (plain.startsWith('::ffff:') && plain.includes('.')) return plain.slice('::ffff:'.length)
  if (!plain.includes(':')) return plain
  const [head = '', tail = ''] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = plain.includes('::') ? Array(8 - before.length - after.length).fill('0') : []
  return [...before, ...zeros, ...after].slice(0, 4).join(':')
}
