/** The plugin `capability`: whether a token permits an operation, here and now. See README.md. */
import { canonicalJson, isSorted } from '../../core/canonical.ts'
import { JsonError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { type Call, callerOf, NO_CALLER, openCall } from '../../formats/call/index.ts'
import { capabilityEffects } from './effects.ts'
import { cellKey, nonceKey, reportedKey } from './keys.ts'
import { proofOf } from './proof.ts'
import type { CellRecord, Kept } from './records.ts'
import {
  actions,
  type CapabilityFacts,
  capabilitySchema,
  type Operation,
  payloads,
  type Report,
  type UsePayload,
} from './schema.ts'
import { NO_STATE, State } from './state.ts'
import { verifiedToken } from './token.ts'

const NOTHING: CapabilityFacts = {
  caller: NO_CALLER,
  claimed: {},
  payload: { check: 'valid' },
  proof: { check: 'absent' },
  report: {},
  state: NO_STATE,
  sweep: { records: [] },
  token: { check: 'absent' },
}

async function facts(
  request: Request,
  read: ReadPorts,
  now: UnixSeconds,
  signal: AbortSignal,
): Promise<CapabilityFacts> {
  signal.throwIfAborted()
  const opened = open(request)
  if ('problem' in opened)
    return { ...NOTHING, payload: { check: 'malformed', problem: opened.problem } }
  const { body, call } = opened
  if (request.action === 'capability.use') return use(body as unknown as UsePayload, read, signal)
  if (request.action === 'capability.sweep')
    return sweep((body as unknown as { readonly keys: readonly string[] }).keys, read, signal)
  return report(body as unknown as Report, call, read, now, signal)
}

/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 512

/** Strict JSON in the form that the action expects; of a report, what its call is about. */
function open({
  action,
  payload,
}: Request): { readonly body: Json; readonly call?: Call } | { readonly problem: string } {
  try {
    const value = payload.json()
    const opened = action === 'capability.report' ? openCall(value) : { body: value }
    if ('problem' in opened) return opened
    const problem = payloads[action]?.problem(opened.body, '')
    return problem === undefined ? opened : { problem: problem.slice(0, MAX_PROBLEM) }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}

/** Every signature, the holder's proof among them, comes before anything that is looked up. */
async function use(
  payload: UsePayload,
  read: ReadPorts,
  signal: AbortSignal,
): Promise<CapabilityFacts> {
  const { at, operation, token: text } = payload
  const claimed = { at, operation: sorted(operation) }
  const verified = await verifiedToken(text, read)
  if (!('token' in verified)) return { ...NOTHING, claimed, token: verified }
  const proof = proofOf(verified.token, payload)
  const state = await new State(read, signal).of(verified, at)
  return {
    ...NOTHING,
    claimed,
    proof: await seen(proof, read, signal),
    state,
    token: verified.fact,
  }
}

/** The same order of members however they were written. Most are in order: only those that are not are read back from canonical JSON. */
const sorted = (operation: Operation): Operation =>
  isSorted(operation) ? operation : (JSON.parse(canonicalJson(operation)) as Operation)

async function seen(
  proof: CapabilityFacts['proof'],
  read: ReadPorts,
  signal: AbortSignal,
): Promise<CapabilityFacts['proof']> {
  const { check, id, time } = proof
  if (id === undefined || time === undefined) return proof
  signal.throwIfAborted()
  const before = (await read.get(nonceKey(id))) as unknown as Kept | undefined
  return { check, id, ...(before === undefined ? {} : { seen_until: before.until }), time }
}

async function report(
  body: Report,
  call: Call | undefined,
  read: ReadPorts,
  now: UnixSeconds,
  signal: AbortSignal,
): Promise<CapabilityFacts> {
  const own = (sort: string): Promise<Json | undefined> => {
    signal.throwIfAborted()
    return read.get(sort)
  }
  const enrolled = (sort: string): Promise<Json | undefined> => {
    signal.throwIfAborted()
    return read.getFrom('enrolment', sort)
  }
  const revoked = (sort: string): Promise<Json | undefined> => {
    signal.throwIfAborted()
    return read.getFrom('announce', sort)
  }
  const ports = { cell: enrolled, nonces: own, revoked }
  const { at, cell, handle, time } = body
  const asked = { action: 'capability.report', body: body as unknown as Json }
  const caller = await callerOf(call, asked, ports, now)
  // A call whose signature does not hold looks nothing up.
  if (caller.check !== 'valid') return { ...NOTHING, caller }
  const named =
    cell === caller.cell ? undefined : ((await enrolled(cellKey(cell))) as CellRecord | undefined)
  const known = (await own(reportedKey(handle, at))) !== undefined
  return {
    ...NOTHING,
    caller,
    report: { at, handle, known, local: named?.local ?? false, time },
  }
}

async function sweep(
  keys: readonly string[],
  read: ReadPorts,
  signal: AbortSignal,
): Promise<CapabilityFacts> {
  const records: { key: string; until: number }[] = []
  for (const key of new Set(keys)) {
    signal.throwIfAborted()
    const kept = (await read.get(key)) as unknown as Kept | undefined
    if (kept !== undefined) records.push({ key, until: kept.until })
  }
  return { ...NOTHING, sweep: { records } }
}

export const capability: Plugin<CapabilityFacts> = {
  name: 'capability',
  actions,
  schema: capabilitySchema,
  reads: ['announce', 'enrolment', 'lease'],
  effects: capabilityEffects,
  facts,
}
