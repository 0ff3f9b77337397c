/**
 * The thread that runs OPA's compiler: a Go program as WebAssembly, with Go's own support script. It answers one request after another
 * and knows nothing but its requests: no file, no environment, no network.
 */
import './vendor/wasm_exec.js'
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { brotliDecompressSync } from 'node:zlib'

interface GoRuntime {
  readonly importObject: WebAssembly.Imports
  run(instance: WebAssembly.Instance): Promise<void>
}
type Serve = (request: string, reply: (text: string, wasm?: Uint8Array) => void) => void

const scope = globalThis as unknown as {
  readonly Go: new () => GoRuntime
  assayReady?: (serve: Serve) => void
}

const packed = readFileSync(new URL('./opa.wasm.br', import.meta.url))
const go = new scope.Go()
const { instance } = await WebAssembly.instantiate(brotliDecompressSync(packed), go.importObject)
const serve = await new Promise<Serve>((resolve, reject) => {
  scope.assayReady = resolve
  go.run(instance).then(() => process.exit(1), reject)
})
parentPort?.on('message', (request: string) => {
  serve(request, (text, wasm) => parentPort?.postMessage({ text, wasm }))
})
