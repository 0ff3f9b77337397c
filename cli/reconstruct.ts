/** `assay log reconstruct`: what happened to one lease, from the log alone. The server may be running, and an archive will do. */
import { Adapters } from '../adapters/compose.ts'
import type { LeaseEvent } from '../adapters/trustpath/event.ts'
import type { Life } from '../adapters/trustpath/life.ts'
import { type Reconstruction, reconstruct as readLife } from '../adapters/trustpath/reconstruct.ts'
import { configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable, UsageError } from './out.ts'
import { anchorOf } from './trust.ts'

export interface ReconstructOptions extends PlaceOptions {
  readonly trust?: string
}

/** 0: log and records agree on everything, 1: they do not, or something cannot be known. */
export async function reconstruct(
  options: ReconstructOptions,
  out: Out,
  lease: string,
): Promise<ExitCode> {
  if (!/^[0-9a-f]{32}$/.test(lease))
    throw new UsageError('usage', 'a lease is named by 32 hexadecimal digits')
  const config = await configured(options)
  const adapters = new Adapters(config, { readOnly: true })
  try {
    const { anchor } = await anchorOf(config, options.trust)
    const found = await readLife({ ...(await adapters.get('store')), anchor }, lease)
    if (found === undefined)
      throw new UsageError(
        'not_found',
        `nothing about a lease ${lease} is in the log of ${config.data}`,
      )
    tell(found, out)
    return found.ok ? 0 : 1
  } finally {
    await adapters.close()
  }
}

function tell(found: Reconstruction, out: Out): void {
  const { differences, events, ok, problems, size, state, unknown } = found
  const lines = [
    ...events.flatMap(eventLines),
    ...unknown.map(
      ({ action, decision, index }) =>
        `UNKNOWN leaf ${index}, ${action} ${decision}: erased, and may have been about this lease`,
    ),
    ...problems.map(({ detail, where }) => `FAIL ${where}: ${detail}`),
    ...differences.map(
      ({ log, member, record, stored }) =>
        `FAIL record ${record}: ${member} is ${JSON.stringify(stored)}, by the log ${JSON.stringify(log)}`,
    ),
  ]
  const verdict = ok ? out.colour('green', 'agreed') : out.colour('red', 'NOT AGREED')
  const proof = `${events.length} events, under the signed head of ${size} leaves`
  const last = `${verdict}: ${proof}; ${stateText(state)}`
  out.answer(found, [...lines.map(printable), printable(last)].join('\n'))
}

function eventLines(event: LeaseEvent): readonly string[] {
  const { action, after, allow, checks, index, peer, reasons, said, time } = event
  const at = new Date(time * 1000).toISOString()
  const codes = reasons.map(({ code }) => code).join(' ')
  const by = peer === undefined ? '' : ` by ${peer.kind} ${peer.id}`
  const verdict = allow ? 'allowed' : 'denied'
  return [
    `${index} ${at} ${action}${by} ${verdict} ${codes}`,
    `    said: ${JSON.stringify(said)}`,
    `    checks: ${JSON.stringify(checks)}`,
    `    then: ${stateText(after)}`,
  ]
}

function stateText({ lease, resource }: Life): string {
  if (lease === undefined) return 'nothing is known of the lease'
  const held = `lease ${lease.state}, generation ${lease.generation}`
  const fence = resource?.fence === undefined ? '' : ` (${resource.fence.why})`
  return resource === undefined ? held : `${held}; resource ${resource.state}${fence}`
}
