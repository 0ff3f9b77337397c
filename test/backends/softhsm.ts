/** SoftHSM 2.6.1, an HSM in a library: what the PKCS #11 custody is tested on. Its Debian packages are unpacked, nothing is installed. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../source.ts'
import { unpacked } from '../tools.ts'

const run = promisify(execFile)
const LABEL = 'Assay test'
export const PIN = '1234567'

export interface SoftHsm {
  /** The PKCS #11 library. */
  readonly module: string
  readonly util: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Compiles `pkcs11js`: its own install script asks nodejs.org for the headers of the Node that runs it, and all that it needs of them is Node-API's.
 * @throws without a C++ compiler
 */
async function buildPkcs11(): Promise<void> {
  const cwd = join(root, 'node_modules/pkcs11js')
  const built = join(cwd, 'build/Release/pkcs11.node')
  if (existsSync(built)) return
  mkdirSync(dirname(built), { recursive: true })
  const partial = `${built}.${process.pid}`
  const sources = ['dl', 'common', 'main'].map((name) => `src/${name}.cpp`)
  const flags = ['-shared', '-fPIC', '-O2', '-std=c++17', '-DNAPI_DISABLE_CPP_EXCEPTIONS']
  const headers = ['-Iincludes', '-I../node-api-headers/include', '-DNODE_GYP_MODULE_NAME=pkcs11']
  await run('c++', [...flags, ...headers, ...sources, '-o', partial, '-ldl'], { cwd })
  renameSync(partial, built)
}

/** @throws without a system of Debian's kind, or a C++ compiler */
export async function installSoftHsm(): Promise<SoftHsm> {
  await buildPkcs11()
  const packages = ['softhsm2', 'libsofthsm2', 'libsqlite3-0']
  const files = await unpacked('softhsm2-2.6.1', packages)
  const library = join(files, 'usr/lib')
  const [machine = ''] = readdirSync(library).filter((name) => name.includes('linux-gnu'))
  return {
    module: join(library, machine, 'softhsm/libsofthsm2.so'),
    util: join(files, 'usr/bin/softhsm2-util'),
    env: { LD_LIBRARY_PATH: join(library, machine) },
  }
}

export interface Token {
  readonly module: string
  /** Its label. */
  readonly token: string
  readonly pinFile: string
  /** Where SoftHSM keeps it. */
  readonly folder: string
}

/**
 * A new token in a folder of its own. SoftHSM finds it by a variable of the environment, which is set for this process and those it starts: one
 * folder at a time.
 */
export async function softHsmToken(folder: string, label: string = LABEL): Promise<Token> {
  const { env, module, util } = await installSoftHsm()
  const tokens = join(folder, 'tokens')
  mkdirSync(tokens, { recursive: true })
  const conf = join(folder, 'softhsm2.conf')
  const settings = { 'directories.tokendir': tokens, 'objectstore.backend': 'file' }
  const lines = Object.entries({ ...settings, 'log.level': 'ERROR' })
  writeFileSync(conf, lines.map(([name, value]) => `${name} = ${value}\n`).join(''))
  process.env.SOFTHSM2_CONF = conf
  const pins = ['--so-pin', '87654321', '--pin', PIN]
  const init = ['--module', module, '--init-token', '--free', '--label', label, ...pins]
  await run(util, init, { env: { ...process.env, ...env } })
  const pinFile = join(folder, 'pin')
  writeFileSync(pinFile, `${PIN}\n`, { mode: 0o600 })
  return { module, token: label, pinFile, folder: tokens }
}
