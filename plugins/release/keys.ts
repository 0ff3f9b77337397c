/** Where the plugin's records lie. */
import { toBase64url } from '../../core/base64.ts'

/** One for each key id: minisign finds keys by it, so that no two keys may share one. */
export const pinKey = (keyId: string): string => `pin/${keyId}`
/** One for each public key, for ever: `enrolment` keeps the same under the same name, so that no key gets a second scope. */
export const publicKeyKey = (publicKey: Uint8Array): string => `key/${toBase64url(publicKey)}`
/** The newest release of an artifact that a lineage of keys signed. */
export const versionKey = (lineage: string, family: string): string =>
  `version/${lineage}/${family}`
