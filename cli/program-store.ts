/** `assay store`: what a store needs before anybody may use it. */
import type { Command } from 'commander'
import { configOption, dataOption, realmOption, type Tree } from './options.ts'

export function addStore(program: Command, { add, act }: Tree): void {
  const store = add(program, 'store', 'prepare where decisions are kept')
  const init = add(store, 'init', "make DynamoDB's table; changes nothing where it is ready")
    .option('--point-in-time-recovery', 'keep what restores any second of the last 35 days')
    .option('--deletion-protection', 'refuse to delete the table')
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(init, async (options, out) => (await import('./store.ts')).init(options, out))
}
