/** Asks for a rotation or an activation, stops where it is told to, says so on standard output, and waits to be killed. */
import { join } from 'node:path'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { Custody } from '../../core/ports/custody.ts'
import { compiler } from '../rego.ts'
import { signing, TASK } from './kit.ts'

/** `create` and `transition`: before custody does it, or after it has and before anybody knows. */
export type Stop = 'create-after' | 'transition-after' | 'transition-before'

const [folder = '', stop] = process.argv.slice(2) as [string?, Stop?]

const hang = (): Promise<never> => {
  setInterval(() => undefined, 1000)
  process.stdout.write('here\n')
  return new Promise(() => undefined)
}
const custody = await openFileCustody({ dir: join(folder, 'keys') })
const stopping: Custody = Object.assign(Object.create(custody) as Custody, {
  list: (scope: never) => custody.list(scope),
  sign: (request: never) => custody.sign(request),
  close: () => custody.close(),
  async create(...asked: Parameters<Custody['create']>) {
    const made = await custody.create(...asked)
    return stop === 'create-after' ? hang() : made
  },
  async transition(...asked: Parameters<Custody['transition']>) {
    if (stop === 'transition-before') await hang()
    const moved = await custody.transition(...asked)
    return stop === 'transition-after' ? hang() : moved
  },
})
const pair = await openSqlite({ path: join(folder, 'assay.db') })
const place = await signing({ custody: stopping, pair })
await compiler.close()
if (stop === 'create-after') await place.decide('signer.rotate', TASK)
else await place.decide('signer.activate', { ...TASK, version: 2 })
