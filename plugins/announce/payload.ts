/** The payload of each action: strict JSON of a closed shape. That of `announce.revoke` may be the body of a cell's signed call. */
import { JsonError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Request } from '../../core/request.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type Call, openCall } from '../../formats/call/index.ts'
import { members, type RevocationKind } from '../../formats/wire/index.ts'

const { boolean, integer, json, literal, object, string } = schema
const { count, id, kind, name } = members
/** What a caller writes is bounded by the request; how long a message may be is a fact. */
const message = object({ message: string({ maxLength: 1_048_576 }) })

const bodies: Readonly<Record<string, Schema<unknown>>> = {
  'announce.learn': message,
  'announce.publish': object(
    { as: literal('cell', 'controller'), from: name, message: json() },
    { send: boolean() },
  ),
  'announce.receive': message,
  'announce.revocations': object({ cell: name }, { after: count }),
  'announce.revoke': object(
    { cell: name, id, kind },
    { below: count, until: integer({ min: 1 }), why: string({ maxLength: 256 }) },
  ),
  'announce.sweep': object({}),
}

export interface Payload {
  readonly after?: number
  readonly as?: 'cell' | 'controller'
  readonly below?: number
  readonly cell?: string
  readonly from?: string
  readonly id?: string
  readonly kind?: RevocationKind
  readonly message?: Json
  readonly send?: boolean
  readonly until?: number
  readonly why?: string
}
export type ReadPayload =
  | { readonly body: Payload; readonly call?: Call }
  | { readonly problem: string }

/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 1024

export function readPayload({ action, payload }: Request): ReadPayload {
  const read = parse(action, payload)
  return 'problem' in read ? { problem: read.problem.slice(0, MAX_PROBLEM) } : read
}

function parse(action: string, payload: Request['payload']): ReadPayload {
  let value: Json
  try {
    value = payload.json()
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
  const opened = action === 'announce.revoke' ? openCall(value) : { body: value }
  if ('problem' in opened) return opened
  const problem = bodies[action]?.problem(opened.body, '')
  return problem === undefined ? { ...opened, body: opened.body as Payload } : { problem }
}
