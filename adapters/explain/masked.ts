/** Which parts of a decision are masked: what the rules for exported decisions took out of it, or wrote over. */
import type { Json } from '../../core/json.ts'

/** See `Masks` of the explanations. */
export interface Masked {
  readonly everything: boolean
  /** Below the policy's input. */
  readonly paths: readonly (readonly string[])[]
  readonly values: readonly Json[]
}

/** A decision in the members of a log event, and the JSON pointers of what a mask changed in it. */
export interface MaskedEvent {
  readonly input?: Json | undefined
  readonly result?: Json | undefined
  readonly pointers: readonly string[]
}

export const EVERYTHING: Masked = { everything: true, paths: [], values: [] }

/**
 * An event's `input` has a member `facts.NAME` for each fact, `request` and `payload`; the policy's input has `facts` and `request`. What
 * is masked in the payload has no path there, but its values do arrive: those are hidden by what they are.
 */
export function maskedBy({ input, pointers, result }: MaskedEvent): Masked {
  const found = pointers.map((pointer) => pointer.slice(1).split('/').map(unescaped))
  const root: Json = { input: input ?? null, result: result ?? null }
  return {
    everything: found.some(([, ...rest]) => rest.length === 0),
    paths: found.flatMap(([part, ...rest]) => (part === 'input' ? [policyPath(rest)] : [])),
    values: found.map((names) => at(root, names)).filter((value) => value !== undefined),
  }
}

export function joined(all: readonly Masked[]): Masked {
  return {
    everything: all.some(({ everything }) => everything),
    paths: all.flatMap(({ paths }) => paths),
    values: all.flatMap(({ values }) => values),
  }
}

function policyPath([first = '', ...rest]: readonly string[]): readonly string[] {
  return first.startsWith('facts.')
    ? ['facts', first.slice('facts.'.length), ...rest]
    : [first, ...rest]
}

function at(value: Json | undefined, [name, ...rest]: readonly string[]): Json | undefined {
  if (name === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return at((value as { readonly [member: string]: Json })[name], rest)
}

/** RFC 6901, and percent signs as OPA takes them. */
function unescaped(name: string): string {
  return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
}
