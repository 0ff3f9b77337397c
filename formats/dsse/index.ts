/** DSSE: signed envelopes around typed payloads. */
export {
  createEnvelope,
  type Envelope,
  type EnvelopeJson,
  type EnvelopeLimits,
  type EnvelopeSignature,
  MAX_SIGNATURES,
  openEnvelope,
  pae,
  parseEnvelope,
  signedEnvelope,
} from './envelope.ts'
export { type NamedKey, type SignatureResult, verifyEnvelope } from './verify.ts'
