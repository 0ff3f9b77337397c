/** Node tasks: what the platform asks a node to do, once. The payload of a DSSE envelope. docs/tasks.md has the format. */
import { JsonError } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'

export const TASK_PAYLOAD_TYPE = 'application/vnd.node-task.v1+json'
/** In UTF-8 bytes. */
export const MAX_TASK_BYTES = 65_536

const { integer, json, object, record, string } = schema
const time = integer({ min: 0 })
/** Letters, digits and what separates them: safe in file names and logs. */
const name = string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/ })
/** Times are UNIX seconds. */
export interface Task {
  readonly type: string
  /** Of the type. */
  readonly version: number
  /** Single use. */
  readonly task_id: string
  /** The node that may carry it out, and no other. */
  readonly node_id: string
  readonly issued_at: number
  readonly expires_at: number
  readonly nonce: string
  /** What the type and its version say. */
  readonly params: { readonly [name: string]: Json }
}

const taskSchema: Schema<Task> = object({
  type: string({ maxLength: 64, pattern: /^[a-z][a-z0-9.-]{0,63}$/ }),
  version: integer({ min: 1, max: 1_000_000 }),
  task_id: name,
  node_id: name,
  issued_at: time,
  expires_at: time,
  nonce: string({ maxLength: 128, pattern: /^[A-Za-z0-9_-]{16,128}$/ }),
  params: record(json({ maxDepth: 8 }), { maxMembers: 64 }),
})

export const taskNameSchema: Schema<string> = name

/** One version of one type of task: what a node can be asked to do, and with what. */
export interface TaskType<Params extends object = object> {
  readonly type: string
  readonly version: number
  /** Closed: an unknown member makes the task malformed. */
  readonly params: Schema<Params>
}
/** Ties the type of the parameters to the schema that checks them. */
export function taskType<Params extends object>(
  type: string,
  version: number,
  params: Schema<Params>,
): TaskType<Params> {
  return { type, version, params }
}

export type ReadTask =
  | { readonly problem: 'malformed' }
  /** `known`: one of the types that were given, and the parameters are what it asks for. */
  | { readonly task: Task; readonly known: boolean }

/** Strict JSON, closed, every member present. What it says about node and time the caller compares. Only for bytes whose signature holds. */
export function readTask(payload: Uint8Array, types: readonly TaskType[]): ReadTask {
  let value: Json
  try {
    value = parseJson(payload, { maxBytes: MAX_TASK_BYTES, maxDepth: 16 })
  } catch (error) {
    if (error instanceof JsonError) return { problem: 'malformed' }
    throw error
  }
  if (taskSchema.problem(value, '') !== undefined) return { problem: 'malformed' }
  const task = value as unknown as Task
  const type = types.find((one) => one.type === task.type && one.version === task.version)
  if (type?.params.problem(task.params, '') !== undefined) return { problem: 'malformed' }
  return { task, known: type !== undefined }
}

const encoder = new TextEncoder()

/** What is signed. @throws RangeError for a task that no node would read */
export function taskPayload(task: Task): Uint8Array<ArrayBuffer> {
  const problem = taskSchema.problem(task, '')
  if (problem !== undefined) throw new RangeError(`not a task: ${problem}`)
  const { expires_at, issued_at, node_id, nonce, params, task_id, type, version } = task
  const text = JSON.stringify({
    ...{ type, version, task_id, node_id, issued_at, expires_at, nonce, params },
  })
  const bytes = encoder.encode(text)
  if (bytes.length > MAX_TASK_BYTES) throw new RangeError('the task is too large')
  return bytes
}
