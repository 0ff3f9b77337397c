/** Outbox entries for other kernels, as `announce` and `capability` write them. */
import { toBase64url } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import { callMessage } from '../formats/call/index.ts'
import { draftMessage, HEADER_BYTES, wireMessage } from '../formats/wire/index.ts'
import { pairOf } from './tokens.ts'

export const START_MS = 1_800_000_000_000
const NOW = START_MS / 1000
const cell = pairOf('cell-a')

/** A revocation by `cell-a`, the `seq`-th. */
export function broadcastEntry(seq = 1): Json {
  const entries = [{ at: NOW, id: `lease-${seq}`, kind: 'lease', until: NOW + 300 }] as const
  const body = { after: seq - 1, cell: 'cell-a', entries, from: 'cell-a', seq, time: NOW } as const
  const key = Buffer.from(cell.publicKey, 'base64url')
  const frame = draftMessage({ ...body, type: 'REVOKE_BROADCAST' }, key)
  const signature = cell.sign(wireMessage(0, key, frame.subarray(HEADER_BYTES)))
  return {
    cell: 'cell-a',
    signatures: { signature: toBase64url(signature) },
    unsigned: toBase64url(frame),
  }
}

/** A token of `named` was presented at `cell-a`. */
export function reportEntry(named: string, time: number = NOW): Json {
  const body = { at: 'cell-a', cell: named, handle: 'ab'.repeat(32), time }
  const call = { cell: 'cell-a', nonce: 'A'.repeat(22), time }
  const message = callMessage({ action: 'capability.report', body, ...call })
  return { body, call, cell: named, signatures: { report: toBase64url(cell.sign(message)) } }
}
