/** `assay policy`: the verbs for people who edit Rego. A verb's code is loaded when it runs. */
import { type Command, Option } from 'commander'
import { TOKEN_ALGORITHMS } from '../formats/bundle/algorithms.ts'
import {
  configOption,
  dataOption,
  pattern,
  percent,
  realmOption,
  type Tree,
  type Verb,
  whole,
} from './options.ts'

export function addPolicy(program: Command, tree: Tree): void {
  const policy = tree.add(program, 'policy', 'build, sign, check, test and format Rego')
  addBuild(policy, tree)
  addSign(policy, tree)
  addVerify(policy, tree)
  addDelta(policy, tree)
  addCheck(policy, tree)
  addTest(policy, tree)
  addFmt(policy, tree)
  addExplain(policy, tree)
  addDiff(policy, tree)
  addBench(policy, tree)
  addDev(policy, tree)
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

const engineOption = (): Option =>
  new Option('--engine <name>', "what evaluates tables (default: the configuration's)").choices([
    'jit',
    'wasm',
    'both',
  ])

function addBuild(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/build.ts')).build
  onFolder(policy, tree, 'build', 'compile, print the digest, write what runs', load)
    .addOption(configOption())
    .addOption(capabilitiesOption())
    .option('--entrypoint <path...>', "what is asked (default: each plugin's decision)")
    .option('--output <path>', 'write the bundle: an archive NAME.tar.gz, or a folder')
    .addOption(
      new Option('--revision <number>', 'of the bundle: above that of every one before it')
        .argParser(whole(1, 999_999_999))
        .default(1),
    )
    .option('--recorded <folder>', 'recorded requests that it must answer so before it serves')
}

function addSign(policy: Command, { act, add }: Tree): void {
  const sign = add(policy, 'sign', 'sign a bundle: as one of k policy keys, and for OPA')
    .argument('<bundle>', 'an archive or a folder')
    .option('--key <name>', 'a key of scope policy; see assay key create')
    .option('--detached <file>', 'write the line that would be added, and leave the bundle alone')
    .option('--add <file...>', 'add lines that others wrote with --detached')
    .option('--opa-key <file>', 'a private key in PEM (PKCS #8), for opa run --verification-key')
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(tokenOptions(sign), async (options, out, bundle) =>
    (await import('./policy/sign.ts')).sign(options, out, bundle),
  )
}

function addVerify(policy: Command, { act, add }: Tree): void {
  const verify = add(policy, 'verify', 'verify who signed a bundle, and that it is whole')
    .argument('<bundle>', 'an archive or a folder')
    .option('--root <vkey...>', 'policy keys that may sign, as assay policy sign tells them')
    .addOption(
      new Option('--threshold <number>', 'how many of --root must sign (default: all)').argParser(
        whole(1, 64),
      ),
    )
    .addOption(
      new Option(
        '--trust <file>',
        'instead of --root: a trust anchor with policyRoots, obtained out of band',
      ).conflicts(['root', 'threshold']),
    )
    .option('--opa-key <file>', 'a public key or certificate in PEM, for what opa sign signed')
    .option('--rebuild', 'compile its sources again and compare')
    .addOption(configOption())
  act(tokenOptions(verify), async (options, out, bundle) =>
    (await import('./policy/verify.ts')).verify(options, out, bundle),
  )
}

function addDelta(policy: Command, { act, add }: Tree): void {
  const delta = add(policy, 'delta', 'what leads from one bundle to the next, to be signed')
    .argument('<old>', 'an archive or a folder')
    .argument('<new>', 'the same rules over other documents, with a higher revision')
    .requiredOption('--output <path>', 'write the delta: an archive NAME.tar.gz, or a folder')
  act(delta, async (options, out, old, next) =>
    (await import('./policy/delta.ts')).delta(options, out, old, next),
  )
}

function tokenOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--opa-alg <name>', 'the algorithm of --opa-key')
        .choices([...TOKEN_ALGORITHMS])
        .default('RS256'),
    )
    .option('--opa-key-id <id>', 'which key it is, where verifiers have several')
    .option('--opa-scope <text>', 'what the token is for; verifiers name the same')
}

