/** The verbs that look into a log, keep it, and walk from what is trusted to what stands on it. */
import { type Command, Option } from 'commander'
import { KEY_ALGORITHMS } from '../core/ports/custody.ts'
import {
  anchorOption,
  configOption,
  dataOption,
  instant,
  realmOption,
  type Tree,
  trustOption,
  whole,
} from './options.ts'

export function addTrust(program: Command, { add, act }: Tree): void {
  const trust = add(program, 'trust', 'walk from the pinned root to what stands on it')
  const path = add(
    trust,
    'path',
    'each step to a decision, token or release, and the line of the rule that accepted it',
  )
    .option('--decision <id>', 'a decision in the log: 32 hexadecimal digits')
    .option('--receipt <file>', 'a receipt, - for standard input')
    .option('--token <file>', 'a capability token, - for standard input, or its text')
    .option('--release <place>', 'a folder, or the URL of one, with SHA256SUMS and the signatures')
    .option('--artifact <name>', "with --release: the artifact's file name")
    .addOption(anchorOption())
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(path, async (options, out) => (await import('./trust.ts')).path(options, out))
}

export function addLog(program: Command, { add, act }: Tree): void {
  const log = add(program, 'log', 'look into decisions, and keep the log: its key, copies, file')
  const place = (command: Command): Command =>
    command.addOption(dataOption()).addOption(realmOption()).addOption(configOption())
  const query = add(log, 'query', 'decisions that fit, opened as far as the policy lets you')
  addQueryOptions(place(query))
  act(query, async (options, out) => (await import('./query.ts')).query(options, out))

  const rotate = place(add(log, 'rotate-key', "replace the log's key; the server is stopped"))
    .option(
      '--compromised-since <size>',
      'heads of more leaves that the old key signed count no more',
    )
    .addOption(
      new Option('--algorithm <name>', 'of the next key, default as before').choices(
        KEY_ALGORITHMS,
      ),
    )
  act(rotate, async (options, out) => (await import('./log.ts')).rotateKey(options, out))

  const archive = place(
    add(log, 'archive', 'copy store, log and anchor; the server may be running'),
  )
    .requiredOption('--to <folder>', 'a new folder')
    .option('--keys', 'copy the private keys too: whoever has them can sign as this log')
  act(archive, async (options, out) => (await import('./log.ts')).archive(options, out))

  const restore = place(add(log, 'restore', 'make a data folder of an archive, after checking it'))
    .requiredOption('--from <folder>', 'an archive')
    .addOption(trustOption())
    .option('--expect <file>', 'a known checkpoint: refuse an archive from before it')
  act(restore, async (options, out) => (await import('./log.ts')).restore(options, out))

  const reconstruct = place(
    add(log, 'reconstruct', 'what happened to a lease, from the log alone; an archive will do'),
  )
    .argument('<lease>', 'the lease: 32 hexadecimal digits')
    .addOption(anchorOption())
  act(reconstruct, async (options, out, lease) =>
    (await import('./reconstruct.ts')).reconstruct(options, out, lease),
  )

  const compact = place(add(log, 'compact', 'write the database anew; the server is stopped'))
  act(compact, async (options, out) => (await import('./log.ts')).compact(options, out))
}

function addQueryOptions(query: Command): void {
  query
    .addOption(new Option('--url <base>', 'ask a running server').conflicts(['data', 'config']))
    .option('--token-file <file>', 'with --url: a bearer token, - for standard input')
    .option('--id <id...>', 'decisions by id')
    .option('--action <name...>', 'actions, or access.* for all of a plugin')
    .option('--reason <code...>', 'reason codes')
    .option('--rule <name...>', 'rules that gave a reason')
    .option('--policy <digest>', 'the policy that decided')
    .addOption(new Option('--allowed', 'only what was allowed').conflicts('denied'))
    .option('--denied', 'only what was denied')
    .addOption(new Option('--since <time>', 'ISO 8601, included').argParser(instant))
    .addOption(new Option('--until <time>', 'ISO 8601, not included').argParser(instant))
    .option('--from <index>', 'the first leaf')
    .option('--to <index>', 'the leaf after the last one')
    .option('--fields <name...>', "what to open: '*', request, payload, verdict, output, 'facts.*'")
    .option('--purpose <text>', 'why; it goes on record')
    .addOption(new Option('--limit <number>', 'at most (default: 100)').argParser(whole(1, 256)))
}
