/** What Rego may ask for: a key is pinned, a pin changes its state, the newest release of a family is written down. None may run on a deny. */
import { fromBase64 } from '../../core/base64.ts'
import { effectKind } from '../../core/effect-kind.ts'
import type { EffectTable } from '../../core/plugin.ts'
import { schema } from '../../core/schema.ts'
import { pinKey, publicKeyKey, versionKey } from './keys.ts'
import { members, type PinRecord } from './schema.ts'

const { literal, object, string } = schema
const { count, keyId, keyText, name } = members

export const releaseEffects: EffectTable = {
  'release.pin': effectKind(
    object(
      { key_id: keyId, kind: literal('release.pin'), lineage: keyId, public_key: keyText },
      { predecessor: keyId },
    ),
    ({ kind: _, ...pinned }, { now }) => ({
      writes: [
        { put: pinKey(pinned.key_id), value: { ...pinned, since: now, state: 'active' } },
        {
          put: publicKeyKey(publicKeyIn(pinned.public_key)),
          value: { key_id: pinned.key_id, public_key: pinned.public_key, scope: 'release' },
        },
      ],
    }),
  ),
  'release.record': effectKind(
    object(
      { family: name, kind: literal('release.record'), lineage: keyId },
      { timestamp: count, version: string({ maxLength: 128 }) },
    ),
    ({ family, kind: _, lineage, ...stated }) => ({
      writes: [{ put: versionKey(lineage, family), value: stated }],
    }),
  ),
  'release.state': effectKind(
    object(
      {
        key_id: keyId,
        kind: literal('release.state'),
        state: literal('grace', 'retired', 'revoked'),
      },
      { until: count },
    ),
    ({ key_id, state, until }, { read }) => {
      const { until: _, ...pin } = read(pinKey(key_id)) as unknown as PinRecord
      return {
        writes: [
          { put: pinKey(key_id), value: { ...pin, state, ...(until !== undefined && { until }) } },
        ],
      }
    },
  ),
}

/** The last 32 of a minisign key's 42 bytes. @throws RangeError, which makes the decision a denial */
function publicKeyIn(text: string): Uint8Array {
  const bytes = fromBase64(text)
  if (bytes?.length !== 42) throw new RangeError('this is not a minisign key')
  return bytes.subarray(10)
}
