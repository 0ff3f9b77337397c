/** Writes tar archives, also ones that no program writes. */
import { gzipSync } from 'node:zlib'

export interface Entry {
  readonly name: string
  readonly body?: string | Uint8Array
  /** `0` a file, `1` and `2` links, `5` a folder, `x` a pax header. */
  readonly type?: string
  /** What the header says, whatever the body has. */
  readonly size?: number
}

export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.map(entryBytes), Buffer.alloc(1024)])
}
export function tarball(entries: readonly Entry[]): Buffer {
  return gzipSync(tar(entries))
}

function entryBytes({ name, body = '', type = '0', size }: Entry): Buffer {
  const content = Buffer.from(body as string)
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write('0000644\0', 100)
  header.write(`${(size ?? content.length).toString(8).padStart(11, '0')}\0`, 124)
  header.write(type, 156)
  header.write('ustar\0', 257)
  header.write('        ', 148)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
