/**
 * Vault 1.14.0, the last one under an open licence: its own core with the engines and auth methods that custody needs, built from Go's module
 * proxy. It keeps everything in memory, so whoever needs a Vault to seal or to stop starts one of its own.
 */
import { execFile } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetched, folder } from '../tools.ts'
import { type Running, shared, startServer } from './shared.ts'

const run = promisify(execFile)
/** Not optimised, and without one library's generated fast paths: a third of the compiler's time. */
const QUICKLY = ['-gcflags=all=-N -l', '-ldflags=-s -w', '-tags=notfastpath']
const SOURCE = join(import.meta.dirname, 'vault')
const SDK = 'github.com/hashicorp/vault/sdk@v0.9.2'
/**
 * Vault's releases contain an sdk that was never published. The published one nearest to 1.14.0 refuses a table of paths that 1.14.0 has, at the
 * first request; without this check it is served.
 */
const CHECK =
  /panic\(fmt\.Sprintf\("Pattern %v defines a CreateOperation but no ExistenceCheck", p\.Pattern\)\)/g

/** The path of the program: about 100 seconds of CPU the first time. @throws without Go */
export async function installVault(): Promise<string> {
  const bin = folder('vault-1.14.0')
  return await fetched(join(bin, 'vaultd'), bin, async (into) => {
    const source = join(into, 'source')
    cpSync(SOURCE, source, { recursive: true })
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' }
    await copySdk(join(source, 'sdk'), env)
    const build = ['build', ...QUICKLY, '-trimpath', '-o', join(into, 'vaultd'), '.']
    await run('go', build, { cwd: source, env, maxBuffer: 2 ** 26 })
    rmSync(source, { recursive: true })
  })
}

async function copySdk(to: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { stdout } = await run('go', ['mod', 'download', '-json', SDK], { env })
  const { Dir } = JSON.parse(stdout) as { Dir: string }
  // The module cache is read-only, and so would a plain copy be.
  await run('cp', ['-r', '--no-preserve=mode', Dir, to])
  const path = join(to, 'framework', 'backend.go')
  const text = readFileSync(path, 'utf8')
  if (!CHECK.test(text)) throw new Error(`${SDK} is not what it was`)
  writeFileSync(path, text.replace(CHECK, '_ = p'))
}

export interface Vault extends Running {
  readonly address: string
  /** A token that may do everything. */
  readonly root: string
  /** Unseals it: `PUT sys/unseal`. */
  readonly share: string
}

/** One for the whole test run. Each test file makes mounts, policies and roles of its own in it, and never seals it. */
export function vault(): Promise<Vault> {
  return shared('vault', (into) => startVault(into))
}

/** @param into an empty folder for its log @param tls files in PEM */
export async function startVault(
  into: string,
  tls?: { readonly cert: string; readonly key: string },
): Promise<Vault> {
  const command = await installVault()
  const args = tls === undefined ? [] : ['-cert', tls.cert, '-key', tls.key]
  const logFile = join(into, 'log')
  const ready = async (said: string): Promise<boolean> => greeting(said) !== undefined
  const { pid } = await startServer({ command, args, logFile, ready })
  const told = greeting(readFileSync(logFile, 'utf8'))
  if (told === undefined) throw new Error(`${logFile} says no address`)
  return { pid, ...told }
}

/** The line in which it says where it is. */
function greeting(said: string): Omit<Vault, 'pid'> | undefined {
  const line = said.split('\n').find((each) => each.startsWith('{"address"') && each.endsWith('}'))
  return line === undefined ? undefined : (JSON.parse(line) as Omit<Vault, 'pid'>)
}
