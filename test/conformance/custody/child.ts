/** Another process on a folder of keys, for tests: `child.ts create|states DIR COUNT`. Prints one JSON value a line. */
import { openFileCustody } from '../../../adapters/custody/file/index.ts'
import { KernelError } from '../../../core/error.ts'

const [, , verb, dir = '', count = '1'] = process.argv
const custody = await openFileCustody({ dir, scopes: ['log'] })
console.log(JSON.stringify('open'))
for (let i = 0; i < Number(count); i++) {
  if (verb === 'create') {
    const { version, publicKey } = await custody.create('log', 'main')
    console.log(JSON.stringify({ version, publicKey: Buffer.from(publicKey).toString('hex') }))
  } else {
    // Races another process for the one transition of each version.
    const key = { scope: 'log', name: 'main', version: i + 1 } as const
    const outcome = await custody.transition(key, 'active').then(
      ({ state }) => state,
      (error: unknown) => (error instanceof KernelError ? error.code : String(error)),
    )
    console.log(JSON.stringify(outcome))
  }
}
