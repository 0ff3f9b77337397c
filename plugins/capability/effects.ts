/** What Rego may ask for: a use is counted, a proof is remembered, cells tell each other, and what is over is forgotten. */
import { fromHex, toBase64url } from '../../core/crypto.ts'
import { effectKind } from '../../core/effect-kind.ts'
import type { Json } from '../../core/json.ts'
import type { EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { callMessage, NAME } from '../../formats/call/index.ts'
import { nonceKey, reportedKey, spentKey } from './keys.ts'
import type { Kept, SpentRecord } from './records.ts'
import { members } from './schema.ts'

const { literal, object, string } = schema
const { count, counter, handle, id, keys, seconds } = members

const spend = effectKind(
  object({
    amount: count,
    counter,
    kind: literal('capability.spend'),
    since: seconds,
    until: seconds,
  }),
  ({ amount, counter, since, until }) => ({
    writes: [put(spentKey(counter), { amount, since, until })],
  }),
)

const remember = effectKind(
  object({ id, kind: literal('capability.remember'), until: seconds }),
  ({ id, until }) => ({ writes: [put(nonceKey(id), { until })] }),
)

/** A signed call to the kernel of the cell that the token names. Its nonce is this decision's id. */
const alert = effectKind(
  object({
    at: NAME,
    cell: NAME,
    handle,
    key: string({ maxLength: 63 }),
    kind: literal('capability.alert'),
    until: seconds,
  }),
  ({ at, cell, handle, key, until }, { decisionId, now }) => {
    const body = { at, cell, handle, time: now }
    const nonce = toBase64url(fromHex(decisionId) as Uint8Array)
    const call = { cell: at, nonce, time: now }
    const message = callMessage({ action: 'capability.report', body, ...call })
    return {
      writes: [put(reportedKey(handle, at), { until })],
      signatures: [{ name: 'report', scope: 'cell', key, purpose: 'cell.call', message }],
      outbox: [{ kind: 'capability.report', body: { body, call, cell }, signatures: ['report'] }],
    }
  },
  true,
)

const hear = effectKind(
  object({ at: NAME, handle, kind: literal('capability.hear'), until: seconds }),
  ({ at, handle, until }) => ({ writes: [put(reportedKey(handle, at), { until })] }),
)

const forget = effectKind(object({ keys, kind: literal('capability.forget') }), ({ keys }) => ({
  writes: keys.map((remove) => ({ remove })),
  output: { forgotten: keys.length },
}))

export const capabilityEffects: EffectTable = {
  'capability.alert': alert,
  'capability.forget': forget,
  'capability.hear': hear,
  'capability.remember': remember,
  'capability.spend': spend,
}

function put(sort: string, record: Kept | SpentRecord): { put: string; value: Json } {
  return { put: sort, value: { ...record } }
}
