/** What Rego may ask for: a task is signed, its report closes it, a set is taken, a task is used up, a root comes or goes. None may run on a deny. */

import { toBase64 } from '../../core/base64.ts'
import { sha256TextBase64url } from '../../core/crypto.ts'
import { effectKind } from '../../core/effect-kind.ts'
import type { Json } from '../../core/json.ts'
import type { EffectContext, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { pae } from '../../formats/dsse/index.ts'
import {
  type KnownSets,
  remember,
  TASK_PAYLOAD_TYPE,
  taskPayload,
  verifierSetSchema,
} from '../../formats/task/index.ts'
import { ROOTS, SET, sentRecord, TASK_PURPOSE, TASK_SCOPE, usedRecord } from './keys.ts'
import type { UsedRecord } from './received.ts'
import { MAX_ROOTS, MAX_USED, members } from './schema.ts'

const { boolean, integer, literal, object, string } = schema
const { nodeName, params, publicKey, ttl, type, typeVersion } = members

interface Signing {
  readonly key: string
  readonly key_version: number
  readonly kid: string
  readonly node_id: string
  readonly params: { readonly [name: string]: Json }
  readonly ttl: number
  readonly type: string
  readonly version: number
}

/** Seconds; more than kernels on one store may be apart. */
const CLOCKS_DIFFER = 60

export const taskEffects: EffectTable = {
  'task.close': effectKind(
    object({ kind: literal('task.close'), task_id: nodeName }),
    ({ task_id }) => ({ writes: [{ remove: sentRecord(task_id) }] }),
  ),
  'task.sign': effectKind(
    object({
      ...{ kind: literal('task.sign'), node_id: nodeName, params, ttl, type },
      key: string({ maxLength: 63 }),
      key_version: integer({ min: 0 }),
      kid: string({ maxLength: 16 }),
      version: typeVersion,
    }),
    signing,
  ),
  'task.take': effectKind(
    object({
      digest: string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ }),
      document: verifierSetSchema,
      kind: literal('task.take'),
    }),
    ({ digest, document }, { read }) => {
      const known = read(SET) as unknown as KnownSets | undefined
      return {
        output: { version: document.version },
        writes: [{ put: SET, value: remember(document, digest, known) as unknown as Json }],
      }
    },
  ),
  'task.trust': effectKind(
    object({ kind: literal('task.trust'), root: publicKey, trusted: boolean() }),
    ({ root, trusted }, { read }) => {
      const others = ((read(ROOTS) ?? []) as readonly string[]).filter((one) => one !== root)
      const value = trusted ? [...others, root] : others
      if (value.length > MAX_ROOTS) throw new RangeError('too many roots')
      return { writes: [{ put: ROOTS, value }] }
    },
  ),
  'task.use': effectKind(
    object({
      expires_at: integer({ min: 0 }),
      kind: literal('task.use'),
      node_id: nodeName,
      task_id: nodeName,
    }),
    ({ expires_at, node_id, task_id }, { now, read }) => {
      const used = (read(usedRecord(node_id)) ?? []) as unknown as UsedRecord
      // What is over is refused for that, once it is over by everybody's clock.
      const open = used.filter(([, end]) => end + CLOCKS_DIFFER > now)
      if (open.length >= MAX_USED) throw new RangeError('too many tasks at once')
      return { writes: [{ put: usedRecord(node_id), value: [...open, [task_id, expires_at]] }] }
    },
  ),
}

/** The task gets the id of the decision, which nobody can have used, and a nonce that follows from it. */
function signing(asked: Signing, { decisionId, now }: EffectContext): EffectPlan {
  const {
    key,
    key_version,
    kid,
    node_id,
    params: given,
    ttl: lifetime,
    type: kind,
    version,
  } = asked
  const expires_at = now + lifetime
  const payload = taskPayload({
    type: kind,
    version,
    task_id: decisionId,
    node_id,
    issued_at: now,
    expires_at,
    nonce: sha256TextBase64url(`nonce ${decisionId}`).slice(0, 24),
    params: given,
  })
  return {
    output: {
      expires_at,
      ...(kid !== '' && { keyid: kid }),
      payload: toBase64(payload),
      payloadType: TASK_PAYLOAD_TYPE,
      task_id: decisionId,
    },
    signatures: [
      {
        ...{ key, name: 'signature', purpose: TASK_PURPOSE, scope: TASK_SCOPE },
        ...(key_version > 0 && { version: key_version }),
        message: pae(TASK_PAYLOAD_TYPE, payload),
      },
    ],
    writes: [{ put: sentRecord(decisionId), value: { expires_at, node_id, type: kind } }],
  }
}
