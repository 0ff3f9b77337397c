/** What instances are made from: a module that calls the shared library, and the data of its policy. */
import type { Json } from '../../../core/json.ts'
import { DETOURS, NEXT } from './detours.ts'
import type { Image } from './instance.ts'
import { reroute } from './reroute.ts'

const PAGE = 65_536
const MAX_PAGES = 65_536
/** Parsed data takes about ten times its text; growing page by page while parsing takes quadratic time. */
const DATA_FACTOR = 11
const BASE_PAGES = 8
/** What evaluations may use beyond policy and data: 256 MiB. */
const WORKING_PAGES = 4096

/** The same module over other data. */
export function withData(image: Image, data: Json): Image {
  const bytes = bytesOf(data)
  const more = Math.ceil((DATA_FACTOR * (bytes.length - image.data.length)) / PAGE)
  const initial = Math.max(BASE_PAGES, image.initial + more)
  return { ...image, data: bytes, initial, maximum: Math.min(initial + WORKING_PAGES, MAX_PAGES) }
}

/** The package reads whole buffers: these bytes have one of their own. */
function bytesOf(data: Json): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(JSON.stringify(data)))
}

/** @throws RangeError, WebAssembly.CompileError: it is no module */
export async function prepare(
  { data, wasm }: { readonly data: Json; readonly wasm: Uint8Array },
  limits: Pick<Image, 'maxSteps' | 'refused'>,
): Promise<Image> {
  const module = await WebAssembly.compile(reroute(wasm, DETOURS, NEXT))
  const bytes = bytesOf(data)
  const initial = BASE_PAGES + Math.ceil((2 * wasm.length + DATA_FACTOR * bytes.length) / PAGE)
  const maximum = Math.min(initial + WORKING_PAGES, MAX_PAGES)
  return { module, data: bytes, initial, maximum, ...limits }
}
