/** OPA as a WebAssembly module: unpacked and compiled once for all compilers of the process, and forgotten when none is left. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'

const unpack = promisify(brotliDecompress)

let known: WeakRef<WebAssembly.Module> | undefined
let loading: Promise<WebAssembly.Module> | undefined

/** The caller keeps the module as long as it may need it again. */
export async function opaModule(): Promise<WebAssembly.Module> {
  const module = known?.deref()
  if (module !== undefined) return module
  loading ??= load().finally(() => {
    loading = undefined
  })
  return await loading
}

/** The compiler as it lies in the package. */
export async function packedModule(): Promise<Uint8Array> {
  return await readFile(new URL('./opa.wasm.br', import.meta.url))
}

async function load(): Promise<WebAssembly.Module> {
  const module = await WebAssembly.compile(new Uint8Array(await unpack(await packedModule())))
  known = new WeakRef(module)
  return module
}
