/** SoftHSM 2.6.1, an HSM in a library: what the PKCS #11 custody is tested on. Its Debian packages are unpacked, nothing is installed. */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
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

/** @throws without a system of Debian's kind */
export async function installSoftHsm(): Promise<SoftHsm> {
  const packages = ['softhsm2', 'libsofthsm2', 'libsqlite3-0']
  const root = await unpacked('softhsm2-2.6.1', packages)
  const library = join(root, 'usr/lib')
  const [machine = ''] = readdirSync(library).filter((name) => name.includes('linux-gnu'))
  return {
    module: join(library, machine, 'softhsm/libsofthsm2.so'),
    util: join(root, 'usr/bin/softhsm2-util'),
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
