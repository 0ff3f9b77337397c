/** `assay policy`: the verbs for people who edit Rego. A verb's code is loaded when it runs. */
import { type Command, Option } from 'commander'
import { configOption, percent, type Tree, type Verb } from './options.ts'

export function addPolicy(program: Command, tree: Tree): void {
  const policy = tree.add(program, 'policy', 'build, check, test and format Rego')
  addBuild(policy, tree)
  addCheck(policy, tree)
  addTest(policy, tree)
  addFmt(policy, tree)
}

/** A verb on one folder of policies. */
function onFolder(
  policy: Command,
  { act, add }: Tree,
  name: string,
  description: string,
  load: () => Promise<Verb>,
): Command {
  const command = add(policy, name, description).argument(
    '[folder]',
    'default: policies here, else what comes with assay',
  )
  act(command, async (options, out, ...args) => (await load())(options, out, ...args))
  return command
}

const capabilitiesOption = (): Option =>
  new Option('--capabilities <set>', 'the built-ins that Rego may use')
    .choices(['trust', 'compat'])
    .default('trust')

function addBuild(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/build.ts')).build
  onFolder(policy, tree, 'build', 'compile, print the digest, write what runs', load)
    .addOption(configOption())
    .addOption(capabilitiesOption())
    .option('--entrypoint <path...>', "what is asked (default: each plugin's decision)")
    .option('--output <folder>', 'write policy.wasm, plan.json and data.json')
}

function addCheck(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/check.ts')).check
  onFolder(policy, tree, 'check', 'check strictly; problems as file:row:col', load)
    .addOption(configOption())
    .addOption(capabilitiesOption())
}

function addTest(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/test.ts')).test
  onFolder(policy, tree, 'test', 'run test_ rules', load)
    .addOption(capabilitiesOption())
    .option('--coverage', 'print the percentage and the lines not covered')
    .addOption(
      new Option('--threshold <percent>', 'fail below it; implies --coverage').argParser(percent),
    )
    .option('--run <regexp>', 'only tests whose package.name matches')
}

function addFmt(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/fmt.ts')).fmt
  onFolder(policy, tree, 'fmt', 'list the files whose format differs', load)
    .addOption(new Option('--write', 'format them').conflicts('check'))
    .option('--check', 'exit with 1 when there are any')
}
