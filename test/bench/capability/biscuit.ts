/** biscuit-wasm beside it: the same fields and caveats as Datalog, its authorizer with the same question. It is installed into a cache folder. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Side } from './measure.ts'
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
  init(): void
}
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
  readonly #package: Package

  private constructor(loaded: Package) {
    this.#package = loaded
  }

  static async open(): Promise<BiscuitWasm> {
    const folder = installed()
    const entry = join(folder, 'node_modules/@biscuit-auth/biscuit-wasm/module/biscuit.js')
    const loaded = (await import(pathToFileURL(entry).href)) as Package
    loaded.init()
    return new BiscuitWasm(loaded)
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

/** Never a dependency of the package: only this bench loads it. */
function installed(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const folder = join(cache, 'assay', 'bench', BISCUIT.replaceAll('/', '-'))
  if (existsSync(join(folder, 'node_modules'))) return folder
  mkdirSync(folder, { recursive: true })
  const flags = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
  execFileSync('npm', ['install', ...flags, BISCUIT], { stdio: 'ignore' })
  return folder
}
