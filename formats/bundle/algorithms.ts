/** What `opa sign` has too. HMAC is left out: who can verify it can sign. */
export const TOKEN_ALGORITHMS = [
  'EdDSA',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number]