function addCheck(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/check.ts')).check
  onFolder(policy, tree, 'check', 'check strictly and lint; problems as file:row:col', load)
    .addOption(configOption())
    .addOption(capabilitiesOption())
    .option('--no-lint', 'what the compiler says, and nothing else')
}

function addTest(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/test.ts')).test
  onFolder(policy, tree, 'test', 'run test_ rules and tables of cases', load)
    .addOption(configOption())
    .addOption(capabilitiesOption())
    .option('--coverage', 'print the percentage and the lines not covered')
    .addOption(
      new Option('--threshold <percent>', 'fail below it; implies --coverage').argParser(percent),
    )
    .addOption(
      new Option('--run <regexp>', 'only tests whose package.name matches').argParser(pattern),
    )
    .option('--reasons', 'fail when no test gives some reason that the policies have')
    .addOption(engineOption())
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .option('--watch', 'again whenever a file is saved, until Ctrl-C')
}

function addExplain(policy: Command, { act, add }: Tree): void {
  const explain = add(policy, 'explain', 'which rules made a decision, and what was missing')
    .argument('[what]', 'a decision in the log; with --input a folder of policies')
    .option('--input <file>', 'explain this input instead; - for standard input')
    .option('--entrypoint <path>', "what is asked (default: the decision of the input's plugin)")
    .addOption(capabilitiesOption())
    .addOption(dataOption())
    .addOption(realmOption())
    .addOption(configOption())
  act(explain, async (options, out, what) =>
    (await import('./policy/explain.ts')).explain(options, out, what),
  )
}

function addFmt(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/fmt.ts')).fmt
  onFolder(
    policy,
    tree,
    'fmt',
    'list the files whose format differs; - formats standard input',
    load,
  )
    .addOption(new Option('--write', 'format them').conflicts('check'))
    .option('--check', 'exit with 1 when there are any')
    .option('--diff', 'show what would change')
}

function addDiff(policy: Command, { act, add }: Tree): void {
  const diff = add(policy, 'diff', 'what changed between two policies, and which verdicts flip')
    .argument('<old>', 'a folder or a bundle')
    .argument('<new>', 'a folder or a bundle')
    .option('--replay <data>', 'a data folder: decide what is in its log again, with both')
    .addOption(
      new Option('--last <number>', 'only the newest decisions').argParser(whole(1, 999_999_999)),
    )
    .option('--html <file>', 'write a page for those who sign the change off, too')
    .option('--show-inputs', 'show the input of one decision of each kind; it is personal data')
    .addOption(realmOption())
    .addOption(configOption())
  act(diff, async (options, out, old, next) =>
    (await import('./policy/diff.ts')).diff(options, out, old, next),
  )
}

function addBench(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/bench.ts')).bench
  onFolder(policy, tree, 'bench', 'evaluations a second on both engines', load)
    .option('--input <file>', 'JSON: an input, or an array of them (default: those of tables)')
    .option('--entrypoint <path>', 'what --input is for, such as assay/access/decision')
    .addOption(
      new Option('--replay <data>', 'a data folder: the inputs that are on record').conflicts(
        'input',
      ),
    )
    .addOption(
      new Option('--seconds <number>', 'for each entry point and engine')
        .argParser(whole(1, 3600))
        .default(2),
    )
    .addOption(capabilitiesOption())
    .addOption(configOption())
}

function addDev(policy: Command, tree: Tree): void {
  const load = async (): Promise<Verb> => (await import('./policy/dev.ts')).dev
  onFolder(policy, tree, 'dev', 'check and test whenever a file is saved, until Ctrl-C', load)
    .option('--url <base>', 'a running server over this folder: say whether it took the change')
    .option('--once', 'one time, for scripts')
    .addOption(capabilitiesOption())
    .addOption(configOption())
}
