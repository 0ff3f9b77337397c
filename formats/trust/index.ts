/** What a node is given before it trusts anybody, and what it trusts afterwards. */
export {
  type BootstrapBundle,
  BUNDLE_PAYLOAD_TYPE,
  bundlePayload,
  readBundle,
} from './bundle.ts'
export {
  type Anchor,
  type AnchorState,
  anchoredBy,
  anchorsSchema,
  MAX_ANCHORS,
  MAX_TRUST_BYTES,
  readTrust,
  TRUST_KINDS,
  TRUST_PAYLOAD_TYPES,
  type TrustDocument,
  type TrustKind,
  trustPayload,
} from './document.ts'
export { createToken, type EnrolmentToken, readToken, tokenHash, tokenText } from './token.ts'
