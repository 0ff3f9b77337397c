/** Small changes to bytes, as fuzzers make them. */
import type { Random } from '../crash/random.ts'

const MAX_BYTES = 16_384
const ODD = [
  0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2b, 0x2e, 0x2f, 0x5c, 0x7b, 0x7f, 0x80, 0xc0, 0xed, 0xff,
]

type Change = (bytes: Uint8Array, random: Random, tokens: readonly Uint8Array[]) => Uint8Array

const below = (random: Random, end: number): number => Math.floor(random() * end)

function spliced(bytes: Uint8Array, from: number, to: number, part: Uint8Array): Uint8Array {
  const made = new Uint8Array(from + part.length + bytes.length - to)
  made.set(bytes.subarray(0, from))
  made.set(part, from)
  made.set(bytes.subarray(to), from + part.length)
  return made
}

function piece(bytes: Uint8Array, random: Random): Uint8Array {
  const from = below(random, bytes.length + 1)
  return bytes.slice(from, from + 1 + below(random, Math.min(64, bytes.length - from + 1)))
}

const CHANGES: readonly Change[] = [
  (bytes, random) => {
    const made = bytes.slice()
    const at = below(random, made.length)
    if (made.length > 0) made[at] = made[at]! ^ (1 << below(random, 8))
    return made
  },
  (bytes, random) => {
    const made = bytes.slice()
    if (made.length > 0) made[below(random, made.length)] = ODD[below(random, ODD.length)]!
    return made
  },
  (bytes, random) => spliced(bytes, below(random, bytes.length), bytes.length, new Uint8Array()),
  (bytes, random) => {
    const from = below(random, bytes.length)
    return spliced(
      bytes,
      from,
      Math.min(bytes.length, from + 1 + below(random, 16)),
      new Uint8Array(),
    )
  },
  (bytes, random) => {
    const at = below(random, bytes.length + 1)
    return spliced(bytes, at, at, piece(bytes, random))
  },
  (bytes, random) => {
    const at = below(random, bytes.length + 1)
    return spliced(bytes, at, at, Uint8Array.of(ODD[below(random, ODD.length)]!))
  },
  // More often near the beginning, where formats say what they are.
  (bytes, random, tokens) => {
    const at = Math.floor((bytes.length + 1) * random() ** 3)
    const token = tokens[below(random, tokens.length)] ?? new Uint8Array()
    return spliced(bytes, at, Math.min(bytes.length, at + below(random, 2) * token.length), token)
  },
  (bytes, random) => {
    const text = piece(bytes, random)
    const times = 2 ** (1 + below(random, 6))
    const many = new Uint8Array(text.length * times)
    for (let i = 0; i < times; i++) many.set(text, i * text.length)
    const at = below(random, bytes.length + 1)
    return spliced(bytes, at, at, many)
  },
]

/** One to eight changes, mostly one. `tokens`: what the format is made of. */
export function mutated(
  bytes: Uint8Array,
  random: Random,
  tokens: readonly Uint8Array[],
): Uint8Array {
  let made = bytes
  for (let left = 1 + Math.floor(8 * random() ** 3); left > 0; left--) {
    const change = CHANGES[below(random, CHANGES.length)] as Change
    made = change(made, random, tokens)
  }
  return made.subarray(0, MAX_BYTES)
}
