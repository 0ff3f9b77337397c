/** Programs that tests drive and npm does not bring. Each is fetched once into a folder outside the repository. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const OPA = 'github.com/open-policy-agent/opa@v1.22.0'
const TESSERA_FSCK = 'github.com/transparency-dev/tessera/cmd/fsck@v1.0.4'

/** `$XDG_CACHE_HOME/assay/bin`, the version in each program's folder name. */
function folder(version: string): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  return join(cache, 'assay', 'bin', version)
}

/** The path of Tessera's own log checker, an implementation of C2SP tlog-tiles that shares nothing with ours. @throws without Go */
export async function tesseraFsck(): Promise<string> {
  const bin = folder('tessera-1.0.4')
  const path = join(bin, 'fsck')
  if (existsSync(path)) return path
  mkdirSync(bin, { recursive: true })
  await run('go', ['install', TESSERA_FSCK], { env: { ...process.env, GOBIN: bin, GOFLAGS: '' } })
  return path
}

/** The path of OPA's own program, which benchmarks run as a server. @throws without Go */
export async function opaProgram(): Promise<string> {
  const bin = folder('opa-1.22.0')
  const path = join(bin, 'opa')
  if (existsSync(path)) return path
  mkdirSync(bin, { recursive: true })
  await run('go', ['install', OPA], { env: { ...process.env, GOBIN: bin, GOFLAGS: '' } })
  return path
}

/** Whether `command` can be started at all. */
async function starts(command: string, ...args: string[]): Promise<boolean> {
  return await run(command, args).then(
    () => true,
    () => false,
  )
}

/** What `fsync` tracing runs under: `strace` where the system lets it trace, else a preloaded library compiled with `cc`. */
export async function tracer(): Promise<'preload' | 'strace'> {
  const traces = (): Promise<boolean> => starts('strace', '-o', '/dev/null', 'true')
  if (await traces()) return 'strace'
  if (await starts('cc', '--version')) return 'preload'
  await starts('apt-get', 'install', '-y', '--no-install-recommends', 'strace')
  if (await traces()) return 'strace'
  throw new Error('neither strace nor cc can be used: install one of them to trace fsync')
}
