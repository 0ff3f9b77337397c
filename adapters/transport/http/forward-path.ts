/**
 * The one reading of a request's target that a policy may rest on. Proxies, frameworks and file systems differ over encoded slashes, dot
 * segments, empty segments, backslashes and path parameters: whoever decides on one reading and serves another has no policy. What has
 * two readings is therefore refused, not repaired.
 *
 * @see RFC 3986 sections 3.3 and 6.2.2
 */
import { Refusal } from './answer.ts'

export interface Target {
  /** Decoded, begins with a slash. No segment is empty but the last, none has a slash in it. */
  readonly path: string
  readonly segments: readonly string[]
  /** Every value of each name, decoded, in order. */
  readonly query: ReadonlyMap<string, readonly string[]>
}

/** @param target in origin form, as the client sent it @throws Refusal `ambiguous_path` */
export function readTarget(target: string): Target {
  if (/[\s#]/.test(target)) throw ambiguous('has a space or a fragment')
  const mark = target.indexOf('?')
  const raw = mark < 0 ? target : target.slice(0, mark)
  if (!raw.startsWith('/')) throw ambiguous('does not begin with a slash')
  if (!RAW.test(raw)) throw ambiguous('has a character that a path cannot have')
  const segments = raw.slice(1).split('/').map(readSegment)
  if (segments.slice(0, -1).includes('')) throw ambiguous('has an empty segment')
  return {
    path: `/${segments.join('/')}`,
    segments,
    query: readQuery(mark < 0 ? '' : target.slice(mark + 1)),
  }
}
/** What RFC 3986 lets stand in a path, without `;`, whose parameters some servers drop. */
const RAW = /^[A-Za-z0-9\-._~!$&'()*+,=:@/%]*$/

function readSegment(raw: string): string {
  const segment = raw.includes('%') ? decoded(raw) : raw
  if (CONTROL.test(segment)) throw ambiguous('has a control character')
  if (TWICE.test(segment)) throw ambiguous('is encoded twice')
  // Also what a server that folds look-alikes, such as a full-width slash, would take for one of these.
  const folded = segment.normalize('NFKC')
  if (/[/\\;]/.test(folded)) throw ambiguous('has an encoded delimiter')
  if (folded === '.' || folded === '..') throw ambiguous('has a dot segment')
  if (segment !== segment.normalize('NFC')) throw ambiguous('is not in Unicode normal form C')
  return segment
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const TWICE = /%[0-9A-Fa-f]{2}/

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    throw ambiguous('has a percent sign that encodes no UTF-8')
  }
}

function readQuery(text: string): Target['query'] {
  const values = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(text)) {
    const known = values.get(name)
    if (known === undefined) values.set(name, [value])
    else known.push(value)
  }
  return values
}

function ambiguous(what: string): Refusal {
  return new Refusal('ambiguous_path', `the path ${what}`)
}
