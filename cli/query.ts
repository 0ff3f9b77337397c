/** `assay log query`: decisions that fit, opened as far as the policy lets whoever asks. The query is a decision itself. */
import { compose } from '../adapters/compose.ts'
import { NoDecision } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import type { DecisionLeaf } from '../core/log/leaves.ts'
import type { AuditedRecord, AuditPage } from '../core/ports/audit.ts'
import { Payload } from '../core/request.ts'
import { operator, words } from './decide.ts'
import { bytesOf, configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable, UsageError } from './out.ts'

export interface QueryOptions extends PlaceOptions {
  readonly url?: string
  readonly tokenFile?: string
  readonly id?: readonly string[]
  readonly action?: readonly string[]
  readonly reason?: readonly string[]
  readonly rule?: readonly string[]
  readonly policy?: string
  readonly allowed?: boolean
  readonly denied?: boolean
  readonly since?: number
  readonly until?: number
  readonly from?: string
  readonly to?: string
  readonly fields?: readonly string[]
  readonly purpose?: string
  readonly limit?: number
}

/** What of a page the command and a server's answer have in common. */
type Page = Omit<AuditPage, 'decision' | 'size'> & {
  readonly decision: Pick<AuditPage['decision'], 'allow' | 'id' | 'reasons'>
}

/** 0: the policy let it be seen, 1: it did not. */
export async function query(options: QueryOptions, out: Out): Promise<ExitCode> {
  const payload = payloadOf(options)
  const page =
    options.url === undefined
      ? await inFolder(options, payload)
      : await onServer(options.url, payload, await tokenOf(options))
  const { decision, next, records } = page
  const { allow, id, reasons } = decision
  const value = { decision: { id, allow, reasons }, records, ...(next ? { next } : {}) }
  const lines = allow ? records.map(line) : [words(allow, reasons, out)]
  const more = next ? [`more: --from ${next.from} --to ${next.to}`] : []
  out.answer(value, [...lines, ...more, `decision ${id}`].join('\n'))
  return allow ? 0 : 1
}

function payloadOf(options: QueryOptions): { readonly [member: string]: Json } {
  const { action, allowed, denied, fields, from, id, limit, policy } = options
  const { purpose, reason, rule, since, to, until } = options
  if (allowed && denied) throw new UsageError('usage', '--allowed and --denied fit nothing')
  const members: { readonly [member: string]: Json | undefined } = {
    actions: action,
    allow: allowed ? true : denied ? false : undefined,
    fields,
    from,
    ids: id,
    limit,
    policy,
    purpose,
    reasons: reason,
    rules: rule,
    since,
    to,
    until,
  }
  const given = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as { readonly [member: string]: Json }
}

/** In this process, as the operator: the server is stopped. */
async function inFolder(options: QueryOptions, payload: Json): Promise<Page> {
  const composed = await compose(await configured(options), { watch: false })
  try {
    if (!composed.audit)
      throw new UsageError('not_found', 'the configuration has no plugin audit: nothing is opened')
    const peer = { kind: 'operator', id: operator() }
    return await composed.audit.query({ payload: Payload.fromJson(payload), peer })
  } finally {
    await composed.close()
  }
}

const TIMEOUT_MS = 60_000

/** Of a file, so that it stands in no list of processes. */
async function tokenOf({ tokenFile }: QueryOptions): Promise<string | undefined> {
  if (tokenFile === undefined) return undefined
  return new TextDecoder().decode(await bytesOf(tokenFile, 'the bearer token')).trim()
}

async function onServer(base: string, payload: Json, token?: string): Promise<Page> {
  if (!/^https?:$/.test(URL.parse(base)?.protocol ?? ''))
    throw new UsageError('usage', '--url must be an http or https URL')
  const url = `${base.replace(/\/+$/, '')}/assay/v1/audit/query`
  const failed = (why: string): NoDecision => new NoDecision('unavailable', `${url}: ${why}`)
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(payload),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(({ cause, message }: Error) => {
    throw failed(cause instanceof Error ? cause.message : message)
  })
  const text = await response.text()
  if (response.status !== 200 && response.status !== 403)
    throw failed(`it answers ${response.status}`)
  const answer = JSON.parse(text) as Partial<Page>
  if (!answer.decision) throw failed(`it answers ${response.status} without a decision`)
  return { records: [], ...answer, decision: answer.decision }
}

function line({ erased, id, index, receipt, withheld }: AuditedRecord): string {
  const { action, allow, reasons, time } = JSON.parse(receipt.leaf) as DecisionLeaf
  const opened = Object.entries(receipt.openings ?? {}).map(
    ([field, { json }]) => `    ${field}: ${json}`,
  )
  const note = erased ? ', erased' : withheld.length > 0 ? `, withheld: ${withheld.join(' ')}` : ''
  const codes = reasons.map(({ code }) => code).join(' ')
  const at = new Date(time * 1000).toISOString()
  const head = `${index} ${at} ${id} ${action} ${allow ? 'allowed' : 'denied'} ${codes}${note}`
  return [head, ...opened].map(printable).join('\n')
}
