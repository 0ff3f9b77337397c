/** Step 1: the frame of a request, under limits. The payload is not looked at. */
import { NoDecision } from './error.ts'
import type { SearchOptions, SearchSubmission, Submission } from './kernel.ts'
import type { SearchKind } from './plugin.ts'
import { Payload, type Peer, type Request } from './request.ts'

const ACTION = /^[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)+$/
const MAX_ACTION = 128
const MAX_TEXT = 256
const MAX_OBLIGATIONS = 64
const MAX_PAGE = 1000
const KINDS: readonly SearchKind[] = ['action', 'resource', 'subject']
const EMBEDDED: Peer = { kind: 'embedded', id: 'process' }

/** `<plugin>.<verb>` in form; whether anybody answers it is the registry's to say. */
export function isAction(action: unknown): action is string {
  return typeof action === 'string' && action.length <= MAX_ACTION && ACTION.test(action)
}

/** @throws NoDecision `malformed` */
export function checkSubmission(submission: Submission): Request {
  const { action, payload, peer = EMBEDDED, idempotencyKey, obligations = [] } = submission
  if (!isAction(action)) {
    malformed(`action must match ${ACTION.source}, at most ${MAX_ACTION} characters`)
  }
  if (!(payload instanceof Payload)) malformed('payload must be a Payload')
  if (!isText(peer.kind) || !isText(peer.id))
    malformed(`peer kind and id are 1 to ${MAX_TEXT} characters`)
  if (idempotencyKey !== undefined && !isText(idempotencyKey, 128)) {
    malformed('an idempotency key is 1 to 128 characters')
  }
  if (obligations.length > MAX_OBLIGATIONS || !obligations.every((name) => isText(name))) {
    malformed(`obligations are at most ${MAX_OBLIGATIONS} names`)
  }
  return { action, payload, peer: { id: peer.id, kind: peer.kind }, obligations: [...obligations] }
}

/** The rest of a search's frame. @throws NoDecision `malformed` */
export function checkPage(
  { kind }: SearchSubmission,
  { limit, token }: SearchOptions,
): Pick<SearchOptions, 'limit' | 'token'> & Pick<SearchSubmission, 'kind'> {
  if (!KINDS.includes(kind)) malformed(`what is searched for is one of ${KINDS.join(', ')}`)
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE))
    malformed(`a limit is a whole number from 1 to ${MAX_PAGE}`)
  if (token !== undefined && typeof token !== 'string') malformed('a token is text')
  return {
    kind,
    ...(limit === undefined ? {} : { limit }),
    ...(token === undefined ? {} : { token }),
  }
}

function isText(value: unknown, max = MAX_TEXT): boolean {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed()
  )
}

function malformed(what: string): never {
  throw new NoDecision('malformed', what)
}
