/** Signed calls of cells, and what keys sign when they are enrolled. */
export { bindMessage, handOverMessage, type Owner } from './bind.ts'
export {
  type Call,
  callMessage,
  NAME,
  NONCE,
  type Opened,
  openCall,
  PUBLIC_KEY,
  type Said,
  SIGNATURE,
} from './call.ts'
export {
  type Caller,
  type CallerReads,
  callerOf,
  callerSchema,
  heardMembers,
  keyIsRevoked,
  NO_CALLER,
} from './caller.ts'
export { type Imported, importKey } from './keys.ts'
export { type NonceState, nonceKey, nonceState, withNonce } from './nonces.ts'
