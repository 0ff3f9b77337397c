/** Signed wire messages: frames, their signatures, and what they say. docs/announce.md has the format. */
export {
  type Announce,
  type Body,
  type Delegate,
  MAX_ENTRIES,
  MESSAGE_TYPES,
  type MessageType,
  members,
  REVOCATION_KINDS,
  type Revocation,
  type RevocationKind,
  type Revocations,
  type RevokeBroadcast,
  type Undelegate,
  type Withdraw,
} from './body.ts'
export { deflate, type InflateProblem, inflate, MAX_INFLATED_BYTES } from './deflate.ts'
export {
  DEFLATED,
  type Frame,
  type FrameProblem,
  HEADER_BYTES,
  MAX_BODY_BYTES,
  MAX_MESSAGE_BYTES,
  readFrame,
  unsignedFrame,
  verifyFrame,
  wireMessage,
  withSignature,
} from './frame.ts'
export { type BodyProblem, bodyProblem, draftMessage, openBody, parseBody } from './parse.ts'
