/**
 * Reads plain data out of parsed JSON. Nothing throws: the first problem is kept, and what could not be read is a harmless default that
 * nobody looks at once there is a problem. Problems hold no text of the caller's.
 */
import { JsonError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import type { Payload } from '../../core/request.ts'
import {
  type Attributes,
  MAX_ATTRIBUTES,
  MAX_ATTRIBUTES_TEXT,
  MAX_DEPTH,
  MAX_NAME,
  MAX_RELATED,
  MAX_ROLES,
  MAX_TYPE,
  type Ref,
  type Related,
} from './schema.ts'

export type Members = { readonly [name: string]: Json }
export const NOTHING: Members = Object.freeze({})
const CONTROL = /\p{Cc}/u

export class Reader {
  /** A JSON Pointer and what was expected there; the first problem wins. */
  problem: string | undefined

  fail(at: string, what: string): void {
    this.problem ??= `${at || '/'}: expected ${what}`
  }

  payload(payload: Payload): Members {
    try {
      return this.object(payload.json(), '')
    } catch (error) {
      this.problem ??= `/: ${error instanceof JsonError ? error.code : 'malformed'}`
      return NOTHING
    }
  }

  object(value: Json | undefined, at: string): Members {
    if (isObject(value)) return value
    this.fail(at, 'an object')
    return NOTHING
  }

  /** Only these members may be there. For changes: a typing error must not become a default. */
  closed(members: Members, at: string, known: readonly string[]): void {
    for (const name of Object.keys(members)) {
      if (!known.includes(name)) this.fail(at, `only ${known.join(', ')}`)
    }
  }

  /** At most `max` UTF-16 units, well-formed. */
  text(value: Json | undefined, at: string, max: number): string {
    if (typeof value === 'string' && value.length <= max && value.isWellFormed()) return value
    this.fail(at, `at most ${max} characters`)
    return ''
  }

  /** 1 to `max` UTF-16 units, well-formed, without control characters. */
  name(value: Json | undefined, at: string, max: number = MAX_NAME): string {
    if (typeof value === 'string' && isName(value, max)) return value
    this.fail(at, `1 to ${max} characters without control characters`)
    return ''
  }

  ref(value: Json | undefined, at: string): Ref {
    const members = this.object(value, at)
    return {
      id: this.name(own(members, 'id'), `${at}/id`),
      type: this.name(own(members, 'type'), `${at}/type`, MAX_TYPE),
    }
  }

  /** Absent and null are no attributes at all (AuthZEN: null members should be left out). */
  attributes(value: Json | undefined, at: string): Attributes {
    if (value === undefined || value === null) return NOTHING
    const members = this.object(value, at)
    if (Object.keys(members).length > MAX_ATTRIBUTES) {
      this.fail(at, `at most ${MAX_ATTRIBUTES} members`)
      return NOTHING
    }
    const sorted = sortedCopy(members, MAX_DEPTH + 1)
    if (sorted !== undefined) return sorted as Attributes
    this.fail(at, `at most ${MAX_DEPTH} levels`)
    return NOTHING
  }

  /** Attributes that are to be stored. */
  stored(value: Json | undefined, at: string): Attributes {
    const attributes = this.attributes(value, at)
    if (JSON.stringify(attributes).length > MAX_ATTRIBUTES_TEXT)
      this.fail(at, `at most ${MAX_ATTRIBUTES_TEXT} characters of JSON`)
    return attributes
  }

  related(value: Json | undefined, at: string): Related {
    if (value === undefined) return {}
    const members = this.object(value, at)
    const names = Object.keys(members).sort()
    if (names.length > MAX_RELATED) this.fail(at, `at most ${MAX_RELATED} members`)
    const related: [string, Ref][] = []
    for (const [i, name] of names.slice(0, MAX_RELATED).entries()) {
      this.name(name, at)
      this.closed(this.object(members[name], `${at}/${i}`), `${at}/${i}`, ['id', 'type'])
      related.push([name, this.ref(members[name], `${at}/${i}`)])
    }
    return Object.fromEntries(related)
  }

  /** Sorted; each once. */
  roles(value: Json | undefined, at: string): readonly string[] {
    const roles = this.items(value, at, MAX_ROLES).map((role, i) => this.name(role, `${at}/${i}`))
    if (new Set(roles).size !== roles.length) this.fail(at, 'each role once')
    return roles.sort()
  }

  items(value: Json | undefined, at: string, max: number): readonly Json[] {
    if (Array.isArray(value) && value.length <= max) return value
    this.fail(at, `an array of at most ${max} items`)
    return []
  }
}

/** Members that an object inherits are not the caller's. */
export function own(members: Members, name: string): Json | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

export function isName(value: string, max: number = MAX_NAME): boolean {
  return value.length > 0 && value.length <= max && value.isWellFormed() && !CONTROL.test(value)
}

function isObject(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** With members in order of their names at every level; undefined when it is deeper than `levels`. */
function sortedCopy(value: Json, levels: number): Json | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return undefined
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => sortedCopy(item, levels - 1))
    return items.includes(undefined) ? undefined : (items as Json[])
  }
  const entries: [string, Json][] = []
  for (const name of Object.keys(value).sort()) {
    const member = sortedCopy((value as Members)[name]!, levels - 1)
    if (member === undefined) return undefined
    entries.push([name, member])
  }
  // Not by assignment: a member named __proto__ must stay a plain member.
  return Object.fromEntries(entries)
}
