/**
 * The address that a request comes from: the socket's, and behind proxies that the operator trusts the right-most address of
 * X-Forwarded-For that is none of theirs. What stands further left is the client's own writing.
 *
 * An address is who sends too much, and nothing else: no identity, no fact, no part of a decision.
 */
import { BlockList, isIP, isIPv4 } from 'node:net'
import { TransportError } from '../../../core/error.ts'
import type { Call } from './call.ts'

/** Entries that are looked at; a chain of trusted proxies is not longer. */
const MAX_HOPS = 16

export class Sources {
  readonly #trusted = new BlockList()
  readonly #trustsSome: boolean

  /** @param trustedProxies addresses, or networks as `10.0.0.0/8` @throws TransportError `invalid_options` */
  constructor(trustedProxies: readonly string[] = []) {
    this.#trustsSome = trustedProxies.length > 0
    for (const network of trustedProxies) this.#trust(network)
  }

  /** What counts as one source: an IPv4 address, or a /64 of IPv6, which is what one subscriber has. */
  of(call: Pick<Call, 'lines' | 'remote'>): string {
    const socket = plain(call.remote?.address ?? '')
    if (!this.#isTrusted(socket)) return network(socket)
    let source = socket
    const hops = call.lines('x-forwarded-for').join(',').split(',').slice(-MAX_HOPS).reverse()
    for (const hop of hops) {
      const address = readAddress(hop)
      // What the proxy wrote cannot be read: it is the proxy that is counted.
      if (address === undefined) break
      source = address
      if (!this.#isTrusted(address)) break
    }
    return network(source)
  }

  #trust(text: string): void {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
    const version = isIP(address)
    const max = version === 4 ? 32 : 128
    const prefix = bits === undefined ? max : Number(bits)
    if (version === 0 || prefix > max)
      throw new TransportError(
        'transport/http',
        'invalid_options',
        `trustedProxies: ${text.slice(0, 64)} is no address and no network such as 10.0.0.0/8`,
      )
    this.#trusted.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }

  #isTrusted(address: string): boolean {
    if (!this.#trustsSome || isIP(address) === 0) return false
    return this.#trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  }
}

/** One entry of X-Forwarded-For: an address, as some proxies write it with a port, and IPv6 then in brackets. */
export function readAddress(entry: string): string | undefined {
  const text = entry.trim()
  if (text.length > 64) return undefined
  const bare = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1]
  const address = plain(bare ?? withPort ?? text)
  if (bare !== undefined && isIPv4(bare)) return undefined
  return isIP(address) === 0 ? undefined : address
}

/** Without a zone, and an IPv4 address that travels as IPv6 as itself. */
function plain(address: string): string {
  const [unscoped = ''] = address.toLowerCase().split('%')
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(unscoped)?.[1] ?? unscoped
}

function network(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  // A dotted end is two groups.
  const written = groups.length + after.length + (after.at(-1)?.includes('.') ? 1 : 0)
  const whole = tail === undefined ? groups : [...groups, ...Array(8 - written).fill('0'), ...after]
  const first = whole.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${first.join(':')}::/64`
}
