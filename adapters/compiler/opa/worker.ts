/**
 * The thread that runs OPA's compiler: a Go program as WebAssembly, with Go's own support script. It answers one request after another
 * and knows nothing but its requests: no file, no environment, no network.
 */
import './vendor/wasm_exec.js'
import { parentPort, workerData } from 'node:worker_threads'

interface GoRuntime {
  readonly importObject: WebAssembly.Imports
  run(instance: WebAssembly.Instance): Promise<void>
}
type Serve = (request: string, reply: (text: string, wasm?: Uint8Array) => void) => void

const scope = globalThis as unknown as {
  readonly Go: new () => GoRuntime
  assayReady?: (serve: Serve) => void
}

const go = new scope.Go()
const instance = await WebAssembly.instantiate(workerData as WebAssembly.Module, go.importObject)
const serve = await new Promise<Serve>((resolve, reject) => {
  scope.assayReady = resolve
  go.run(instance).then(() => process.exit(1), reject)
})
parentPort?.on('message', (request: string) => {
  serve(request, (text, wasm) => parentPort?.postMessage({ text, wasm }))
})
