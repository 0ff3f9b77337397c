/**
 * From a request at a proxy to the question that is decided. Routes are data: the first that fits names the action and the resource;
 * without one the question is about the path itself, and what to think of it is the policy's to say.
 */
import { TransportError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Target } from './forward-path.ts'

/** `path` has literal segments and `{name}` for one segment; `{name*}` at the end is one or more. */
export interface ForwardRoute {
  /** Default: all. Upper case. */
  readonly methods?: readonly string[]
  /** Default: all. */
  readonly host?: string
  readonly path: string
  /** The AuthZEN action's name. */
  readonly action: string
  /** `{name}` in the id stands for what the path has there. */
  readonly resource: { readonly type: string; readonly id: string }
}

export interface Question {
  readonly action: { readonly name: string }
  readonly resource: { readonly type: string; readonly id: string }
}
export type Router = (method: string, host: string, target: Target) => Question

type Names = ReadonlyMap<string, string>
type Matcher = (method: string, host: string, segments: readonly string[]) => Names | undefined

/** @throws TransportError `invalid_options` */
export function createRouter(routes: readonly ForwardRoute[]): Router {
  const find = createFinder(routes)
  return (method, host, target) =>
    find(method, host, target) ?? {
      action: { name: method },
      resource: { type: 'route', id: target.path },
    }
}

/** Undefined where no route fits. @throws TransportError `invalid_options` */
export function createFinder(
  routes: readonly ForwardRoute[],
): (...asked: Parameters<Router>) => Question | undefined {
  const compiled = routes.map((route) => ({ route, matches: matcher(route) }))
  return (method, host, { segments }) => {
    for (const { route, matches } of compiled) {
      const names = matches(method, host, segments)
      if (names === undefined) continue
      const { type, id } = route.resource
      return { action: { name: route.action }, resource: { type, id: filled(id, names) } }
    }
    return undefined
  }
}

function filled(template: string, names: Names): string {
  return template.replace(PLACE, (_, name: string) => names.get(name) as string)
}
const PLACE = /\{([a-z][a-z0-9_]*)\}/g

function matcher(route: ForwardRoute): Matcher {
  const { host, methods } = route
  const pattern = readPattern(route)
  return (method, at, segments) => {
    if (methods !== undefined && !methods.includes(method)) return undefined
    if (host !== undefined && host.toLowerCase() !== at) return undefined
    return match(pattern, segments)
  }
}

type Part =
  | { readonly literal: string }
  | { readonly name: string }
  | { readonly name: string; readonly rest: true }

function match(pattern: readonly Part[], segments: readonly string[]): Names | undefined {
  const names = new Map<string, string>()
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i]
    if (segment === undefined) return undefined
    if ('literal' in part) {
      if (part.literal !== segment) return undefined
    } else {
      const value = 'rest' in part ? segments.slice(i).join('/') : segment
      if (value === '') return undefined
      names.set(part.name, value)
      if ('rest' in part) return names
    }
  }
  return segments.length === pattern.length ? names : undefined
}

function readPattern({ path, resource }: ForwardRoute): readonly Part[] {
  if (!path.startsWith('/')) throw invalid(path, 'begins with a slash')
  const parts = path
    .slice(1)
    .split('/')
    .map((text) => readPart(path, text))
  const names = parts.flatMap((part) => ('name' in part ? [part.name] : []))
  if (new Set(names).size < names.length) throw invalid(path, 'names each place once')
  if (parts.slice(0, -1).some((part) => 'rest' in part))
    throw invalid(path, 'has {name*} at its end only')
  for (const [, name] of resource.id.matchAll(PLACE))
    if (!names.includes(name as string)) throw invalid(path, `has no {${name}} for the resource`)
  return parts
}

function readPart(path: string, text: string): Part {
  const [, name, rest] = text.match(/^\{([a-z][a-z0-9_]*)(\*?)\}$/) ?? []
  if (name !== undefined) return rest === '*' ? { name, rest: true } : { name }
  if (/[{}*?#%]/.test(text)) throw invalid(path, 'has literal segments, {name} and {name*}')
  return { literal: text }
}

function invalid(path: string, what: string): TransportError {
  const message = `forwardAuth: the path of a route ${what}: ${path}`
  return new TransportError('transport/http', 'invalid_options', message)
}

/** What the client says, as far as the operator lets rules see it. */
export interface Claims {
  readonly headers: { readonly [name: string]: string }
  readonly query: { readonly [name: string]: readonly string[] }
}

/** The context of the question: claims, all of it. */
export function httpContext(
  { method, host }: { readonly method: string; readonly host: string },
  { path }: Target,
  { headers, query }: Claims,
): Json {
  return { http: { method, host, path, query, headers } }
}
