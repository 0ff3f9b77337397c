/**
 * A WebAssembly module as its sections, as far as functions can be found in it, replaced, added and exported.
 *
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */
import { concatBytes } from '../../../core/crypto.ts'

const SECTION = { custom: 0, import: 2, function: 3, export: 7, code: 10 } as const
const HEADER_BYTES = 8
const FUNCTION = 0

interface Section {
  readonly id: number
  readonly content: Uint8Array
}

export class Module {
  /** By name, in the index space that imports begin. The compiler names every function that it keeps. */
  readonly names: ReadonlyMap<string, number>
  /** Imported functions, by index. */
  readonly imports: readonly string[]
  readonly #header: Uint8Array
  readonly #sections: readonly Section[]
  readonly #types: number[]
  readonly #bodies: Uint8Array[]
  readonly #exports: (readonly [name: string, index: number])[] = []

  /** @throws RangeError where it is no module */
  constructor(wasm: Uint8Array) {
    this.#header = wasm.subarray(0, HEADER_BYTES)
    this.#sections = sectionsOf(wasm)
    this.imports = importedFunctions(this.#content(SECTION.import))
    this.#types = new Reader(this.#content(SECTION.function)).list((reader) => reader.number())
    this.#bodies = [
      ...new Reader(this.#content(SECTION.code)).list((reader) => reader.take(reader.number())),
    ]
    this.names = new Map(this.#sections.flatMap(functionNames))
  }

  /** What stands in the place of the function from now on. */
  replace(index: number, body: readonly number[]): void {
    this.#bodies[index - this.imports.length] = Uint8Array.from(body)
  }

  /** Another function with the body that this one has now. Returns its index. */
  copy(index: number): number {
    const at = index - this.imports.length
    this.#types.push(this.#types[at] as number)
    return this.imports.length + this.#bodies.push(this.#bodies[at] as Uint8Array) - 1
  }

  export(name: string, index: number): void {
    this.#exports.push([name, index])
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const parts: Uint8Array[] = [this.#header]
    for (const { id, content } of this.#sections) {
      const now = this.#changed(id) ?? content
      parts.push(Uint8Array.from([id, ...unsigned(now.length)]), now)
    }
    return concatBytes(parts)
  }

  #content(id: number): Uint8Array {
    return this.#sections.find((section) => section.id === id)?.content ?? Uint8Array.of(0)
  }

  #changed(id: number): Uint8Array | undefined {
    if (id === SECTION.function)
      return Uint8Array.from([this.#types.length, ...this.#types].flatMap(unsigned))
    if (id === SECTION.export) return this.#withExports()
    if (id !== SECTION.code) return undefined
    const bodies = this.#bodies.flatMap((body) => [Uint8Array.from(unsigned(body.length)), body])
    return concatBytes([Uint8Array.from(unsigned(this.#bodies.length)), ...bodies])
  }

  #withExports(): Uint8Array {
    const content = this.#content(SECTION.export)
    const reader = new Reader(content)
    const count = reader.number() + this.#exports.length
    const more = this.#exports.flatMap(([name, index]) => {
      const bytes = [...new TextEncoder().encode(name)]
      return [...unsigned(bytes.length), ...bytes, FUNCTION, ...unsigned(index)]
    })
    return concatBytes([
      Uint8Array.from(unsigned(count)),
      content.subarray(reader.at),
      Uint8Array.from(more),
    ])
  }
}

function sectionsOf(wasm: Uint8Array): readonly Section[] {
  const reader = new Reader(wasm, HEADER_BYTES)
  const sections: Section[] = []
  while (!reader.done) sections.push({ id: reader.byte(), content: reader.take(reader.number()) })
  return sections
}

function importedFunctions(content: Uint8Array): readonly string[] {
  const names: string[] = []
  new Reader(content).list((reader) => {
    reader.text()
    const name = reader.text()
    const kind = reader.byte()
    if (kind === FUNCTION) names.push(name)
    if (kind === FUNCTION) reader.number()
    else reader.skipType(kind)
  })
  return names
}

function functionNames({ content, id }: Section): readonly (readonly [string, number])[] {
  if (id !== SECTION.custom) return []
  const reader = new Reader(content)
  if (reader.text() !== 'name') return []
  while (!reader.done) {
    const kind = reader.byte()
    const part = new Reader(reader.take(reader.number()))
    if (kind === 1)
      return part.list((entry) => {
        const index = entry.number()
        return [entry.text(), index] as const
      })
  }
  return []
}

/** LEB128. */
export function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** LEB128 of what is not negative, with room for a sign. */
export function signed(value: number): readonly number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)]
}

const decoder = new TextDecoder()

class Reader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('the module ends early')
    return byte
  }

  /** Unsigned LEB128 of at most 32 bits. */
  number(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number that does not end')
  }

  take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('the module ends early')
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  list<T>(item: (reader: this) => T): T[] {
    const items: T[] = []
    for (let left = this.number(); left > 0; left--) items.push(item(this))
    return items
  }

  text(): string {
    return decoder.decode(this.take(this.number()))
  }

  /** Of an imported table, memory or global. */
  skipType(kind: number): void {
    if (kind === 1) this.byte()
    if (kind === 3) {
      this.take(2)
      return
    }
    const limits = this.byte()
    this.number()
    if (limits & 1) this.number()
  }
}
