/** IP addresses and networks in the texts that Go takes, as numbers. IPv4 addresses written as IPv6 (`::ffff:1.2.3.4`) are IPv4. */

export type Bits = 128 | 32

export interface Address {
  readonly value: bigint
  readonly bits: Bits
}

/** `first` is in the network's own family: an IPv4 prefix that is written as IPv6 has 128 bits. */
export interface Network {
  readonly first: bigint
  readonly bits: Bits
  readonly prefix: number
}

const MAPPED = 0xffffn

function isMapped(value: bigint): boolean {
  return value >> 32n === MAPPED
}

function plain(value: bigint, bits: Bits): Address {
  return bits === 128 && isMapped(value)
    ? { value: value & 0xffff_ffffn, bits: 32 }
    : { value, bits }
}

/** Undefined for what is no address, and for one with a zone. */
export function parseAddress(text: string): Address | undefined {
  const address = parseWritten(text)
  return address && plain(address.value, address.bits)
}

/** In the family in which it is written. */
export function parseWritten(text: string): Address | undefined {
  const value = text.includes(':') ? parse6(text) : parse4(text)
  return value === undefined ? undefined : { value, bits: text.includes(':') ? 128 : 32 }
}

function parse4(text: string): bigint | undefined {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1)
  if (bytes === undefined || bytes.some((byte) => Number(byte) > 255 || /^0\d/.test(byte)))
    return undefined
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n)
}

function parse6(text: string): bigint | undefined {
  if (text.length > 45) return undefined
  const last = text.slice(text.lastIndexOf(':') + 1)
  const tail = last.includes('.') ? parse4(last) : undefined
  if (last.includes('.') && tail === undefined) return undefined
  const hex =
    tail === undefined
      ? text
      : `${text.slice(0, -last.length)}${(tail >> 16n).toString(16)}:${(tail & MAPPED).toString(16)}`
  const halves = hex.split('::')
  if (halves.length > 2) return undefined
  const [head = [], rest = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - rest.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<string>(missing).fill('0'), ...rest]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.reduce((value, group) => value * 0x1_0000n + BigInt(`0x${group}`), 0n)
}

/** `1.2.3.0/24`; what stands behind the prefix counts as zero. */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const address = parseWritten(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (address === undefined || !/^\d{1,7}$/.test(digits)) return undefined
  const { value, bits } = address
  const prefix = Number(digits)
  return prefix > bits ? undefined : { first: value & ~hostMask(bits, prefix), bits, prefix }
}

function hostMask(bits: Bits, prefix: number): bigint {
  return (1n << BigInt(bits - prefix)) - 1n
}

export function lastOf({ first, bits, prefix }: Network): Address {
  return plain(first | hostMask(bits, prefix), bits)
}

export function firstOf({ first, bits }: Network): Address {
  return plain(first, bits)
}

/** The network in IPv4 where its address is one. */
function normal({ first, bits, prefix }: Network): Network {
  return bits === 128 && isMapped(first)
    ? { first: first & 0xffff_ffffn, bits: 32, prefix: Math.max(0, prefix - 96) }
    : { first, bits, prefix }
}

/** Never across families. */
export function contains(network: Network, address: Address): boolean {
  const { first, bits, prefix } = normal(network)
  return (
    address.bits === bits &&
    (address.value & ~hostMask(bits, prefix)) === (first & ~hostMask(bits, prefix))
  )
}

/** IPv6 and not IPv4 written as IPv6. */
export function isPlain6({ bits, first }: Network): boolean {
  return bits === 128 && !isMapped(first)
}

export function addressText({ value, bits }: Address): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & MAPPED).toString(16),
  )
  const [start, length] = longestZeros(groups)
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/** The first of the longest runs, RFC 5952. */
function longestZeros(groups: readonly string[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0]
  let start = 0
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === '0') continue
    if (i - start > best[1]) best = [start, i - start]
    start = i + 1
  }
  return best
}

export function networkText(network: Network): string {
  const { first, bits, prefix } = normal(network)
  return `${addressText({ value: first, bits })}/${prefix}`
}
