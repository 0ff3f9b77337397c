/** The fewest networks that cover the same addresses. */
import { type Address, type Bits, type Network, parseAddress, parseNetwork } from './address.ts'

/** On one line with IPv4 inside IPv6, as OPA orders them. */
interface Range {
  readonly first: bigint
  readonly last: bigint
  /** Undefined where ranges were joined. */
  readonly network: Network | undefined
}

const MAPPED = 0xffffn << 32n

/** An address alone stands for its old class: A, B or C; IPv6 needs a prefix. Undefined for what is neither. */
export function networkOf(text: string): Network | undefined {
  const address = parseAddress(text)
  if (address === undefined) return parseNetwork(text)
  if (address.bits === 128) return undefined
  return { first: address.value, bits: 32, prefix: classOf(address) }
}

function classOf({ value }: Address): number {
  const byte = value >> 24n
  return byte < 0x80n ? 8 : byte < 0xc0n ? 16 : 24
}

export function merge(networks: readonly Network[]): readonly Network[] {
  const ranges = networks.map(rangeOf).sort(byEnd)
  for (let i = ranges.length - 1; i > 0; i--) {
    const range = ranges[i]!
    const before = ranges[i - 1]!
    if (previous(range.first) > before.last) continue
    const first = before.first < range.first ? before.first : range.first
    ranges.splice(i - 1, 2, { first, last: range.last, network: undefined })
  }
  return ranges.flatMap(({ network, ...range }) => network ?? networksIn(range))
}

function rangeOf(network: Network): Range {
  const { bits, prefix, first } = network
  const hosts = (1n << BigInt(bits - prefix)) - 1n
  const base = (bits === 32 ? MAPPED : 0n) + (first & ~hosts)
  return { first: base, last: base | hosts, network }
}

function byEnd(a: Range, b: Range): number {
  if (a.last !== b.last) return a.last < b.last ? -1 : 1
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0
}

/** The lowest address of each family has none before it. */
function previous(address: bigint): bigint {
  return address === 0n || address === MAPPED ? address : address - 1n
}

/** The largest aligned network each time. */
function networksIn({ first, last }: { first: bigint; last: bigint }): readonly Network[] {
  const bits: Bits = first >> 32n === 0xffffn ? 32 : 128
  const networks: Network[] = []
  for (let at = first; at <= last; ) {
    let prefix: number = bits
    while (prefix > 0) {
      const size = 1n << BigInt(bits - prefix + 1)
      if ((bits === 32 ? at & 0xffff_ffffn : at) % size !== 0n || at + size - 1n > last) break
      prefix--
    }
    networks.push({ first: bits === 32 ? at & 0xffff_ffffn : at, bits, prefix })
    at += 1n << BigInt(bits - prefix)
  }
  return networks
}
