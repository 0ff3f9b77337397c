/** `lenient` is what OPA's own tests of its WebAssembly ask of strict cases: it has no strict mode. */
import { holds } from './held.ts'
import { wasm } from './wasm.ts'

holds(wasm, 'main', 96)
holds(wasm, 'lenient', 95)
