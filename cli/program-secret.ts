/** `assay secret` in the tree of verbs. */
import type { Command } from 'commander'
import { configOption, dataOption, realmOption, type Tree, version } from './options.ts'

export function addSecret(program: Command, { act, add }: Tree): void {
  const secret = add(program, 'secret', 'values that are no keys: import them, and deliver them')
  const placed = (name: string, text: string): Command =>
    add(secret, name, text)
      .addOption(dataOption())
      .addOption(realmOption())
      .addOption(configOption())
  const onServer = (command: Command): Command =>
    command
      .option('--url <base>', 'a running server (default: the data folder of a stopped one)')
      .option('--token-file <file>', 'with --url: a bearer token')
  act(
    onServer(placed('put', 'the next version, from standard input, pre-active')).argument('<name>'),
    async (options, out, name: string) => (await import('./secret.ts')).put(options, out, name),
  )
  act(placed('list', 'versions and their states, as custody has them'), async (options, out) =>
    (await import('./secret.ts')).list(options, out),
  )
  act(
    onServer(placed('deliver', 'print a value, sealed to a recipient, for assay secret open'))
      .argument('<name>')
      .argument('[version]', 'in grace; default: the active one', version)
      .requiredOption('--recipient <file>', 'a public key of X25519, PEM'),
    async (options, out, name: string, number?: number) =>
      (await import('./secret.ts')).deliver(options, out, name, number),
  )
  act(
    add(secret, 'open', 'open what was delivered: where it is used, with no server and no data')
      .argument('[file]', 'what assay secret deliver has printed', '-')
      .requiredOption('--key-file <file>', "the recipient's private key, PEM")
      .option('--out <file>', 'write the value there, mode 0600 (default: print it)'),
    async (options, out, file: string) => (await import('./secret.ts')).open(options, out, file),
  )
}
