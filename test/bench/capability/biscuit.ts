/** biscuit-wasm beside it: the same fields and caveats as Datalog, its authorizer with the same question. It is installed into a cache folder. */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { npmPackage } from '../npm-package.ts'
import type { RenewedSide, Side } from './measure.ts'
import { inTurn, OPERATION, type Shape } from './tokens.ts'

export const BISCUIT = '@biscuit-auth/biscuit-wasm@0.6.0'

/** The part of the package that is used. */
interface Package {
  readonly SignatureAlgorithm: { readonly Ed25519: number }
  readonly KeyPair: new (algorithm: number) => { getPrivateKey(): object; getPublicKey(): object }
  readonly Biscuit: {
    builder(): Code & { build(key: object): Biscuit }
    block_builder(): Code
    fromBase64(text: string, key: object): Biscuit
  }
  readonly AuthorizerBuilder: new () => Code & { buildAuthenticated(token: Biscuit): Authorizer }
}
type Glue = Package & WebAssembly.ModuleImports & { __wbg_set_wasm(exports: object): void }
interface Code {
  addCode(datalog: string): void
}
interface Biscuit {
  appendBlock(block: Code): Biscuit
  sealToken(): Biscuit
  toBase64(): string
  free(): void
}
interface Authorizer {
  authorizeWithLimits(limits: object): number
  free(): void
}

/** A busy machine shall not make it fail. */
const LIMITS = { max_facts: 1000, max_iterations: 100, max_time_micro: 1_000_000 }
const ASKED = `operation("${OPERATION.op}"); resource("${OPERATION.resource}"); bytes(${OPERATION.bytes});
  time(2026-11-01T00:00:00Z); allow if resource($r), granted($r)`

export class BiscuitWasm {
  static #module: WebAssembly.Module | undefined
  static #instances = 0
  readonly #package: Package

  private constructor(loaded: Package) {
    this.#package = loaded
  }

  /** An instance of its own, with a memory of its own; the code is compiled once. */
  static async open(): Promise<BiscuitWasm> {
    const url = pathToFileURL(
      `${npmPackage(BISCUIT)}/node_modules/@biscuit-auth/biscuit-wasm/module/`,
    )
    BiscuitWasm.#module ??= new WebAssembly.Module(readFileSync(new URL('biscuit_bg.wasm', url)))
    const glue = (await import(
      new URL(`biscuit_bg.js?${BiscuitWasm.#instances++}`, url).href
    )) as Glue
    const imports: WebAssembly.Imports = {}
    for (const { module } of WebAssembly.Module.imports(BiscuitWasm.#module))
      imports[module] ??=
        module === './biscuit_bg.js' ? glue : await import(new URL(module, url).href)
    const { exports } = new WebAssembly.Instance(BiscuitWasm.#module, imports)
    glue.__wbg_set_wasm(exports)
    ;(exports as { __wbindgen_start(): void }).__wbindgen_start()
    return new BiscuitWasm(glue)
  }

  /** Each authorizer of 0.6.0 leaves some kilobytes behind, freed or not, and grows slower with them: each turn gets a new instance. */
  static authorizing(shape: Shape): RenewedSide {
    return { renew: async () => (await BiscuitWasm.open()).authorization(shape) }
  }

  /** Verifies and authorizes different tokens of one shape. */
  authorization(shape: Shape): Side {
    const { AuthorizerBuilder, Biscuit, KeyPair, SignatureAlgorithm } = this.#package
    const cell = new KeyPair(SignatureAlgorithm.Ed25519)
    const next = inTurn(Array.from({ length: 16 }, (_, i) => this.#token(shape, cell, i)))
    const key = cell.getPublicKey()
    return () => {
      const token = Biscuit.fromBase64(next(), key)
      const builder = new AuthorizerBuilder()
      builder.addCode(ASKED)
      const authorizer = builder.buildAuthenticated(token)
      if (authorizer.authorizeWithLimits(LIMITS) !== 0) throw new Error('not authorized')
      authorizer.free()
      token.free()
    }
  }

  #token({ added, last }: Shape, cell: { getPrivateKey(): object }, i: number): string {
    const { Biscuit } = this.#package
    const builder = Biscuit.builder()
    builder.addCode(`issuer("cell-A"); audience("cell-A"); tenant("tenant-1"); lease("lease-1", 1);
      granted("gpu-0"); token("token-${i}"); check if operation($o), ["read", "submit"].contains($o);
      check if time($t), $t < 2100-01-01T00:00:00Z`)
    let token = builder.build(cell.getPrivateKey())
    for (let n = 1; n <= added; n++) {
      const block = Biscuit.block_builder()
      block.addCode(`check if bytes($b), $b <= ${n}`)
      token = token.appendBlock(block)
    }
    return (last === 'seal' ? token.sealToken() : token).toBase64()
  }
}
