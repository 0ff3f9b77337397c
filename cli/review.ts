/**
 * `assay review`: who can do this, and what can they do? Searches over the state and the policies of a data folder, asked by whoever holds
 * it, each in the log like any decision. 0: answered, whatever was found.
 */
import { compose } from '../adapters/compose.ts'
import type { Json } from '../core/json.ts'
import type { Kernel, SearchOptions } from '../core/kernel.ts'
import type { SearchKind } from '../core/plugin.ts'
import { Payload } from '../core/request.ts'
import { operator } from './decide.ts'
import { configured, type PlaceOptions } from './input.ts'
import { type ExitCode, type Out, printable, UsageError } from './out.ts'

interface ReviewOptions extends PlaceOptions {
  /** Results in a page; without it there is one page, as of one instant. */
  readonly limit?: number
}
export interface WhoOptions extends ReviewOptions {
  readonly action: string
  readonly resource: string
  readonly type: string
}
export interface WhatOptions extends ReviewOptions {
  readonly subject: string
  readonly resource?: string
  readonly type?: string
  readonly action?: readonly string[]
}

/** The subjects of a type that can do one thing to one resource. */
export async function who(options: WhoOptions, out: Out): Promise<ExitCode> {
  const { action, type } = options
  const resource = refOf('--resource', options.resource)
  const query = { subject: { type }, action: { name: action }, resource }
  const { searches, results } = await review(options, (ask) => ask('subject', query))
  const title = `of type ${type}, ${results.length} can ${action} ${options.resource}`
  const value = { action, resource, subjects: results, searches }
  out.answer(value, text(title, results.map(nameOf), searches))
  return 0
}

/** The actions of a subject on one resource, or the resources of one type on which it can do the actions that are named. */
export async function what(options: WhatOptions, out: Out): Promise<ExitCode> {
  const subject = refOf('--subject', options.subject)
  const { action: names = [], type } = options
  if (options.resource !== undefined) {
    const resource = refOf('--resource', options.resource)
    const query = { subject, resource }
    const { results, searches } = await review(options, (ask) => ask('action', query))
    const title = `${options.subject} can do ${results.length} things to ${options.resource}`
    const value = { subject, resource, actions: results, searches }
    out.answer(value, text(title, results.map(nameOf), searches))
    return 0
  }
  if (type === undefined || names.length === 0)
    throw new UsageError('usage', 'name --resource TYPE:ID, or --type TYPE and --action NAME')
  const byAction = await review(options, async (ask) => {
    const found: (Found & { readonly action: string })[] = []
    for (const action of names) {
      const query = { subject, action: { name: action }, resource: { type } }
      found.push({ action, ...(await ask('resource', query)) })
    }
    return found
  })
  const actions = byAction.map(({ results, ...rest }) => ({ ...rest, resources: results }))
  const title = `what ${options.subject} can do to resources of type ${type}`
  const searches = byAction.flatMap((found) => found.searches)
  out.answer({ subject, type, actions }, text(title, table(byAction), searches))
  return 0
}

interface Found {
  readonly results: readonly Json[]
  /** One a page, each with a leaf of its own. */
  readonly searches: readonly {
    readonly id: string
    readonly index: string | undefined
    readonly seal: string
  }[]
}
type Ask = (kind: SearchKind, query: object) => Promise<Found>

async function review<T>(options: ReviewOptions, run: (ask: Ask) => Promise<T>): Promise<T> {
  const composed = await compose(await configured(options), { watch: false })
  try {
    return await run((kind, query) => pages(composed.kernel, kind, query, options))
  } finally {
    await composed.close()
  }
}

async function pages(
  kernel: Kernel,
  kind: SearchKind,
  query: object,
  { limit }: ReviewOptions,
): Promise<Found> {
  const peer = { kind: 'operator', id: operator() }
  const payload = Payload.fromJson(query)
  const submission = { action: 'access.evaluate', kind, payload, peer }
  const results: Json[] = []
  const searches = []
  let options: SearchOptions = limit === undefined ? {} : { limit }
  for (;;) {
    const { id, index, nextToken, results: found, seal } = await kernel.search(submission, options)
    results.push(...found)
    searches.push({ id, index, seal })
    if (nextToken === '') return { results, searches }
    options = { token: nextToken }
  }
}

function refOf(option: string, given: string): { readonly type: string; readonly id: string } {
  const at = given.indexOf(':')
  if (at < 1 || at === given.length - 1)
    throw new UsageError('usage', `${option} is TYPE:ID, for example user:ada`)
  return { type: given.slice(0, at), id: given.slice(at + 1) }
}

function nameOf(entity: Json): string {
  const { id, name } = entity as { id?: string; name?: string }
  return id ?? name ?? ''
}

/** A row a resource, a column an action. */
function table(byAction: readonly (Found & { readonly action: string })[]): readonly string[] {
  const columns = byAction.map(({ action, results }) => ({
    action,
    ids: new Set(results.map(nameOf)),
  }))
  const ids = [...new Set(columns.flatMap((column) => [...column.ids]))].sort()
  const width = Math.max(0, ...ids.map((id) => id.length))
  const row = (first: string, rest: readonly string[]): string =>
    [first.padEnd(width), ...rest.map((cell, i) => cell.padEnd(columns[i]!.action.length))].join(
      '  ',
    )
  const cells = (id: string): readonly string[] =>
    columns.map((column) => (column.ids.has(id) ? 'yes' : '-'))
  const heads = columns.map(({ action }) => action)
  return [row('', heads), ...ids.map((id) => row(id, cells(id)))]
}

function text(title: string, lines: readonly string[], searches: Found['searches']): string {
  const logged = searches.map(({ id, index, seal }) => `search ${id}, leaf ${index}, ${seal}`)
  return [title, ...lines.map((line) => `  ${line}`.trimEnd()), ...logged].map(printable).join('\n')
}
