/** A platform with managed keys that enrols nodes: signer, tasks and bootstrap in one kernel, certificates of two CAs. */

import { fromBase64url, sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Custody } from '../../core/ports/custody.ts'
import { createEnvelope, signedEnvelope } from '../../formats/dsse/index.ts'
import {
  type Anchor,
  createToken,
  type TrustKind,
  tokenHash,
  tokenText,
} from '../../formats/trust/index.ts'
import { bootstrap } from '../../plugins/bootstrap/facts.ts'
import { task } from '../../plugins/task/facts.ts'
import { ROOT, type Signing, signing, TASK } from '../signer/kit.ts'

export const BOOTSTRAP = { name: 'bootstrap-root', scope: 'bootstrap' } as const
export const CONTROL_PLANE = 'https://127.0.0.1:8443'

export interface Enrolling {
  readonly place: Signing
  /** Public keys, base64url. */
  readonly bootstrapRoot: string
  readonly verifierRoot: string
  /** Allowed or not, then the reasons' codes. */
  publish(
    trust: TrustKind,
    anchors: readonly Anchor[],
    reason?: string,
  ): Promise<readonly unknown[]>
  /** The document as it was signed last. */
  document(trust: TrustKind): Promise<string>
  /** A token's text. */
  issue(nodeId: string): Promise<string>
  /** What a node gets for it: JSON, or the reason against it. */
  fetch(nodeId: string, secret: string): Promise<string>
  /** The newest verifier set, as JSON. */
  set(): Promise<string>
}

export async function enrolling(custody: Custody): Promise<Enrolling> {
  const place = await signing({ custody, plugins: [task as Plugin, bootstrap as Plugin] })
  for (const key of [ROOT, BOOTSTRAP, TASK]) await place.ask('signer.create', key)
  await place.settled()
  for (const key of [ROOT, BOOTSTRAP]) await place.ask('signer.activate', { ...key, version: 1 })
  await place.settled()
  await place.ask('signer.activate', { ...TASK, version: 1 })
  await place.settled()
  const publicKey = async (key: { name: string; scope: string }): Promise<string> =>
    (await place.key(key)).versions[0]?.public_key ?? ''
  const bootstrapRoot = await publicKey(BOOTSTRAP)
  return {
    ...{ bootstrapRoot, place, verifierRoot: await publicKey(ROOT) },
    publish: (trust, anchors, reason) =>
      place.ask('bootstrap.publish', {
        ...{ anchors: anchors.map((one) => ({ ...one })), trust },
        ...(reason !== undefined && { reason }),
      }),
    async document(trust) {
      const record = (await place.record('bootstrap', `trust/${trust}`)) as never as {
        readonly keyid: string
        readonly payload: string
        readonly payloadType: string
        readonly signatures: { readonly signature: string }
      }
      return JSON.stringify(signedEnvelope({ ...record, ...record.signatures }))
    },
    async issue(node_id) {
      const root = sha256Hex(fromBase64url(bootstrapRoot) ?? new Uint8Array())
      const token = createToken({ control_plane: CONTROL_PLANE, node_id, root })
      const asked = { node_id, token_hash: tokenHash(token.secret) }
      const { allow, reasons } = await place.decide('bootstrap.issue', asked)
      if (!allow) throw new Error(`not issued: ${reasons[0]?.code}`)
      return tokenText(token)
    },
    async fetch(node_id, secret) {
      const anybody = { kind: 'anonymous', id: 'anonymous' }
      const decision = await place.decide('bootstrap.fetch', { node_id, secret }, anybody)
      const { allow, output, reasons } = decision
      return allow ? JSON.stringify(output as Json) : (reasons[0]?.code ?? 'none')
    },
    async set() {
      return JSON.stringify(createEnvelope((await place.set()).envelope))
    },
  }
}
