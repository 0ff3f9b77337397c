/** What a workload of the engines is: one policy, data of a chosen size, questions from a fixed seed, and the same decision by hand. */
import type { Json } from '../../../../core/json.ts'
import type { Random } from '../../../crash/random.ts'

export interface Workload {
  readonly name: string
  readonly rego: string
  readonly entrypoint: string
  /** `scale` multiplies users, workloads, grants. */
  generate(scale: number, questions: number): Generated
  /** The same decision as a programmer would write it, given the data as it is. */
  byHand(data: never): (input: never) => boolean
  readonly cedar?: Cedar
}
/** JSON values. */
export interface Generated {
  readonly data: object
  readonly inputs: readonly object[]
}
/** The same rules in Cedar, whose entities hold the data. */
export interface Cedar {
  readonly policy: string
  entities(data: never, inputs: never): readonly CedarEntity[]
  /** The entities that one question needs, for engines that are handed them with each question. */
  slice(data: never, input: never): readonly CedarEntity[]
  request(data: never, input: never): CedarRequest
}
export interface CedarUid {
  readonly type: string
  readonly id: string
}
export interface CedarEntity {
  readonly uid: CedarUid
  readonly attrs: Json
  readonly parents: readonly CedarUid[]
}
export interface CedarRequest {
  readonly principal: CedarUid
  readonly action: CedarUid
  readonly resource: CedarUid
  readonly context: Json
}

/** Below `limit`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit)
}
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T
}
export function chance(random: Random, share: number): boolean {
  return random() < share
}
/** So many different ones, or all. */
export function sample<T>(random: Random, list: readonly T[], count: number): T[] {
  const rest = [...list]
  return Array.from({ length: Math.min(count, rest.length) }, () => {
    const [one] = rest.splice(below(random, rest.length), 1)
    return one as T
  })
}
export function hex(random: Random, digits: number): string {
  return Array.from({ length: digits }, () => below(random, 16).toString(16)).join('')
}
/** `prefix0`, `prefix1`, ... */
export function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`)
}

/** Members of all objects in another order each time, with members that no policy knows: what callers of many kinds send. */
export function mixed(random: Random, value: Json): Json {
  if (Array.isArray(value)) return value.map((item) => mixed(random, item as Json))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]) => [key, mixed(random, member as Json)])
  const strays = named('x_', 8)
    .filter(() => chance(random, 0.2))
    .map((key) => [key, below(random, 100)])
  return Object.fromEntries(
    sample(random, [...members, ...strays], Number.MAX_SAFE_INTEGER),
  ) as Json
}

/** The question with so many bytes of JSON that nothing reads. */
export function padded(random: Random, value: Json, bytes: number): Json {
  const attributes: Record<string, Json> = {}
  let size = JSON.stringify(value).length
  for (let i = 0; size < bytes; i++) {
    const attribute = { id: hex(random, 16), level: below(random, 1000), tags: named('tag-', 4) }
    attributes[`attribute_${i}`] = attribute
    size += JSON.stringify(attribute).length + 20
  }
  return { ...(value as Record<string, Json>), attributes }
}
