/**
 * Keeps a copy of a folder of keys from before every step that changes the disk: `steps.ts reencrypt|change DIR INTO SECRETS`. A copy is what a
 * process leaves that is killed there; copying all of them once is what makes killing it at every step affordable.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { SecretFiles } from '../../../adapters/custody/file/index.ts'

const [, , verb, dir = '', into = '', secrets = '{}'] = process.argv
const { from, to }: { from: SecretFiles; to: SecretFiles } = JSON.parse(secrets)
const CHANGING = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'rmSync',
  'mkdirSync',
] as const

/** A copy has to be as closed as its original. */
process.umask(0o077)
let count = 0
function keep(): void {
  const copied = join(into, String(count++))
  fs.cpSync(dir, copied, { recursive: true, filter: (path) => !path.endsWith('.lock') })
}

const { openFileCustody, reencryptKeys } = await import('../../../adapters/custody/file/index.ts')
const custody =
  verb === 'change'
    ? await openFileCustody({ dir, scopes: ['log', 'witness'], ...from })
    : undefined

let copying = false
for (const name of CHANGING) {
  const original = fs[name] as (...args: unknown[]) => unknown
  const watched = (...args: unknown[]): unknown => {
    // Copying takes steps too.
    if (!copying) {
      copying = true
      keep()
      copying = false
    }
    return original(...args)
  }
  Object.assign(fs, { [name]: watched })
}
syncBuiltinESMExports()

if (custody === undefined) await reencryptKeys({ dir, from, to })
else {
  await custody.transition({ scope: 'log', name: 'main', version: 1 }, 'grace')
  await custody.create('log', 'main')
}
keep()
