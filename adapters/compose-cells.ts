/**
 * Cells at start: their keys are made and enrolled, the controller is pinned, tenants and peers are registered, resources are there. Each is
 * a decision like any other; what stands already is asked about and not decided again.
 */
import { fromBase64, toBase64url } from '../core/crypto.ts'
import { ConfigError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import type { Kernel, Submission } from '../core/kernel.ts'
import type { Custody, KeyScope } from '../core/ports/custody.ts'
import { Payload } from '../core/request.ts'
import type { Cells } from './config/cells.ts'

/** @throws ConfigError `invalid_config`: the policy refuses it; CustodyError */
export async function enrolCells(kernel: Kernel, custody: Custody, config: Cells): Promise<void> {
  const { cells, controller, peers, tenants } = config
  if (controller !== undefined) {
    const key = await keyOf(custody, 'controller', 'controller', controller)
    await settle(kernel, 'enrolment.pin-controller', { how: 'pinned', ...key })
  }
  for (const [cell, { resources }] of Object.entries(cells)) {
    const key = await keyOf(custody, 'cell', cell, 'own')
    await settle(kernel, 'enrolment.bind-cell', { cell, ...key })
    for (const resource of resources) await settle(kernel, 'lease.add-resource', { cell, resource })
  }
  for (const [cell, { key }] of Object.entries(peers))
    await settle(kernel, 'enrolment.bind-cell', { cell, public_key: normal(key) })
  for (const [tenant, written] of Object.entries(tenants)) {
    const key = await keyOf(custody, 'tenant', tenant, written)
    const verification = { by: 'operator', reference: 'configuration' }
    await settle(kernel, 'enrolment.register-tenant', { tenant, verification, ...key })
  }
}

interface NamedKey {
  readonly public_key: string
  /** Where the private half is in this custody. */
  readonly custody?: string
}

async function keyOf(
  custody: Custody,
  scope: KeyScope,
  name: string,
  written: string,
): Promise<NamedKey> {
  if (written !== 'own') return { public_key: normal(written) }
  const known = (await custody.list(scope)).filter((key) => key.name === name)
  const active =
    known.findLast(({ state }) => state === 'active') ??
    (await custody.transition(
      known.findLast(({ state }) => state === 'pre-active') ?? (await custody.create(scope, name)),
      'active',
    ))
  return { custody: name, public_key: toBase64url(active.publicKey) }
}

/** In base64url, as records have it. */
function normal(key: string): string {
  const bytes = fromBase64(key)
  return bytes === undefined ? key : toBase64url(bytes)
}

/** Reasons of an allow that changes nothing. */
const STANDS: ReadonlySet<string> = new Set(['resource_known', 'unchanged'])

async function settle(
  kernel: Kernel,
  action: string,
  payload: { readonly [member: string]: Json },
): Promise<void> {
  const submission: Submission = { action, payload: Payload.fromJson(payload) }
  const { allow, reasons } = await kernel.check(submission)
  if (allow && reasons.some(({ code }) => STANDS.has(code))) return
  const decided = allow ? await kernel.decide(submission) : { allow, reasons }
  if (decided.allow) return
  const why = decided.reasons.map(({ code }) => code).join(', ')
  throw new ConfigError('invalid_config', `${action} of the configuration is refused: ${why}`)
}
