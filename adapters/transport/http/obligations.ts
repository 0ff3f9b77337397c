/**
 * The AuthZEN profile for obligations (draft 1): what the metadata announces, what a request declares, and how an answer carries them. An
 * obligation that the caller did not declare makes the decision a deny; the kernel sees to that.
 *
 * @see https://github.com/openid/authzen/blob/main/profiles/authzen-obligations-profile-1_0.md
 */
import type { Json } from '../../../core/json.ts'
import type { Obligation } from '../../../core/verdict.ts'
import { Refusal } from './answer.ts'
import { isObject, type Wishes } from './frame.ts'

/** The metadata's `supported_obligations`: the profile's own types. A policy may attach others to callers who declare them in the header. */
export const SUPPORTED_OBLIGATIONS: readonly string[] = [
  'custom',
  'notification',
  'session_termination',
  'step-up',
]

/**
 * `wishes`, and what `context.supported_obligations` of the request declares beside the header. Types that the metadata does not announce
 * count as absent, as the profile demands.
 *
 * @throws Refusal `invalid_request`
 */
export function declaredBy(context: Json | undefined, wishes: Wishes): Wishes {
  const declared = isObject(context) ? context.supported_obligations : undefined
  if (declared === undefined || declared === null) return wishes
  if (!Array.isArray(declared) || !declared.every((type) => typeof type === 'string'))
    throw new Refusal('invalid_request', 'context.supported_obligations is not an array of strings')
  const announced = SUPPORTED_OBLIGATIONS.filter((type) => declared.includes(type))
  return { ...wishes, obligations: [...new Set([...(wishes.obligations ?? []), ...announced])] }
}

/** The member of an answer's context; `properties` is required there. */
export function obligationsMember(obligations: readonly Obligation[]): {
  readonly obligations?: readonly Required<Obligation>[]
} {
  if (obligations.length === 0) return {}
  return {
    obligations: obligations.map(({ id, type, properties = {} }) => ({ id, type, properties })),
  }
}
