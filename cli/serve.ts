/** `assay serve`: in the foreground until a signal, then a clean end. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Composed, Config, PolicyEvent } from '../adapters/compose.ts'
import { composeRealms } from '../adapters/compose-realms.ts'
import { startWatchdog } from '../adapters/isolation/watchdog.ts'
import { type HttpEvent, type RealmOptions, serveHttp } from '../adapters/transport/http/index.ts'
import { CompilerError } from '../core/error.ts'
import { openDatagrams } from './datagrams.ts'
import { commandName, configured, type PlaceOptions, quoted, shown } from './input.ts'
import { type ExitCode, type Out, policyName } from './out.ts'

export interface ServeOptions extends PlaceOptions {
  readonly port?: number
  readonly host?: string
  /** A folder of policies. */
  readonly shadow?: string
}

export async function serve(options: ServeOptions, out: Out): Promise<ExitCode> {
  const config = await serveConfig(options)
  const signal = firstSignal(out)
  const composed = await composeRealms(config, {
    onPolicy: (event) => tell(event, out, 'policy', 'serves'),
    onShadow: (event) => tell(event, out, 'shadow policy', 'is compared'),
    metrics: config.http.allowNonLoopback !== true,
  })
  try {
    const { own, realms } = composed
    const server = await serveHttp(own.kernel, {
      ...config.http,
      ...served(own),
      clock: own.clock,
      realms: Object.fromEntries([...realms].map(([name, one]) => [name, served(one)])),
      onEvent: (event) => tellFiles(event, out),
    })
    const { watchdogSeconds } = config
    const watchdog = watchdogSeconds > 0 ? await startWatchdog(watchdogSeconds) : undefined
    greet(server.url, own, out)
    const doors = await openDatagrams(composed, out)
    own.telemetry.log?.write('info', 'listening', { port: server.port })
    await signal
    own.telemetry.log?.write('info', 'stopping')
    await server.close()
    await doors.close()
    await watchdog?.stop()
  } finally {
    await composed.close()
  }
  return 0
}

/** One log, as a transport serves it. */
function served(composed: Composed): RealmOptions {
  const { audit, config, explaining, kernel, opa, telemetry } = composed
  const { rateLimit } = config.http
  const { operations } = telemetry
  const told = config.audit.explain ? { explain: explaining.opened.bind(explaining) } : {}
  return { kernel, seal: config.seal, operations, audit, opa, rateLimit, ...told }
}

async function serveConfig(options: ServeOptions): Promise<Config> {
  const config = await configured(options)
  const { host = config.http.host, port = config.http.port, shadow } = options
  const followed = shadow === undefined ? {} : { shadow: resolve(shadow) }
  const policies = { ...config.policies, ...followed }
  return { ...config, policies, http: { ...config.http, host, port } }
}

/** npm passes Ctrl-C on to a process that had it already, so what comes at once is not a second wish. */
const AGAIN_MS = 1000

/** Resolves with the first SIGTERM or SIGINT. The second one ends the process without waiting for anything. */
function firstSignal(out: Out): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined
    const onSignal = (): void => {
      const now = performance.now()
      first ??= now
      if (now - first > AGAIN_MS) process.exit(130)
      if (now === first)
        out.note('assay: finishing what is under way; a second signal ends at once')
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function tell(event: PolicyEvent, out: Out, what: 'policy' | 'shadow policy', does: string): void {
  const name = what.replace(' ', '_')
  if (event.kind === 'active') {
    const { digest, revision } = event
    out.event(
      { event: name, digest, revision },
      `${what} changed: ${policyName(digest, revision)} ${does} now`,
    )
    return
  }
  const { error } = event
  const problems = error instanceof CompilerError ? error.problems : []
  const lines = problems.map(
    ({ file = 'policies', row = 1, col = 1, message }) => `  ${file}:${row}:${col}: ${message}`,
  )
  const text = error instanceof Error ? error.message : String(error)
  out.event(
    { event: `${name}_refused`, message: text, problems },
    [
      `${what} not changed, the one before it still ${does}:`,
      ...(lines.length > 0 ? lines : [`  ${text}`]),
    ].join('\n'),
  )
}

function tellFiles(event: HttpEvent, out: Out): void {
  const what = event.kind.startsWith('tls') ? 'certificates' : 'secrets or keys of callers'
  if ('message' in event)
    out.event(
      { event: event.kind, message: event.message },
      `${what} not changed, the ones before them still serve: ${event.message}`,
    )
  else out.event({ event: event.kind }, `new ${what} serve now`)
}

/** Of the example state: Ada's checkpoint, on a node of her partition. */
const REQUEST = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
}

function greet(url: string, { anchorFile, config, kernel }: Composed, out: Out): void {
  const { data } = config
  const listening = { event: 'listening', url, origin: kernel.origin, data, trust: anchorFile }
  const assay = commandName()
  const from = config.file === undefined ? '' : ` --config ${quoted(shown(config.file))}`
  // In one write: whoever waits for the first line then has the rest as well.
  const text = `assay listening on ${url}
${howToAsk(url, config)}
Prove it, with the server running or stopped; ID is the X-Decision-Id of the answer:

  ${assay} receipt ID --data ${quoted(shown(data))}${from} > receipt.json
  ${assay} verify receipt.json --trust ${quoted(shown(anchorFile))}

${whatNext(config.policies)}
`
  out.event(listening, text)
}

/** Nothing where a pasted request would be refused for want of a token or a root certificate. */
function howToAsk(url: string, { http: { auth = 'none', tls } }: Config): string {
  if (auth !== 'none' || tls !== undefined) return ''
  return `
Ask for a decision, from another terminal:

  curl -i ${url}/access/v1/evaluation \\
    -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(REQUEST)}'
`
}

function whatNext({ bundle, dir, watch }: Config['policies']): string {
  if (bundle !== undefined) return 'Policies: signed bundles; GET /health/ready says which.'
  const file = join(dir, 'access', 'abac.rego')
  if (!watch) return `Policies: ${shown(dir)}; a change is in force after a restart.`
  if (!existsSync(file)) return `Policies: ${shown(dir)}; a saved change is in force at once.`
  return `Change a rule: in ${shown(file)}, where owns_workload compares the owner, write != for ==,
save, and ask again. "ada" may also try ckpt-7-0042 and ckpt-9-0003.`
}
