/** Clients that keep a server under load: each sends one request at a time and writes the ledger before and after it. */
import type { Entry, Ledger, Operation } from './ledger.ts'
import { between, type Random } from './random.ts'

/** Records that many connections write at once, so that commits conflict. */
const SHARED = 4
/** What the server answers when it made no decision and nothing happened. */
const NOTHING_HAPPENED = new Set([429, 503])

export interface Load {
  readonly url: string
  readonly ledger: Ledger
  readonly random: Random
  /** Numbers operations over the whole run. */
  next(): number
  /** True when the load should end. */
  stopped(): boolean
}

/** Sends requests until the server is gone or the load is stopped. */
export async function keepSending(load: Load): Promise<void> {
  while (!load.stopped()) {
    const entry = load.ledger.intend(chooseOperation(load))
    if (!(await send(load.url, load.ledger, entry))) return
  }
}

/** Searches, one after the other, until the server is gone or the load is stopped. Whoever searches changes nothing and keeps no ledger. */
export async function keepSearching({
  stopped,
  url,
}: Pick<Load, 'stopped' | 'url'>): Promise<void> {
  const body = JSON.stringify({
    subject: { type: 'user' },
    action: { name: 'read' },
    resource: { type: 'document', id: 'none' },
  })
  const headers = { 'Content-Type': 'application/json' }
  while (!stopped()) {
    try {
      const response = await fetch(`${url}/access/v1/search/subject`, {
        method: 'POST',
        headers,
        body,
      })
      await response.arrayBuffer()
      if (response.status !== 200 && !NOTHING_HAPPENED.has(response.status))
        throw new Error(`unexpected answer ${response.status} to a search`)
    } catch (error) {
      if (error instanceof TypeError) return
      throw error
    }
  }
}

function chooseOperation({ next, random }: Load): Operation {
  const op = next()
  const choice = random()
  if (choice < 0.4) return { op, action: 'access.put-resource', targets: [`only-${op}`] }
  if (choice < 0.6) {
    const shared = `shared-${between(random, 1, SHARED)}`
    return { op, action: 'access.put-subject', targets: [shared] }
  }
  if (choice < 0.8) {
    const targets = ['first', 'second', 'paper'].map((name) => `team-${op}-${name}`)
    return { op, action: 'access.import', targets }
  }
  return { op, action: 'access.evaluate', targets: [] }
}

/** The members of an imported team all hold it, so that every import writes the one record that counts them. */
export const TEAM_ROLE = 'auditor'

/** What the decision is about: `op` is in it, so that a leaf can be traced back to the intent. */
export function payloadOf({
  action,
  op,
  targets: [id = '', second = '', paper = ''],
}: Operation): object {
  const attributes = { op }
  if (action === 'access.put-subject') return { subject: { type: 'user', id }, attributes }
  if (action === 'access.put-resource') return { resource: { type: 'document', id }, attributes }
  if (action === 'access.import') {
    const member = (name: string): object => ({
      type: 'user',
      id: name,
      attributes,
      roles: [TEAM_ROLE],
    })
    const resources = [{ type: 'document', id: paper, attributes }]
    return { subjects: [member(id), member(second)], resources }
  }
  const subject = { type: 'user', id: `probe-${op}`, properties: attributes }
  return { subject, action: { name: 'read' }, resource: { type: 'document', id: 'none' } }
}

/** One request, again or for the first time. False: the server is gone, and what happened is not known. */
export async function send(url: string, ledger: Ledger, entry: Entry): Promise<boolean> {
  const { operation } = entry
  const body = {
    action: operation.action,
    payload: payloadOf(operation),
    idempotency_key: `op-${operation.op}`,
  }
  try {
    const response = await fetch(`${url}/assay/v1/decisions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (response.status === 200) ledger.acknowledge(entry, JSON.parse(text))
    else if (NOTHING_HAPPENED.has(response.status) && !response.headers.has('x-decision-id'))
      ledger.refuse(entry, text)
    // With a decision id nobody knows yet: it stays open.
    else if (response.status === 503) return true
    else throw new Error(`unexpected answer ${response.status} to ${operation.action}: ${text}`)
    return true
  } catch (error) {
    // fetch says TypeError for a connection that broke; anything else is a fault of the server or of this test.
    if (error instanceof TypeError) return false
    throw error
  }
}
