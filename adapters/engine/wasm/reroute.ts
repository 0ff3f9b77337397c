/**
 * OPA's WebAssembly runtime has some built-ins in C. Where those answer otherwise than OPA's evaluator, a module is changed when it is
 * loaded: the body of the C function becomes a call of its host, which has the library that all engines share. The bundle keeps the bytes
 * that OPA's compiler wrote.
 *
 * @see https://webassembly.github.io/spec/core/binary/modules.html
 */

/** A function of the runtime and what takes its place: the built-in with this number. */
export interface Detour {
  readonly cName: string
  readonly operands: number
  readonly id: number
}

const SECTION = { custom: 0, import: 2, code: 10 } as const
const HEADER_BYTES = 8
const OP = { localGet: 0x20, i32Const: 0x41, call: 0x10, end: 0x0b } as const

/** The module with `detours` for those of the functions that it has. @throws RangeError where it is no module */
export function reroute(wasm: Uint8Array, detours: readonly Detour[]): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(wasm)
  const names = functionNames(sections)
  const bodies = new Map<number, readonly number[]>()
  const imports = importedFunctions(sections)
  for (const { cName, id, operands } of detours) {
    const index = names.get(cName)
    const dispatcher = imports.indexOf(`opa_builtin${operands}`)
    if (index === undefined || dispatcher < 0) continue
    bodies.set(index - imports.length, bodyOf(id, operands, dispatcher))
  }
  const parts: Uint8Array[] = [wasm.subarray(0, HEADER_BYTES)]
  for (const { id, content, whole } of sections)
    parts.push(id === SECTION.code ? section(id, replaced(content, bodies)) : whole)
  return joined(parts)
}

interface Section {
  readonly id: number
  readonly content: Uint8Array
  /** With its id and length. */
  readonly whole: Uint8Array
}

function sectionsOf(wasm: Uint8Array): readonly Section[] {
  const reader = new Reader(wasm, HEADER_BYTES)
  const sections: Section[] = []
  while (!reader.done) {
    const start = reader.at
    const id = reader.byte()
    const content = reader.take(reader.number())
    sections.push({ id, content, whole: wasm.subarray(start, reader.at) })
  }
  return sections
}

/** By index, in the order of the function index space, which imports begin. */
function importedFunctions(sections: readonly Section[]): readonly string[] {
  const found = sections.find(({ id }) => id === SECTION.import)
  if (found === undefined) return []
  const reader = new Reader(found.content)
  const names: string[] = []
  for (let left = reader.number(); left > 0; left--) {
    reader.text()
    const name = reader.text()
    const kind = reader.byte()
    if (kind === 0) {
      names.push(name)
      reader.number()
    } else reader.skipType(kind)
  }
  return names
}

/** The compiler names every function that it keeps. */
function functionNames(sections: readonly Section[]): ReadonlyMap<string, number> {
  const names = new Map<string, number>()
  for (const { id, content } of sections) {
    if (id !== SECTION.custom) continue
    const reader = new Reader(content)
    if (reader.text() !== 'name') continue
    while (!reader.done) {
      const kind = reader.byte()
      const subsection = new Reader(reader.take(reader.number()))
      if (kind !== 1) continue
      for (let left = subsection.number(); left > 0; left--) {
        const index = subsection.number()
        names.set(subsection.text(), index)
      }
    }
  }
  return names
}

/** No locals; number and context first, then what the function itself was given. */
function bodyOf(id: number, operands: number, dispatcher: number): readonly number[] {
  const given = Array.from({ length: operands }, (_, i) => [OP.localGet, i]).flat()
  const constants = [OP.i32Const, ...signed(id), OP.i32Const, 0]
  return [0, ...constants, ...given, OP.call, ...unsigned(dispatcher), OP.end]
}

function replaced(code: Uint8Array, bodies: ReadonlyMap<number, readonly number[]>): Uint8Array {
  const reader = new Reader(code)
  const count = reader.number()
  const parts: Uint8Array[] = [Uint8Array.from(unsigned(count))]
  for (let i = 0; i < count; i++) {
    const start = reader.at
    reader.take(reader.number())
    const body = bodies.get(i)
    parts.push(
      body === undefined
        ? code.subarray(start, reader.at)
        : Uint8Array.from([...unsigned(body.length), ...body]),
    )
  }
  return joined(parts)
}

function section(id: number, content: Uint8Array): Uint8Array {
  return joined([Uint8Array.from([id, ...unsigned(content.length)]), content])
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** LEB128. */
function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** LEB128 of what is not negative, with room for a sign. */
function signed(value: number): readonly number[] {
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
