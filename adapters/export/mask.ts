/**
 * Masking before anything leaves: `data.system.log.mask` names what is taken out of `input` and `result` or written over, and
 * `data.system.log.drop` leaves out an event, as in OPA. A rule that fails takes out everything that it could have masked.
 *
 * @see https://www.openpolicyagent.org/docs/management-decision-logs, "masking sensitive data"; RFC 6901
 */
import type { Json } from '../../core/json.ts'
import type { Bundle, Compiler, Sources } from '../../core/ports/compiler.ts'
import type { Engine, Policy } from '../../core/ports/engine.ts'
import type { LogEvent } from './event.ts'

export interface Masked {
  /** Undefined: a rule says that it is not to be sent. */
  readonly event: LogEvent | undefined
  /** The rules could not be asked; {@link event} holds nothing that they guard. */
  readonly failed?: true
}
export type Mask = (event: LogEvent) => Promise<Masked>

const ENTRY = `package assay.export

mask := data.system.log.mask

drop := data.system.log.drop
`
const ENTRYPOINTS = ['assay/export/mask', 'assay/export/drop']

/** @throws CompilerError, EngineError: nothing is exported then */
export async function openMask(
  sources: Sources,
  compiler: Compiler,
  engine: Engine,
): Promise<{ readonly mask: Mask; close(): Promise<void> }> {
  const all = { ...sources, 'assay/export/entry.rego': ENTRY }
  const options = { capabilities: 'compat', entrypoints: ENTRYPOINTS } as const
  const bundle: Bundle = await compiler.build(all, options)
  const policy = await engine.load(bundle)
  return { mask: (event) => masked(event, policy), close: () => policy.close() }
}

async function masked(event: LogEvent, policy: Policy): Promise<Masked> {
  try {
    const input = { value: event as unknown as Json, text: JSON.stringify(event) }
    if ((await policy.evaluate('assay/export/drop', input)) === true) return { event: undefined }
    return { event: apply(await policy.evaluate('assay/export/mask', input), event) }
  } catch {
    const { input, result, ...rest } = event
    const erased = [input, result].flatMap((value, i) => (value === undefined ? [] : [PARTS[i]!]))
    return { event: { ...rest, erased }, failed: true }
  }
}
const PARTS = ['/input', '/result'] as const

interface Rule {
  readonly pointer: string
  /** Undefined: taken out. */
  readonly value: Json | undefined
}

/** @throws TypeError when the rules are not what they should be */
function apply(answer: Json | undefined, event: LogEvent): LogEvent {
  if (answer === undefined) return event
  if (!Array.isArray(answer)) throw new TypeError('system.log.mask is no set')
  // From the end, so that an element's removal does not move those that are named after it.
  const rules = answer.map(readRule).sort((a, b) => compare(b.pointer, a.pointer))
  const root = structuredClone({ input: event.input, result: event.result }) as Tree
  const erased: string[] = []
  const written: string[] = []
  for (const { pointer, value } of rules)
    if (change(root, pointer, value)) (value === undefined ? erased : written).push(pointer)
  const { input: _, result: __, ...rest } = event
  return {
    ...rest,
    ...(root.input === undefined ? {} : { input: root.input as Json }),
    ...(root.result === undefined ? {} : { result: root.result as Json }),
    ...(erased.length === 0 ? {} : { erased: erased.reverse() }),
    ...(written.length === 0 ? {} : { masked: written.reverse() }),
  }
}

function readRule(rule: Json): Rule {
  const { op, path, value } =
    typeof rule === 'string'
      ? { op: 'remove', path: rule, value: null }
      : (rule as { op?: Json; path?: Json; value?: Json })
  if (typeof path !== 'string' || !/^\/(?:input|result)(?:\/|$)/.test(path))
    throw new TypeError('a mask is a pointer into /input or /result')
  if (op === 'remove') return { pointer: path, value: undefined }
  if (op === 'upsert') return { pointer: path, value: value ?? null }
  throw new TypeError('a mask removes or upserts')
}

const compare = (a: string, b: string): number =>
  a.localeCompare(b, 'en', { numeric: true, sensitivity: 'variant' })

type Tree = { [name: string]: unknown }

/** False where there is nothing to change. */
function change(root: Tree, pointer: string, value: Json | undefined): boolean {
  const names = pointer.slice(1).split('/').map(unescaped)
  const last = names.pop() as string
  let parent: unknown = root
  for (const name of names) parent = child(parent, name)
  if (typeof parent !== 'object' || parent === null) return false
  if (Array.isArray(parent)) return changeElement(parent, last, value)
  const members = parent as Tree
  const isThere = Object.hasOwn(members, last) && members[last] !== undefined
  if (value === undefined) delete members[last]
  else if (isThere || parent !== root) Object.defineProperty(members, last, { value, ...WRITABLE })
  return value === undefined ? isThere : isThere || parent !== root
}
const WRITABLE = { configurable: true, enumerable: true, writable: true }

function changeElement(elements: unknown[], name: string, value: Json | undefined): boolean {
  const at = /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : elements.length
  if (at >= elements.length) return false
  if (value === undefined) elements.splice(at, 1)
  else elements[at] = value
  return true
}

function child(parent: unknown, name: string): unknown {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name))
    return undefined
  return (parent as Tree)[name]
}

/** RFC 6901, and percent signs as OPA takes them. */
function unescaped(name: string): string {
  return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
}
