/** Networks by CIDR. Addresses are given: nothing here asks a resolver. */
import { entriesOf, isArray, isObject, RegoSet, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { wrongType } from '../operands.ts'
import {
  addressText,
  contains,
  firstOf,
  isPlain6,
  lastOf,
  type Network,
  networkText,
  parseAddress,
  parseNetwork,
} from './address.ts'
import { merge, networkOf } from './merge.ts'

function networkOperand(context: Context, value: Value): Network | undefined {
  if (typeof value !== 'string') return wrongType(context, 1, value, 'string')
  return parseNetwork(value) ?? fail(context, 'not a CIDR')
}

const cidrContains: Builtin = (context, cidr: Value, inner: Value) => {
  const network = networkOperand(context, cidr)
  if (network === undefined) return undefined
  if (typeof inner !== 'string') return wrongType(context, 1, inner, 'string')
  const address = parseAddress(inner)
  if (address !== undefined) return contains(network, address)
  const other = parseNetwork(inner)
  if (other === undefined) return fail(context, 'neither an IP address nor a CIDR')
  // The last address of ::/80 has the form of IPv4, so IPv6 compares prefixes.
  if (isPlain6(network) && isPlain6(other))
    return (
      network.prefix <= other.prefix &&
      (network.first ^ other.first) >> BigInt(128 - network.prefix) === 0n
    )
  return contains(network, firstOf(other)) && contains(network, lastOf(other))
}

const intersects: Builtin = (context, a: Value, b: Value) => {
  const left = networkOperand(context, a)
  const right = left === undefined ? undefined : networkOperand(context, b)
  if (left === undefined || right === undefined) return undefined
  return contains(left, firstOf(right)) || contains(right, firstOf(left))
}

/** What names a CIDR in the answer, and the CIDR, which an array may have in front of what belongs to it. */
function* named(value: Value): Generator<readonly [name: Value, cidr: Value | undefined]> {
  if (typeof value === 'string') yield [value, value]
  else if (isArray(value)) for (const [i, one] of value.entries()) yield [i, cidrIn(one)]
  else if (value instanceof RegoSet) for (const one of value.sorted()) yield [one, cidrIn(one)]
  else if (isObject(value)) for (const [key, one] of entriesOf(value)) yield [key, cidrIn(one)]
}

function cidrIn(value: Value): Value | undefined {
  return isArray(value) ? value[0] : typeof value === 'string' ? value : undefined
}

const containsMatches: Builtin = (context, cidrs: Value, others: Value) => {
  const found = new RegoSet()
  for (const [name, cidr] of named(cidrs)) {
    if (cidr === undefined) return fail(context, 'an element is neither string nor array')
    for (const [otherName, other] of named(others)) {
      context.spend(1)
      if (other === undefined) return fail(context, 'an element is neither string nor array')
      const inside = cidrContains(context, cidr, other)
      if (inside === undefined) return undefined
      if (inside === true) found.add([name, otherName])
    }
  }
  return found
}

/** What a set can hold. */
const MAX_ADDRESSES = 2 ** 24

const expand: Builtin = (context, cidr: Value) => {
  const network = networkOperand(context, cidr)
  if (network === undefined) return undefined
  const size = 2 ** (network.bits - network.prefix)
  context.spend(size)
  if (size > MAX_ADDRESSES) return fail(context, 'too many addresses')
  const { value, bits } = firstOf(network)
  const addresses = new RegoSet()
  for (let i = 0; i < size; i++) addresses.add(addressText({ value: value + BigInt(i), bits }))
  return addresses
}

const cidrMerge: Builtin = (context, value: Value) => {
  const elements = isArray(value) ? value : value instanceof RegoSet ? value.sorted() : undefined
  if (elements === undefined) return fail(context, 'operand must be an array')
  context.spend(elements.length)
  const networks: Network[] = []
  for (const element of elements) {
    const network = typeof element === 'string' ? networkOf(element) : undefined
    if (network === undefined) return fail(context, 'an element is no IPv4 address and no CIDR')
    networks.push(network)
  }
  return RegoSet.of(merge(networks).map(networkText))
}

export const NET: Family = {
  'net.cidr_contains': cidrContains,
  'net.cidr_contains_matches': containsMatches,
  'net.cidr_expand': expand,
  'net.cidr_intersects': intersects,
  'net.cidr_is_valid': (_context, value: Value) =>
    typeof value === 'string' && parseNetwork(value) !== undefined,
  'net.cidr_merge': cidrMerge,
  // The old name.
  'net.cidr_overlap': cidrContains,
}
