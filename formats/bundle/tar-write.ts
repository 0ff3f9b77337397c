/**
 * Writes a tar archive in one way only: the same files give the same bytes, whoever writes them, wherever and whenever.
 *
 * @see POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"
 */
import { concatBytes } from '../../core/crypto.ts'
import { BundleError } from '../../core/error.ts'
import { byPath } from './order.ts'

const BLOCK = 512
const encoder = new TextEncoder()

/** Sorted by path. Owner 0, mode 0644, time 0. @throws BundleError `too_large`: a file of 8 GiB */
export function writeTar(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const blocks = [...files].sort(byPath).flatMap(([path, bytes]) => entry(path, bytes))
  // Two empty blocks end an archive.
  return concatBytes([...blocks, new Uint8Array(2 * BLOCK)])
}

function entry(path: string, bytes: Uint8Array): Uint8Array[] {
  const place = ustarPlace(path)
  if (place !== undefined) return [header(place, bytes.length, '0'), ...padded(bytes)]
  const record = encoder.encode(paxRecord('path', path))
  const short = { name: encoder.encode('long'), prefix: new Uint8Array() }
  return [
    header({ ...short, name: encoder.encode('pax') }, record.length, 'x'),
    ...padded(record),
    header(short, bytes.length, '0'),
    ...padded(bytes),
  ]
}

function padded(bytes: Uint8Array): Uint8Array[] {
  return [bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK)]
}

interface Place {
  readonly name: Uint8Array
  readonly prefix: Uint8Array
}

/** A name of at most 100 bytes behind a prefix of at most 155, or none where no slash splits the path so. */
function ustarPlace(path: string): Place | undefined {
  const whole = encoder.encode(path)
  if (whole.length <= 100) return { name: whole, prefix: new Uint8Array() }
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [encoder.encode(path.slice(0, at)), encoder.encode(path.slice(at + 1))]
    if (prefix.length <= 155 && name.length > 0 && name.length <= 100) return { name, prefix }
  }
  return undefined
}

/** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = encoder.encode(` ${key}=${value}\n`).length
  let length = rest + String(rest).length
  if (rest + String(length).length !== length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

function header({ name, prefix }: Place, size: number, type: string): Uint8Array {
  if (size >= 8 ** 11) throw new BundleError('bundle', 'too_large', 'a file of 8 GiB or more')
  const block = new Uint8Array(BLOCK)
  const put = (text: string, at: number): void => block.set(encoder.encode(text), at)
  const number = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
  block.set(name, 0)
  put('0000644\0', 100)
  put('0000000\0', 108)
  put('0000000\0', 116)
  put(`${number(size, 11)}\0`, 124)
  put(`${number(0, 11)}\0`, 136)
  put('        ', 148)
  put(type, 156)
  put('ustar\u000000', 257)
  put('0000000\0', 329)
  put('0000000\0', 337)
  block.set(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(`${number(sum, 6)}\0 `, 148)
  return block
}
