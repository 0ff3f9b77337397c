/**
 * What would be chance: one answer a name and evaluation, spread evenly by a digest of the name and the evaluation's own time, so that
 * an evaluation can be repeated. Engines refuse these where a policy decides.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { keyOf } from '../value/key.ts'
import { integer } from '../value/number.ts'
import type { Value } from '../value/value.ts'
import type { Builtin, Context, Family } from './builtin.ts'
import { intOperand, wrongType } from './operands.ts'
import { bytesOf } from './texts.ts'

function digest(context: Context, label: string): Uint8Array {
  return sha256(bytesOf(`${context.now ?? ''}\0${label}`))
}

function once(context: Context, label: string, make: () => Value): Value {
  const known = context.memo.get(label)
  if (known !== undefined) return known
  const made = make()
  context.memo.set(label, made)
  return made
}

/** From 0 to below `n`; a negative `n` counts as its size. */
const intn: Builtin = (context, name: Value, n: Value) => {
  if (typeof name !== 'string') return wrongType(context, 1, name, 'string')
  const whole = intOperand(context, 2, n)
  if (whole === undefined) return undefined
  const size = BigInt(Math.abs(whole))
  if (size === 0n) return 0
  return once(context, `rand.intn\0${name}\0${size}`, () => {
    const bytes = digest(context, `rand.intn\0${name}`)
    // 128 bits: the remainder favours no number by what could be seen.
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return integer(((view.getBigUint64(0) << 64n) | view.getBigUint64(8)) % size)
  })
}

const uuid: Builtin = (context, name: Value) =>
  once(context, `uuid.rfc4122\0${String(keyOf(name))}`, () => {
    const bytes = digest(context, `uuid\0${String(keyOf(name))}`).slice(0, 16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  })

export const CHANCE: Family = { 'rand.intn': intn, 'uuid.rfc4122': uuid }
