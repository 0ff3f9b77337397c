/**
 * Tells other kernels: `announce.broadcast` goes to every peer, `capability.report` to the one that keeps the cell; `announce.fetch` asks for what
 * is missing. It decides nothing, and what a peer answers changes nothing here but whether it is asked again.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Json } from '../../../core/json.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Outbound } from '../../../core/ports/outbound.ts'
import { Link } from './broadcast.ts'
import { type Broadcast, readEntry } from './entries.ts'
import { PeerError } from './error.ts'
import { Peer, type PeerOptions } from './http.ts'
import { joinSigned } from './message.ts'
import { report } from './report.ts'

export interface PeersOptions {
  /** By the name of the cell that the peer keeps. */
  readonly peers: Readonly<Record<string, PeerOptions>>
  readonly clock: Pick<Clock, 'now'>
  /** How long a peer that does not acknowledge is sent a message again, in milliseconds. Default 10,000: then a pull has covered it. */
  readonly giveUpMs?: number
  /** Revocations of this cell are missing: whoever pulls should do so at once. */
  readonly onGap?: (cell: string) => void
}
export interface Peers extends Outbound {
  /** Ends what is under way; the outbox has what was not performed. */
  close(): Promise<void>
}

const GIVE_UP_MS = 10_000
/** The outbox does not wait longer: what is not acknowledged by then is still sent again in the background. */
const WAIT_MS = 1000

export function createPeers({
  clock,
  giveUpMs = GIVE_UP_MS,
  onGap = () => undefined,
  peers,
}: PeersOptions): Peers {
  const stop = new AbortController()
  // One kernel may keep several cells.
  const byUrl = new Map<string, Peer>()
  const byCell = new Map<string, Peer>()
  for (const [cell, options] of Object.entries(peers)) {
    const made = new Peer(options)
    const peer = byUrl.get(made.url) ?? made
    byUrl.set(peer.url, peer)
    byCell.set(cell, peer)
  }
  const links = new Map(
    [...byUrl].map(([url, peer]) => [url, new Link(peer, { giveUpMs, stop: stop.signal })]),
  )
  return {
    name: 'outbound/peers',
    kinds: ['announce.broadcast', 'announce.fetch', 'capability.report'],
    async perform(action, signal) {
      const until = AbortSignal.any([signal, stop.signal])
      until.throwIfAborted()
      switch (action.kind) {
        case 'announce.broadcast':
          return broadcast(readEntry(action, action.kind), links, until)
        case 'announce.fetch':
          onGap(readEntry(action, action.kind).cell)
          return { asked: true }
        case 'capability.report':
          return report(readEntry(action, action.kind), byCell, clock, until)
        default:
          throw new PeerError('peers', 'malformed_entry', `nobody here performs ${action.kind}`)
      }
    },
    async close() {
      stop.abort(new PeerError('peers', 'closed', 'it is closed'))
      await Promise.all([...byUrl.values()].map((peer) => peer.close()))
    },
  }
}

async function broadcast(
  entry: Broadcast,
  links: ReadonlyMap<string, Link>,
  signal: AbortSignal,
): Promise<Json> {
  const message = messageOf(entry)
  const acknowledged: string[] = []
  const awaited: Promise<void>[] = []
  for (const [url, link] of links) {
    const wasDown = link.down
    const delivered = link.deliver(message).then((heard) => {
      if (heard) acknowledged.push(url)
    })
    if (!wasDown) awaited.push(delivered)
  }
  const over = new AbortController()
  const waited = pause(WAIT_MS, undefined, { signal: AbortSignal.any([signal, over.signal]) })
  await Promise.race([Promise.all(awaited), waited.catch(() => undefined)])
  over.abort()
  signal.throwIfAborted()
  const heard = new Set(acknowledged)
  return {
    acknowledged: [...heard].sort(),
    pending: [...links.keys()].filter((url) => !heard.has(url)).sort(),
  }
}

/** @throws PeerError `malformed_entry` */
function messageOf({ signatures, unsigned }: Broadcast): Uint8Array {
  const message = joinSigned(unsigned, signatures.signature)
  if (message !== undefined) return message
  throw new PeerError('peers', 'malformed_entry', 'this is no message with a signature')
}
