/** The verbs of `assay release`. */
import { type Command, Option } from 'commander'
import { configOption, dataOption, realmOption, type Tree } from './options.ts'

export function addRelease(program: Command, { add, act }: Tree): void {
  const release = add(program, 'release', 'verify and install what a pinned key released')
  const place = (command: Command): Command =>
    command.addOption(dataOption()).addOption(realmOption()).addOption(configOption())

  const verify = place(add(release, 'verify', 'verify an artifact, and install it if it holds'))
    .argument('<place>', 'a folder, or the URL of one, with SHA256SUMS and the signatures')
    .requiredOption('--artifact <name>', "the artifact's file name")
    .addOption(keyOption('a minisign public key, or its .pub file, which is pinned; repeatable'))
    .option('--install <file>', 'where the artifact goes when everything holds')
    .option('--minimum <version>', 'refuse an older one, whatever was seen before')
  act(verify, async (options, out, at) => (await import('./release.ts')).verify(options, out, at))

  const handOver = place(add(release, 'hand-over', 'pin the successor that a pinned key signed'))
    .argument('<file>', "the new key's .pub file")
    .addOption(new Option('--signature <file>', 'default: beside it, with .minisig added'))
  act(handOver, async (options, out, file) =>
    (await import('./release.ts')).handOver(options, out, file),
  )
  const pin = place(add(release, 'pin', 'accept what this key signs from now on'))
  pin.argument('<key>', 'a minisign public key, or its .pub file')
  act(pin, async (options, out, key) => (await import('./release.ts')).pin(options, out, key))

  const drop = place(add(release, 'drop', 'accept nothing that this key signs, for ever'))
  drop.argument('<key>', 'a minisign public key, or its .pub file')
  act(drop, async (options, out, key) => (await import('./release.ts')).drop(options, out, key))

  const installer = add(release, 'installer', 'print a shell script that verifies and installs')
    .addOption(keyOption('a minisign public key, or its .pub file, to pin in it; repeatable'))
    .option('--from <place>', 'where the release lies, unless the script is told')
    .option('--artifact <name>', 'the file that it installs, unless the script is told')
    .option('--prehashed-only', 'refuse legacy signatures')
  act(installer, async (options, out) =>
    (await import('./release.ts')).printInstaller(options, out),
  )
}

/** Not variadic: it would take a place that follows it for a key. */
function keyOption(description: string): Option {
  return new Option('--key <key>', description)
    .argParser((key, before: readonly string[] = []) => [...before, key])
    .makeOptionMandatory()
}
