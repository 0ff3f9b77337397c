/** `cap1` capability tokens: reading and verifying them, and the bytes that are signed. docs/tokens.md has the format. */
export {
  blockMessage,
  joinToken,
  MAX_BLOCKS,
  MAX_TOKEN_BYTES,
  sealMessage,
} from './frame.ts'
export { type ChainKeys, FRESH_KEYS } from './keys.ts'
export { type Attenuation, type Authority, authorityPayload, type Caveat } from './payload.ts'
export { type Presentation, proofMessage } from './proof.ts'
export { type Block, type Last, readToken, type Token, type UnreadableToken } from './read.ts'
export { authorityMessage, verifyToken } from './verify.ts'
