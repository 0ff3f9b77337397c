/**
 * The question that a proxy asks before it lets a request through: Envoy's HTTP `ext_authz`, nginx's `auth_request`, Traefik's ForwardAuth,
 * Caddy's `forward_auth`. An allow is 200, a deny 403, no decision 503; a proxy lets through on nothing but 2xx. The body is not read.
 *
 * What the end client may have written is a claim. In particular the Assay-* headers of a call and its Idempotency-Key, which proxies pass
 * on, mean nothing here: they would let a client promise obligations, or fetch the answer to another question.
 */
import type { Kernel, Submission } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer, Refusal } from './answer.ts'
import type { Call } from './call.ts'
import type { ForwardAuth } from './forward-options.ts'
import { readTarget, type Target } from './forward-path.ts'
import { type Claims, httpContext } from './forward-route.ts'
import { readOriginal, single } from './forward-wire.ts'
import { decisionHeaders } from './frame.ts'
import { EVALUATE } from './model.ts'
import type { Limits } from './options.ts'

const NO_STORE = { 'cache-control': 'no-store' }

interface Subject {
  readonly type: string
  readonly id: string
}

export async function forwardAuth(
  kernel: Kernel,
  limits: Limits,
  options: ForwardAuth,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const subject = subjectOf(options, call, peer)
  const submission = submissionOf(options, call, peer, subject)
  const { seal } = limits
  const decision = await kernel.decide(submission, {
    signal: call.signal,
    ...(seal === undefined ? {} : { seal }),
  })
  const headers = { ...NO_STORE, ...decisionHeaders(decision) }
  if (decision.allow) {
    const { upstreamHeader } = options
    const named = upstreamHeader === undefined ? {} : { [upstreamHeader]: subjectText(subject) }
    return { status: 200, headers: { ...headers, ...named }, body: '' }
  }
  const reasons = [...new Set(decision.reasons.map(({ code }) => code))]
  const body = { error: 'forbidden', reasons, decision_id: decision.id }
  return jsonAnswer(body, { ...headers, 'assay-reason': reasons.join(',') }, 403)
}

function submissionOf(
  { claims, hosts, path, proxy, router }: ForwardAuth,
  call: Call,
  peer: Peer,
  subject: Subject,
): Submission {
  const original = readOriginal(call, proxy, path)
  if (hosts !== undefined && !hosts.has(original.host))
    throw new Refusal('forbidden_host', 'no route is protected here under that host name')
  const target = readTarget(original.target)
  const { action, resource } = router(original.method, original.host, target)
  const context = httpContext(original, target, claimed(claims, target, call))
  const payload = Payload.fromParsed({ subject: { ...subject }, action, resource, context })
  return { action: EVALUATE, payload, peer }
}

/** The authenticated peer, or, where the operator says that the proxy sets it, whom a header names. */
function subjectOf({ subject }: ForwardAuth, call: Call, peer: Peer): Subject {
  if (subject === undefined || subject.from?.has(peer.id) === false)
    return { type: peer.kind, id: peer.id }
  const id = single(call, subject.header)
  if (id === undefined || id === '') return { type: 'anonymous', id: 'anonymous' }
  if (SUBJECT.test(id)) return { type: subject.type, id }
  throw new Refusal('invalid_header', `${subject.header} names no one subject`)
}
/** Of visible ASCII, as a header carries it; spaces and commas inside, as in the names of certificates. */
const SUBJECT = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/

function subjectText({ type, id }: Subject): string {
  return `${encodeURIComponent(type)}/${encodeURIComponent(id)}`
}

/** As far as they are there. */
function claimed({ headers, query }: ForwardAuth['claims'], target: Target, call: Call): Claims {
  return {
    headers: picked(headers, (name) => call.header(name)),
    query: picked(query, (name) => target.query.get(name)),
  }
}

function picked<T>(
  names: readonly string[],
  find: (name: string) => T | undefined,
): { readonly [name: string]: T } {
  const found = names.flatMap((name): [string, T][] => {
    const value = find(name)
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(found)
}
