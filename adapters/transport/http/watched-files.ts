/**
 * A few small files that belong together, such as a certificate and its key, looked at again and again: what counts is their content, so
 * renames, swapped links and mounts without events are all the same.
 */
import { readFile } from 'node:fs/promises'

/** By the names that the caller has for them. */
export type Contents<P extends object> = { readonly [N in keyof P]: Buffer }

export interface FileWatch<P extends object> {
  /** As they were at the start. */
  readonly contents: Contents<P>
  /** Called with every later content, from now on. */
  onChange: (contents: Contents<P>) => void
  close(): void
}

export interface FileWatchOptions {
  /** Milliseconds between two looks. Default 1,000. */
  readonly everyMs?: number | undefined
}

const MAX_BYTES = 1_048_576

/**
 * `onChange` is called with a content that two looks in a row have found, so that it never gets one file of an old set with another of a new one
 * that was just being put there. Files that cannot be read now are as if they had not changed.
 *
 * @throws the file system's error when one cannot be read at the start
 */
export async function watchFiles<P extends object>(
  paths: P,
  { everyMs = 1000 }: FileWatchOptions = {},
): Promise<FileWatch<P>> {
  const contents = await readAll(paths)
  let serving = contents
  let seen = contents
  let looking = false
  let closed = false
  const look = async (): Promise<void> => {
    const found = await readAll(paths).catch(() => undefined)
    if (found === undefined || closed) return
    const isSettled = same(found, seen)
    seen = found
    if (!isSettled || same(found, serving)) return
    serving = found
    watch.onChange(found)
  }
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    void look().finally(() => {
      looking = false
    })
  }, everyMs).unref()
  const watch: FileWatch<P> = {
    contents,
    onChange: () => undefined,
    close: () => {
      closed = true
      clearInterval(timer)
    },
  }
  return watch
}

async function readAll<P extends object>(paths: P): Promise<Contents<P>> {
  const found = await Promise.all(
    Object.entries<string>(paths as Readonly<Record<string, string>>).map(async ([name, path]) => {
      const bytes = await readFile(path)
      if (bytes.length > MAX_BYTES) throw new RangeError(`${path} has more than ${MAX_BYTES} bytes`)
      return [name, bytes] as const
    }),
  )
  return Object.fromEntries(found) as Contents<P>
}

function same<P extends object>(a: Contents<P>, b: Contents<P>): boolean {
  return (Object.keys(a) as (keyof P)[]).every((name) => a[name].equals(b[name]))
}
