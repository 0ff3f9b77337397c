/** Wire messages: what anybody can send to a door that answers nobody. */
import { canonicalJson } from '../../../core/canonical.ts'
import { ed25519Key, fromBase64url } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import {
  type Body,
  DEFLATED,
  deflate,
  draftMessage,
  HEADER_BYTES,
  MAX_INFLATED_BYTES,
  openBody,
  readFrame,
  verifyFrame,
} from '../../../formats/wire/index.ts'
import { signingKey } from '../../keys.ts'
import { announcement, frameOf, messageOf, NOW } from '../../messages.ts'
import type { Target } from '../fuzz.ts'
import { same } from './kit.ts'

const signer = signingKey('controller')
const publicKey = fromBase64url(signer.publicKey) as Uint8Array
const key = ed25519Key(publicKey)
const entries = [{ at: NOW, below: 3, id: 'l1', kind: 'lease', until: NOW + 300 }]
const bodies: readonly { readonly [member: string]: Json }[] = [
  announcement(),
  { type: 'WITHDRAW', cell: 'cell-b', service: 'gpu' },
  { type: 'REVOKE_BROADCAST', after: 0, cell: 'cell-b', entries },
  { type: 'REVOCATIONS', after: 0, cell: 'cell-b', entries, more: false, through: 9 },
  {
    type: 'DELEGATE',
    cells: ['cell-b'],
    expires: NOW + 9,
    key: signer.publicKey,
    not_before: NOW,
    types: ['ANNOUNCE'],
  },
  { type: 'UNDELEGATE', key: signer.publicKey },
]
const plain = bodies.map((body) => messageOf(signer, body))
const deflated = await Promise.all(
  plain.map(async (message) =>
    frameOf(signer, await deflate(message.subarray(HEADER_BYTES)), DEFLATED),
  ),
)
const genuine = [...plain, ...deflated]

const wire: Target = {
  name: 'wire',
  property:
    'only what was signed verifies; a body that is read is written again to the byte, and none is larger than its bound',
  files: /formats\/wire\/.+\.ts$/,
  seeds: genuine,
  tokens: [
    'AWM1',
    '"type":',
    '"ANNOUNCE"',
    '"entries":[',
    '"__proto__":',
    '9007199254740993',
    '{}',
  ],
  async check(bytes) {
    const frame = readFrame(bytes)
    if ('problem' in frame) return false
    const isGenuine = genuine.some((one) => Buffer.compare(one, bytes) === 0)
    if (verifyFrame(frame, key) !== isGenuine) throw new Error('a message that nobody signed')
    // As if it were signed: the parser must not depend on that.
    const body = await openBody(frame)
    if ('problem' in body) return false
    const text = canonicalJson(body as unknown as Json)
    if (text.length > MAX_INFLATED_BYTES) throw new Error('larger than its bound')
    const again = draftMessage(body as Body, publicKey).subarray(HEADER_BYTES)
    if (frame.flags !== DEFLATED) same(Buffer.from(again), Buffer.from(frame.untrustedBody))
    return true
  },
}

export const WIRE: readonly Target[] = [wire]
