/** What must not cost a decision: messages that nobody known here signed. They are counted by their code, and nothing of them is parsed. */
import type { ReadPorts } from '../../core/plugin.ts'
import type { Request } from '../../core/request.ts'
import { authenticate } from './message.ts'
import { readPayload } from './payload.ts'
import { Reader } from './reader.ts'
import { BRINGS } from './schema.ts'

export async function screen(request: Request, read: ReadPorts): Promise<string | undefined> {
  if (!BRINGS.includes(request.action)) return undefined
  const payload = readPayload(request)
  if ('problem' in payload) return 'malformed_request'
  const brought = { payload: request.payload, text: payload.body.message as string }
  const { check } = await authenticate(brought, new Reader(read))
  return check === 'valid' ? undefined : check
}
