import { beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../../../test/rego.ts'
import { DETOURS, NEXT } from './detours.ts'
import { Module } from './module.ts'
import { reroute } from './reroute.ts'

let wasm: Uint8Array
beforeAll(async () => {
  wasm = (await bundle('decision := concat(",", {x | some x in input.list; x + 1 > 2})')).wasm
})

describe('a module', () => {
  test('that nothing is done to keeps its bytes', () => {
    expect(Buffer.compare(new Module(wasm).bytes(), wasm)).toBe(0)
  })

  test('is valid with functions replaced, copied and exported, and still has all others', async () => {
    const changed = reroute(wasm, DETOURS, NEXT)
    expect(WebAssembly.validate(changed)).toBe(true)
    const before = WebAssembly.Module.exports(await WebAssembly.compile(Uint8Array.from(wasm)))
    const after = WebAssembly.Module.exports(await WebAssembly.compile(changed))
    const names = after.map(({ name }) => name)
    expect(names).toEqual([...before.map(({ name }) => name), 'assay_next', 'assay_compare'])
    const { names: known, imports } = new Module(wasm)
    const again = new Module(changed)
    expect([...again.names]).toEqual([...known])
    expect(again.imports).toEqual(imports)
  })

  test('has what takes the place of a function, and the original beside it', async () => {
    const { names } = new Module(wasm)
    for (const cName of ['opa_strings_concat', 'opa_value_iter', 'opa_value_compare'])
      expect(names.has(cName), cName).toBe(true)
  })

  test('that ends early, or is none of OPA, is refused', () => {
    for (const length of [0, 4, 8, 9, 20, 100, 1000, wasm.length - 1]) {
      const cut = wasm.slice(0, length)
      expect(() => reroute(cut, DETOURS, NEXT), String(length)).toThrow(RangeError)
    }
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    expect(() => reroute(empty, DETOURS, NEXT)).toThrow(RangeError)
  })
})
