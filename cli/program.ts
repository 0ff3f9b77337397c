/** Every verb, argument and option in one tree: help, parsing and shell completion follow it. A verb's code is loaded when it runs. */
import { readFileSync } from 'node:fs'
import { Argument, Command, Option, type OutputConfiguration } from 'commander'
import {
  configOption,
  dataOption,
  jsonOption,
  port,
  realmOption,
  type Tree,
  trustOption,
  whole,
} from './options.ts'
import type { ExitCode, Out } from './out.ts'
import { addKey } from './program-key.ts'
import { addLog, addTrust } from './program-log.ts'
import { addPolicy } from './program-policy.ts'
import { addRelease } from './program-release.ts'
import { addSecret } from './program-secret.ts'
import { addStore } from './program-store.ts'

/** Runs a verb with what it writes to. */
export type Perform = (
  verb: (out: Out) => Promise<ExitCode>,
  options: { readonly json: boolean },
) => Promise<void>

export function createProgram(perform: Perform, output: OutputConfiguration): Command {
  const program = new Command('assay')
    .description('Decides, proves and verifies: a policy engine with a transparency log')
    .configureOutput(output)
    .exitOverride()
    .showSuggestionAfterError()
    .version(packageVersion(), '--version', 'print the version')
    .addOption(jsonOption())
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExit codes: 0 allowed, valid or done; 1 denied or invalid; 2 usage or machinery.',
    )
  const tree: Tree = {
    add(parent, name, description) {
      return parent
        .command(name)
        .description(description)
        .addOption(jsonOption())
        .helpCommand(false)
    },
    act(command, verb) {
      command.action(async () => {
        const options = command.optsWithGlobals()
        const args = command.processedArgs as never[]
        await perform((out) => verb(options as never, out, ...args), {
          json: options.json === true,
        })
      })
    },
  }
  addDeciding(program, tree)
  addReview(program, tree)
  addProving(program, tree)
  addTrust(program, tree)
  addLog(program, tree)
  addPolicy(program, tree)
  addShadow(program, tree)
  addKey(program, tree)
  addSecret(program, tree)
  addRelease(program, tree)
  addStore(program, tree)
  addRest(program, tree)
  return program
}

function addDeciding(program: Command, { add, act }: Tree): void {
  const serve = add(program, 'serve', 'serve decisions over HTTP until SIGTERM')
    .addOption(new Option('--port <number>', '0 picks a free one (default: 8180)').argParser(port))
    .option('--host <address>', 'where to listen (default: 127.0.0.1)')
    .option('--shadow <folder>', 'policies to compare with, without effect; see shadow report')
    .addOption(dataOption())
    .addOption(configOption())
  act(serve, async (options, out) => (await import('./serve.ts')).serve(options, out))

  for (const [name, description] of [
    ['decide', 'decide one request as the operator, log it, print the decision'],
    ['check', 'say what the decision would be: nothing is written but a count'],
  ] as const) {
    const verb = add(program, name, description)
      .option('--action <name>', 'the action', 'access.evaluate')
      .option('--payload <json>', 'a file, - for standard input, or JSON text', '-')
      .addOption(dataOption())
      .addOption(realmOption())
      .addOption(configOption())
    act(verb, async (options, out) => (await import('./decide.ts'))[name](options, out))
  }
}

function addReview(program: Command, { add, act }: Tree): void {
  const review = add(
    program,
    'review',
    'who can do this, and what can they do? Asked as the operator',
  )
  const verb = (name: 'what' | 'who', description: string): Command => {
    const command = add(review, name, description)
      .addOption(new Option('--limit <n>', 'in pages of so many').argParser(whole(1, 1000)))
      .addOption(dataOption())
      .addOption(realmOption())
      .addOption(configOption())
    act(command, async (options, out) => (await import('./review.ts'))[name](options, out))
    return command
  }
  verb('who', 'the subjects that can do one thing to one resource')
    .requiredOption('--action <name>', 'what they would do')
    .requiredOption('--resource <type:id>', 'to what')
    .option('--type <type>', 'of which type they are', 'user')
  verb('what', 'the actions of a subject on one resource, or the resources for some actions')
    .requiredOption('--subject <type:id>', 'who it is about')
    .addOption(new Option('--resource <type:id>', 'which actions?').conflicts(['action', 'type']))
    .option('--type <type>', 'resources of this type, with --action')
    .option('--action <name...>', 'a column each')
}

function addProving(program: Command, { add, act }: Tree): void {
  const receipt = add(
    program,
    'receipt',
    'print the receipt of a decision; the server may be stopped',
  )
    .argument('<id>', 'the decision: 32 hexadecimal digits')
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(receipt, async (options, out, id) => (await import('./receipt.ts')).receipt(options, out, id))

  const verify = add(program, 'verify', 'verify a receipt offline')
    .argument('<receipt>', 'a file, or - for standard input')
    .addOption(trustOption())
    .option('--policies <folder>', 'run this policy again on the input and compare')
    .option('--documents <file>', 'with these OPA documents: what GET /v1/data answers, as JSON')
    .addOption(configOption())
  act(verify, async (options, out, file) =>
    (await import('./verify.ts')).verify(options, out, file),
  )

  const fsck = add(program, 'fsck', 'verify a whole log')
    .addOption(dataOption().conflicts('url'))
    .addOption(realmOption().conflicts('url'))
    .option('--url <base>', 'a server, or anything that serves C2SP tlog-tiles')
    .addOption(configOption().conflicts('url'))
    .addOption(trustOption())
  act(fsck, async (options, out) => (await import('./fsck.ts')).fsck(options, out))
}

function addShadow(program: Command, { add, act }: Tree): void {
  const shadow = add(program, 'shadow', 'what another policy would decide otherwise')
  const report = add(shadow, 'report', 'differences by rule, of what serve --shadow compared')
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(report, async (options, out) => (await import('./shadow.ts')).report(options, out))
  const replay = add(shadow, 'replay', 'decide again what is in the log, and list differences')
    .requiredOption('--policies <folder>', 'the policies to decide with')
    .addOption(
      new Option('--last <number>', 'only the newest decisions').argParser(whole(1, 999_999_999)),
    )
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(replay, async (options, out) => (await import('./shadow.ts')).replay(options, out))
}

function addRest(program: Command, { add, act }: Tree): void {
  const init = add(
    program,
    'init',
    'write a starter: configuration, policies, first state',
  ).argument('[folder]', 'default: the working folder')
  act(init, async (_, out, folder) => (await import('./init.ts')).init(out, folder))

  const completion = add(
    program,
    'completion',
    'print a completion script for a shell',
  ).addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
  act(completion, async (_, out, shell) =>
    (await import('./completion.ts')).completion(program, out, shell),
  )
}

function packageVersion(): string {
  const file = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json'
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
