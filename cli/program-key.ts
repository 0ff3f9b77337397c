/** `assay key` in the tree of verbs. */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { KEY_SCOPES } from '../core/ports/custody.ts'
import type { ManagedScope } from './key/managed.ts'
import { configOption, dataOption, realmOption, type Tree, version, whole } from './options.ts'

type Verb =
  | 'activate'
  | 'create'
  | 'export'
  | 'list'
  | 'publish'
  | 'register'
  | 'retire'
  | 'revoke'
  | 'rollback'
  | 'rotate'
  | 'schedule'
  | 'set'
  | 'status'
  | 'unregister'
  | 'acknowledge'

const YEARS = 315_360_000
const seconds = whole(0, YEARS)

export function addKey(program: Command, tree: Tree): void {
  const key = tree.add(program, 'key', 'create keys, and move them from pre-active to revoked')
  const verb = (name: Verb, text: string): Command => {
    const command = tree.add(key, name, text)
    const scope = new Argument(name === 'list' ? '[scope]' : '<scope>', 'what the key is for')
    const managed = name === 'export' || name === 'list' ? [] : ['secret']
    command.addArgument(scope.choices([...KEY_SCOPES, ...managed]))
    if (name !== 'list') command.argument('<name>')
    return command.addOption(dataOption()).addOption(realmOption()).addOption(configOption())
  }
  addCommon(verb, tree)
  addManaged(verb, tree)
  addVerifiers(verb, tree)
  addReencrypt(key, tree)
}

/** Of keys in files. */
function addReencrypt(key: Command, { add, act }: Tree): void {
  const command = add(
    key,
    'reencrypt',
    'encrypt keys in files with another secret, or for the first time',
  )
    .addOption(new Option('--passphrase-file <file>', 'the new passphrase').conflicts('keyFile'))
    .option('--key-file <file>', 'or 32 bytes, which need no passphrase')
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(command, async (options, out) => (await import('./key/reencrypt.ts')).reencrypt(options, out))
}

type Make = (name: Verb, text: string) => Command

const onServer = (command: Command): Command =>
  command
    .option('--url <base>', 'a running server (default: the data folder of a stopped one)')
    .option('--token-file <file>', 'with --url: a bearer token')
const overriding = (command: Command): Command =>
  command.option('--override <reason>', 'go on all the same; the reason stands in the log')
const newest = (): Argument => new Argument('[version]', 'default: the newest').argParser(version)
const one = (): Argument => new Argument('<version>').argParser(version)

/** Of any key: of one that the signer manages, each is a decision. */
function addCommon(verb: Make, { act }: Tree): void {
  const common = (
    name: 'activate' | 'create' | 'export' | 'list' | 'retire' | 'revoke',
    of: Command,
  ) =>
    act(of, async (options, out, ...args) =>
      (await import('./key/choose.ts')).choose(name, options, out, args),
    )
  common('list', verb('list', 'list keys, their states and public halves, as custody has them'))
  common('export', verb('export', 'print the public half').addArgument(newest()))
  common(
    'create',
    onServer(verb('create', 'a new key, or its next version, pre-active'))
      .option('--managed', 'by decisions in the log: see docs/keys.md')
      .option('--algorithm <name>', 'of a managed key: ed25519 or ecdsa-p256'),
  )
  common(
    'activate',
    overriding(onServer(verb('activate', 'sign with it from now on'))).addArgument(newest()),
  )
  common(
    'retire',
    overriding(
      onServer(verb('retire', 'verify with it for now, and at the second call never again')),
    ).addArgument(newest()),
  )
  common(
    'revoke',
    onServer(verb('revoke', 'trust nothing that it signed'))
      .addArgument(newest())
      .option('--reason <text>', 'of a managed key: why', 'revoked by assay key'),
  )
}

/** Of keys that the signer manages. */
function addManaged(verb: Make, { act }: Tree): void {
  const managed = (name: 'publish' | 'rollback' | 'rotate' | 'schedule', of: Command) =>
    act(onServer(of), async (options, out, scope: ManagedScope, key: string, number?: number) =>
      (await import('./key/managed.ts')).move(name, options, out, { name: key, scope }, number),
    )
  managed('rotate', verb('rotate', 'make the next version and publish it; activate it later'))
  managed('publish', verb('publish', 'tell verifiers of every version, in a new set'))
  managed(
    'rollback',
    verb('rollback', 'sign with an earlier version again')
      .addArgument(one())
      .requiredOption('--reason <text>', 'why; it stands in the log'),
  )
  managed(
    'schedule',
    verb('schedule', 'when the key rotates by itself')
      .addOption(
        new Option('--rotate-after <seconds>', '0: by hand')
          .argParser(seconds)
          .makeOptionMandatory(),
      )
      .addOption(
        new Option('--grace-for <seconds>', 'that a version verifies after its successor signs')
          .argParser(seconds)
          .makeOptionMandatory(),
      )
      .option('--no-auto', 'activate by hand what every verifier has acknowledged'),
  )
  const status = onServer(verb('status', 'versions, and which verifiers lag behind'))
  act(status, async (options, out, scope: ManagedScope, name: string) =>
    (await import('./key/managed.ts')).status(options, out, { name, scope }),
  )
  const set = onServer(verb('set', 'print the newest verifier set, as nodes get it')).addOption(
    new Option('--have <version>', 'nothing if this is the newest').argParser(
      whole(0, 999_999_999),
    ),
  )
  act(set, async (options, out, scope: ManagedScope, name: string) =>
    (await import('./key/managed.ts')).set(options, out, { name, scope }),
  )
}

function addVerifiers(verb: Make, { act }: Tree): void {
  const verifier = (name: 'acknowledge' | 'register' | 'unregister', of: Command) =>
    act(
      onServer(of),
      async (options, out, scope: ManagedScope, key: string, id: string, number?: number) =>
        (await import('./key/managed.ts')).verifier(
          name,
          options,
          out,
          { name: key, scope, verifier: id },
          number,
        ),
    )
  verifier(
    'register',
    verb('register', 'let activations wait for a verifier')
      .argument('<verifier>')
      .addOption(new Option('--peer <kind:id>', 'who speaks for it').argParser(peer)),
  )
  verifier('unregister', verb('unregister', 'wait for a verifier no more').argument('<verifier>'))
  verifier(
    'acknowledge',
    verb('acknowledge', 'say that a verifier has a version of the set')
      .argument('<verifier>')
      .addArgument(one()),
  )
}

function peer(text: string): { readonly id: string; readonly kind: string } {
  const [, kind, id] = /^([a-z]+):(.+)$/.exec(text) ?? []
  if (kind !== undefined && id !== undefined) return { id, kind }
  throw new InvalidArgumentError('It is a kind and an id, such as node:node-7.')
}
