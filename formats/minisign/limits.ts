/** How much of a release is read at most, apart from the artifact, which may be of any size. */
import { BUFFERS } from './lines.ts'

/** Of a `.minisig` file: the program's buffers hold no more. */
export const MAX_SIGNATURE_BYTES: number =
  BUFFERS.comment + BUFFERS.signature + BUFFERS.trusted + BUFFERS.global
/** Of `SHA256SUMS`, and of an artifact under a legacy signature, which covers the file and not its digest. */
export const MAX_CONTENT_BYTES = 131_072
/** Of a `.pub` file. */
export const MAX_KEY_FILE_BYTES: number = BUFFERS.comment + BUFFERS.key
