/**
 * The digests in OPA's signature token. Documents and the manifest are digested by value, members in order and numbers as they are
 * written, so that white space does not count; any other file by its bytes.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#signature-format
 */
import { comparePoints } from './order.ts'

/** What OPA parses before it digests. YAML is the same to OPA; it is not read here. */
export function isStructured(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return name === 'data.json' || name === '.manifest'
}

/** A number with its digits, which a double would round. */
class Digits {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** The text that is digested in the place of a JSON document. @throws SyntaxError */
export function structuredText(json: string): string {
  const out: string[] = []
  write(parseExact(json), out)
  return out.join('')
}

/** Node hands the text of each literal to the reviver (ECMAScript, "JSON.parse source text access"); its types do not know yet. */
type Reviver = (name: string, value: unknown, context: { readonly source: string }) => unknown
function parseExact(json: string): unknown {
  const keep: Reviver = (_name, value, { source }) =>
    typeof value === 'number' ? new Digits(source) : value
  return JSON.parse(json, keep as (name: string, value: unknown) => unknown)
}

function write(value: unknown, out: string[]): void {
  if (value instanceof Digits) out.push(value.text)
  else if (Array.isArray(value)) writeAll('[', value, ']', out, (item) => write(item, out))
  else if (typeof value === 'object' && value !== null) writeObject(value, out)
  else out.push(primitive(value))
}

function writeObject(value: object, out: string[]): void {
  const members = Object.entries(value).sort(([a], [b]) => comparePoints(a, b))
  writeAll('{', members, '}', out, ([name, item]) => {
    out.push(primitive(name), ':')
    write(item, out)
  })
}

function writeAll<T>(
  open: string,
  items: readonly T[],
  close: string,
  out: string[],
  each: (item: T) => void,
): void {
  out.push(open)
  items.forEach((item, i) => {
    if (i > 0) out.push(',')
    each(item)
  })
  out.push(close)
}

/** Go escapes the two line separators that JavaScript once could not have in a string. */
function primitive(value: unknown): string {
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (unit) =>
    unit === '\u2028' ? '\\u2028' : '\\u2029',
  )
}
