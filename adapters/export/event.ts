/**
 * One decision as a receiver sees it, in the members of OPA's decision log events, so that masking rules written for OPA apply. Without
 * openings it holds what the leaf holds, which anyone may see.
 *
 * @see https://www.openpolicyagent.org/docs/management-decision-logs
 */
import { decisionKey, decodeStored } from '../../core/decision.ts'
import type { Json } from '../../core/json.ts'
import type { DecisionLeaf } from '../../core/log/leaves.ts'
import type { Openings } from '../../core/log/receipt.ts'
import type { Store } from '../../core/ports/store.ts'

export interface LogEvent {
  readonly labels: Readonly<Record<string, string>>
  readonly decision_id: string
  readonly bundles: { readonly assay: { readonly revision: string } }
  /** The action, with `/` for `.`, as OPA writes paths. */
  readonly path: string
  readonly input?: Json
  readonly result?: Json
  readonly requested_by?: string
  /** RFC 3339. */
  readonly timestamp: string
  /** JSON pointers of what a rule took out, or put something else in its place. */
  readonly erased?: readonly string[]
  readonly masked?: readonly string[]
  readonly custom: {
    readonly action: string
    readonly allow: boolean
    readonly log_index: string
    readonly policy: string
    readonly reasons: readonly { readonly code: string; readonly rule: string }[]
    readonly mode?: 'development'
  }
}

export interface EventOptions {
  readonly labels: Readonly<Record<string, string>>
  /** Fields whose openings go out too. */
  readonly openings: readonly string[]
}

export async function eventOf(
  leaf: DecisionLeaf,
  index: bigint,
  store: Store,
  { labels, openings }: EventOptions,
): Promise<LogEvent> {
  const opened = openings.length === 0 ? {} : await openingsOf(leaf.id, store)
  const value = (field: string): Json | undefined => {
    const opening = openings.includes(field) ? opened[field] : undefined
    return opening && (JSON.parse(opening.json) as Json)
  }
  const input = inputOf(value, openings)
  const { action, allow, policy, reasons, mode } = leaf
  const requestedBy = peerOf(value('request'))
  return {
    labels,
    decision_id: leaf.id,
    bundles: { assay: { revision: leaf.revision } },
    path: action.replaceAll('.', '/'),
    ...(input === undefined ? {} : { input }),
    result: value('output') ?? value('verdict') ?? { allow },
    ...(requestedBy === undefined ? {} : { requested_by: requestedBy }),
    timestamp: new Date(leaf.time * 1000).toISOString(),
    custom: { action, allow, log_index: index.toString(), policy, reasons, ...(mode && { mode }) },
  }
}

/** Erased ones are not there any more; nothing is wrong then. */
async function openingsOf(id: string, store: Store): Promise<Openings> {
  const row = await store.get(decisionKey(id))
  return (row && decodeStored(row.value).openings) ?? {}
}

function inputOf(
  value: (field: string) => Json | undefined,
  openings: readonly string[],
): Json | undefined {
  const input: Record<string, Json> = {}
  const payload = value('payload')
  if (payload !== undefined) input.payload = parsedPayload(payload)
  const request = value('request')
  if (request !== undefined) input.request = request
  for (const field of openings) {
    const fact = field.startsWith('facts.') ? value(field) : undefined
    if (fact !== undefined) input[field] = fact
  }
  return Object.keys(input).length === 0 ? undefined : input
}

/** The payload was committed to as a text; most are JSON, and rules want to see into them. */
function parsedPayload(payload: Json): Json {
  if (typeof payload !== 'string') return payload
  try {
    return JSON.parse(payload) as Json
  } catch {
    return payload
  }
}

function peerOf(request: Json | undefined): string | undefined {
  const { peer } = (request ?? {}) as { peer?: { id?: string; kind?: string } }
  return peer && `${peer.kind}:${peer.id}`
}
