/**
 * Cells at start: their keys are made and enrolled, the controller is pinned, tenants and peers are registered, resources are there. Each is
 * a decision like any other; what stands already is asked about and not decided again. Then what leases and tokens need beside decisions:
 * resource drivers, neighbours, sweeps.
 */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { fromBase64, toBase64url } from '../core/crypto.ts'
import { ConfigError, KernelError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import type { Kernel, Submission } from '../core/kernel.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Custody, KeyScope } from '../core/ports/custody.ts'
import type { Outbound } from '../core/ports/outbound.ts'
import type { Store } from '../core/ports/store.ts'
import { Payload } from '../core/request.ts'
import type { Adapters } from './compose.ts'
import type { Cells } from './config/cells.ts'
import type { Config } from './config/complete.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

/** What acts beside a kernel: here cells; managed keys in compose-signer.ts. */
export interface CellParts {
  readonly outbound: readonly Outbound[]
  /** Once the kernel has its policy. */
  start(kernel: Kernel, parts: Started): Promise<void>
}
export interface Started {
  readonly store: Store
  readonly custody: Custody
  readonly clock: Clock
  readonly telemetry: Telemetry
}

const NEEDED = ['announce', 'capability', 'enrolment', 'lease']
const EXPIRE_MS = 1000
const FORGET_MS = 30_000

/** @throws ConfigError `invalid_config`: cells are configured, and a plugin that they need is not, or a file cannot be read */
export async function openCells(adapters: Adapters): Promise<CellParts> {
  const { config } = adapters
  const plugins = new Set(config.plugins.map(({ name }) => name))
  const missing = NEEDED.filter((name) => !plugins.has(name))
  if (missing.length === NEEDED.length && !hasCells(config))
    return { outbound: [], start: async () => undefined }
  if (missing.length > 0)
    throw new ConfigError('invalid_config', `cells need the plugins ${missing.join(', ')}`)
  await checkFiles(config)
  const late = new LateKernel()
  const peers = await openPeers(adapters, late)
  const { createDrivers } = await import('./outbound/driver/index.ts')
  const drivers = Object.entries(config.cells).map(([cell, { driver }]) => [cell, driver] as const)
  return {
    outbound: [
      createDrivers({ drivers: Object.fromEntries(drivers), kernel: late }),
      ...peers.outbound,
    ],
    async start(kernel, parts) {
      await enrolCells(kernel, parts.custody, config)
      late.use(kernel)
      await startSweeps(adapters, kernel, parts)
      await peers.pull(parts.telemetry)
    },
  }
}

/** Files that are read when another one is called: one that is not there would look as if nobody answered. */
async function checkFiles({ cells, peers }: Cells): Promise<void> {
  const files = [
    ...Object.entries(cells).map(([cell, { driver }]) => {
      const path = driver === 'none' ? undefined : driver.tokenFile
      return [`cells.${cell}.driver.tokenFile`, path] as const
    }),
    ...Object.entries(peers).flatMap(([cell, { caFile, tokenFile }]) => [
      [`peers.${cell}.caFile`, caFile] as const,
      [`peers.${cell}.tokenFile`, tokenFile] as const,
    ]),
  ]
  for (const [member, path] of files)
    if (path !== undefined)
      await access(path, constants.R_OK).catch(() => {
        throw new ConfigError('invalid_config', `"${member}": the file ${path} cannot be read`)
      })
}

function hasCells({ cells, controller, datagrams, peers, tenants }: Config): boolean {
  const named = [cells, peers, tenants].some((each) => Object.keys(each).length > 0)
  return named || controller !== undefined || datagrams !== undefined
}

/** For adapters that are made before the kernel: they wait until it serves, so that nothing is denied for want of a policy. */
export class LateKernel implements Pick<Kernel, 'check' | 'decide'> {
  readonly #kernel = Promise.withResolvers<Kernel>()

  use(kernel: Kernel): void {
    this.#kernel.resolve(kernel)
  }

  async decide(...asked: Parameters<Kernel['decide']>): ReturnType<Kernel['decide']> {
    return (await this.#kernel.promise).decide(...asked)
  }

  async check(...asked: Parameters<Kernel['check']>): ReturnType<Kernel['check']> {
    return (await this.#kernel.promise).check(...asked)
  }
}

interface PeerParts {
  readonly outbound: readonly Outbound[]
  pull(telemetry: Telemetry): Promise<void>
}

async function openPeers(adapters: Adapters, late: LateKernel): Promise<PeerParts> {
  const { cells, peers, pullMs } = adapters.config
  const { createPeers, createRevoking, keepPulling } = await import('./outbound/peers/index.ts')
  let onGap = (_cell: string): void => undefined
  const clock = await adapters.get('clock')
  const told = createPeers({ clock, peers, onGap: (cell) => onGap(cell) })
  adapters.onClose(() => told.close())
  return {
    outbound: [told, createRevoking({ cells: Object.keys(cells), kernel: late })],
    async pull({ log }) {
      const onState = (source: string, code: string | undefined): void =>
        log?.write(code === undefined ? 'info' : 'warn', 'peer', { source, code: code ?? 'heard' })
      const pulling = keepPulling({ everyMs: pullMs, kernel: late, onState, peers })
      adapters.onClose(() => pulling.close())
      onGap = (of) => pulling.soon(of)
    },
  }
}

async function startSweeps(
  adapters: Adapters,
  kernel: Kernel,
  { clock, store, telemetry }: Started,
): Promise<void> {
  const { keepExpiry } = await import('./sweep/expiry.ts')
  const { keepForgetting } = await import('./sweep/forgetting.ts')
  const onError = (event: 'expiry_failed' | 'sweep_failed') => (error: unknown) => {
    const code = error instanceof KernelError ? error.code : 'unavailable'
    telemetry.log?.write('warn', event, { code })
  }
  for (const sweeper of [
    keepExpiry({ clock, everyMs: EXPIRE_MS, kernel, onError: onError('expiry_failed'), store }),
    keepForgetting({ clock, everyMs: FORGET_MS, kernel, onError: onError('sweep_failed'), store }),
  ])
    adapters.onClose(() => sweeper.close())
}

/** @throws ConfigError `invalid_config`: the policy refuses it; CustodyError */
async function enrolCells(kernel: Kernel, custody: Custody, config: Cells): Promise<void> {
  const { cells, controller, peers, tenants } = config
  if (controller !== undefined) {
    const { earlier, ...key } = await keyOf(custody, 'controller', 'controller', controller)
    await settle(kernel, 'enrolment.pin-controller', key, 'controller', earlier)
  }
  for (const [cell, { resources }] of Object.entries(cells)) {
    const { earlier, ...key } = await keyOf(custody, 'cell', cell, 'own')
    await settle(kernel, 'enrolment.bind-cell', { cell, ...key }, `cells.${cell}`, earlier)
    for (const resource of resources)
      await settle(kernel, 'lease.add-resource', { cell, resource }, `cells.${cell}.resources`)
  }
  for (const [cell, { key }] of Object.entries(peers))
    await settle(
      kernel,
      'enrolment.bind-cell',
      { cell, public_key: normal(key) },
      `peers.${cell}.key`,
    )
  for (const [tenant, written] of Object.entries(tenants)) {
    const { earlier, ...key } = await keyOf(custody, 'tenant', tenant, written)
    const verification = { by: 'operator', reference: 'configuration' }
    const payload = { tenant, verification, ...key }
    await settle(kernel, 'enrolment.register-tenant', payload, `tenants.${tenant}`, earlier)
  }
}

interface NamedKey {
  readonly public_key: string
  /** Where the private half is in this custody. */
  readonly custody?: string
  /** What other versions it has there: the key takes the place of the one that is enrolled. */
  readonly earlier: readonly string[]
}

async function keyOf(
  custody: Custody,
  scope: KeyScope,
  name: string,
  written: string,
): Promise<NamedKey> {
  if (written !== 'own') return { earlier: [], public_key: normal(written) }
  const known = (await custody.list(scope)).filter((key) => key.name === name)
  const active =
    known.findLast(({ state }) => state === 'active') ??
    (await custody.transition(
      // Cells, controllers and tenants sign with Ed25519 alone, whatever this custody makes by default.
      known.findLast(({ state }) => state === 'pre-active') ??
        (await custody.create(scope, name, 'ed25519')),
      'active',
    ))
  const earlier = known.filter(({ version }) => version < active.version)
  return {
    custody: name,
    earlier: earlier.map(({ publicKey }) => toBase64url(publicKey)),
    public_key: toBase64url(active.publicKey),
  }
}

/** In base64url, as records have it. */
function normal(key: string): string {
  const bytes = fromBase64(key)
  return bytes === undefined ? key : toBase64url(bytes)
}

/** Reasons of an allow that changes nothing. */
const STANDS: ReadonlySet<string> = new Set(['resource_known', 'unchanged'])

/** `earlier`: keys of which one may have to be replaced. */
async function settle(
  kernel: Kernel,
  action: string,
  payload: { readonly [member: string]: Json },
  member: string,
  earlier: readonly string[] = [],
): Promise<void> {
  let why = ''
  for (const replaced of [{}, ...earlier.map((replaces) => ({ replaces }))]) {
    const submission: Submission = {
      action,
      payload: Payload.fromJson({ ...payload, ...replaced }),
    }
    const { allow, reasons } = await kernel.check(submission)
    if (allow && reasons.some(({ code }) => STANDS.has(code))) return
    const decided = allow ? await kernel.decide(submission) : { allow, reasons }
    if (decided.allow) return
    why ||= decided.reasons.map(({ code }) => code).join(', ')
  }
  throw new ConfigError('invalid_config', `"${member}": ${action} is refused: ${why}`)
}
