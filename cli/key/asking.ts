/** Decisions about managed keys: of a running server over HTTP, or in this process, of a stopped one's data. */
import { compose } from '../../adapters/compose.ts'
import { NoDecision, StoreError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import { Payload } from '../../core/request.ts'
import type { Reason } from '../../core/verdict.ts'
import { operator } from '../decide.ts'
import { bytesOf, configured, type PlaceOptions } from '../input.ts'
import { UsageError } from '../out.ts'

export interface AskOptions extends PlaceOptions {
  readonly url?: string
  readonly tokenFile?: string
}
export interface Answer {
  readonly id: string
  readonly allow: boolean
  readonly reasons: readonly Reason[]
  readonly output?: Json
}
/** @throws NoDecision */
export type Ask = (action: string, payload: object) => Promise<Answer>

/** Lets `put` ask, and closes what was opened for it. */
export async function asking<T>(options: AskOptions, put: (ask: Ask) => Promise<T>): Promise<T> {
  if (options.url !== undefined) return put(await onServer(options.url, options.tokenFile))
  const composed = await compose(await configured(options), { watch: false }).catch(inUse)
  const peer = { kind: 'operator', id: operator() }
  try {
    return await put((action, payload) =>
      composed.kernel.decide({ action, payload: Payload.fromJson(payload), peer }),
    )
  } finally {
    await composed.close()
  }
}

function inUse(error: unknown): never {
  if (error instanceof StoreError && error.code === 'locked')
    throw new StoreError('cli', 'locked', 'a server has this folder open: ask it, with --url')
  throw error
}

const TIMEOUT_MS = 60_000

async function onServer(base: string, tokenFile?: string): Promise<Ask> {
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? ''))
    throw new UsageError('usage', '--url must be an http or https URL')
  const url = `${base.replace(/\/+$/, '')}/assay/v1/decisions`
  // Of a file, so that it stands in no list of processes.
  const token = tokenFile === undefined ? undefined : await bytesOf(tokenFile, 'the bearer token')
  const bearer = token && `Bearer ${new TextDecoder().decode(token).trim()}`
  const headers = {
    'content-type': 'application/json',
    ...(bearer === undefined ? {} : { authorization: bearer }),
  }
  return async (action, payload) => {
    const body = JSON.stringify({ action, payload })
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(({ cause, message }: Error) => {
      throw new NoDecision(
        'unavailable',
        `${url}: ${cause instanceof Error ? cause.message : message}`,
      )
    })
    return answerOf(url, response)
  }
}

async function answerOf(url: string, response: Response): Promise<Answer> {
  const text = await response.text()
  const failed = (): NoDecision =>
    new NoDecision('unavailable', `${url}: it answers ${response.status} without a decision`)
  try {
    const answer = JSON.parse(text) as Partial<Answer>
    const { allow, id, output, reasons } = answer
    if (allow === undefined || id === undefined || reasons === undefined) throw failed()
    return { allow, id, reasons, ...(output === undefined ? {} : { output }) }
  } catch (error) {
    if (error instanceof SyntaxError) throw failed()
    throw error
  }
}
