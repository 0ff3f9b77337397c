/**
 * What a case says about its surroundings beside the directory itself: which release was there before, and whether legacy signatures
 * count. The format names no members for these, so several names are understood.
 */
import type { Json } from '../../../core/json.ts'
import type { Stated } from '../../../plugins/release/schema.ts'
import type { Data } from '../../release/desk.ts'
import type { ManifestCase } from './minisign.ts'

/** Members that the format has for something else. */
const OWN = new Set(
  'artifact description dir expect minisign_cli name pinned_key reason sha256sums'.split(' '),
)
const BEFORE =
  /installed|previous|last|minimum|min_|floor|current|seen|recorded|known|state|newest/i

/** The release that was there before: its version, the time of its signature, or both. */
export function minimumOf(each: ManifestCase): Stated {
  const found: { version?: string; timestamp?: number } = {}
  for (const [name, value] of Object.entries(each))
    if (!OWN.has(name) && BEFORE.test(name)) collect(name, value as Json, found)
  const words = [each.policy, each.description]
    .filter((text) => typeof text === 'string')
    .join('; ')
  const version = BEFORE_IT.exec(words)?.[1] ?? AFTER_IT.exec(words)?.[1]
  return version === undefined ? found : { version, ...found }
}
/** "the installed version is 1.5.0", "last seen: v1.5.0" */
const BEFORE_IT =
  /\b(?:installed|previously|minimum|last seen|already (?:seen|has))\b[^0-9;.]{0,40}\bv?([0-9]+(?:\.[0-9]+)+)/i
/** "1.5.0 is installed", "1.5.0 was already seen" */
const AFTER_IT =
  /\bv?([0-9]+(?:\.[0-9]+)+) (?:(?:is|was|being|has been|already) )*(?:installed|seen|accepted|verified)\b/i

function collect(name: string, value: Json, found: { version?: string; timestamp?: number }): void {
  if (typeof value === 'number') found.timestamp = value
  else if (typeof value === 'string' && /^[0-9]{9,}$/.test(value)) found.timestamp = Number(value)
  else if (typeof value === 'string') found.version = value
  else if (typeof value === 'object' && value !== null && !Array.isArray(value))
    for (const [member, inner] of Object.entries(value))
      if (/version|time/i.test(member) || BEFORE.test(member)) collect(name, inner, found)
}

/** Overrides the shipped policy data where the case says whether legacy signatures count. */
export function legacyOf({ legacy, policy }: ManifestCase): Data {
  if (typeof legacy === 'boolean') return { legacy }
  const refused =
    typeof policy === 'string' &&
    /-VH?\s*-?H|prehash\w* (?:only|required)|(?:no|refuses?) legacy/i.test(policy)
  return refused ? { legacy: false } : {}
}
