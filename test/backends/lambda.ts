/**
 * AWS Lambda: the runtime interface emulator that AWS ships inside its SAM command line, and a runtime of our own that speaks its Runtime API. Where it is
 * unfaithful: an error of the function is HTTP 200 with the error as the body and without a header, and so is a time-out; answers over 6 MB are
 * cut off instead of refused.
 */
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NODE } from '../installed.ts'
import { freePort } from '../proxies.ts'
import { fetched, folder } from '../tools.ts'
import { type Running, startServer, stop } from './shared.ts'

const run = promisify(execFile)
const VERSION = '1.170.0'
const RUNTIME = join(import.meta.dirname, 'lambda', 'runtime.mjs')

/** The emulator's path, out of the PyPI package; nothing of that is installed. @throws without pip */
export async function installLambda(): Promise<string> {
  const bin = folder(`lambda-rie-${VERSION}`)
  const name = process.arch === 'arm64' ? 'arm64' : 'x86_64'
  const path = join(bin, 'samcli', 'local', 'rapid', `aws-lambda-rie-${name}`)
  return await fetched(path, bin, async (into) => {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps']
    await run('python3', [...pip, '--dest', into, `aws-sam-cli==${VERSION}`])
    const [wheel = ''] = readdirSync(into).filter((file) => file.endsWith('.whl'))
    const only = `import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); [z.extract(n, sys.argv[2]) for n in z.namelist() if '/rapid/aws-lambda-rie' in n]`
    await run('python3', ['-c', only, join(into, wheel), into])
    chmodSync(join(into, 'samcli', 'local', 'rapid', `aws-lambda-rie-${name}`), 0o755)
  })
}

const CFN_LINT = '1.58.0'

/** AWS's own checker of CloudFormation and SAM templates, which asks nobody: its Python and its program. @throws without Python and pip */
export async function installCfnLint(): Promise<readonly [python: string, program: string]> {
  const venv = folder(`cfn-lint-${CFN_LINT}`)
  const ready = await fetched(join(venv, 'ready'), venv, async (into) => {
    await run('python3', ['-m', 'venv', '--clear', into])
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    await run(join(into, 'bin', 'python'), [...install, `cfn-lint==${CFN_LINT}`])
    writeFileSync(join(into, 'ready'), '')
  })
  return [join(ready, '..', 'bin', 'python'), join(ready, '..', 'bin', 'cfn-lint')]
}

export interface LambdaSetting {
  /** An ES module with an export `handler`. */
  readonly module: string
  /** An empty folder of its own. */
  readonly place: string
  /** Default: our runtime with {@link module} on this Node. */
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Default 10. */
  readonly timeoutSeconds?: number
  /** Executables that run beside the function; Lambda looks for them in /opt/extensions. Needs root, for a mount of its own. */
  readonly extensions?: string
}

export interface RunningLambda extends Running {
  /** Sends an event and gives the answer, parsed; the function's error, where it has one. */
  invoke(event: unknown): Promise<unknown>
  readonly logFile: string
  stop(): void
}

/** One function in an environment of its own; it begins with the first event. The caller stops it. */
export async function startLambda(setting: LambdaSetting): Promise<RunningLambda> {
  const { command, env, extensions, module, place, timeoutSeconds = 10 } = setting
  const rie = await installLambda()
  const [port, api] = [await freePort(), await freePort()]
  const own = ['--log-level', 'error', '--runtime-interface-emulator-address', `127.0.0.1:${port}`]
  const runtime = command ?? [NODE, RUNTIME, module]
  const args = [...own, '--runtime-api-address', `127.0.0.1:${api}`, ...runtime]
  const logFile = join(place, 'log')
  const { pid } = await startServer({
    ...(extensions === undefined
      ? { command: rie, args }
      : mounted(extensions, place, [rie, ...args])),
    cwd: place,
    env: {
      AWS_LAMBDA_FUNCTION_NAME: 'assay',
      AWS_LAMBDA_FUNCTION_TIMEOUT: String(timeoutSeconds),
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...env,
    },
    logFile,
    // Any path but that of an invocation.
    ready: async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 404,
  })
  const url = `http://127.0.0.1:${port}/2015-03-31/functions/function/invocations`
  return {
    pid,
    logFile,
    invoke: async (event) => {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(event) })
      const text = await response.text()
      try {
        return JSON.parse(text)
      } catch {
        return { errorMessage: text }
      }
    },
    stop: () => stop({ pid }),
  }
}

/** Lambda knows one place for extensions: it is put there for these processes alone. */
function mounted(extensions: string, place: string, command: readonly string[]) {
  const opt = join(place, 'opt')
  mkdirSync(opt)
  const script =
    'mkdir -p "$1/extensions" && mount --bind "$1" /opt && cp "$2"/* /opt/extensions/ && shift 2 && exec "$@"'
  return { command: 'unshare', args: ['-m', 'sh', '-c', script, 'sh', opt, extensions, ...command] }
}
