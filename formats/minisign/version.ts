/** Versions of releases, in an order: numbers and dots, and what Semantic Versioning 2.0.0 adds. @see https://semver.org */

/**
 * Compared item by item, number before text and a shorter list first, the order is that of the versions: numbers without zeros at the
 * end, then 1 for a release and 0 for what comes before it, then the words of a pre-release. Rego compares arrays in this way.
 */
export type VersionOrder = readonly [
  numbers: readonly number[],
  released: 0 | 1,
  words: readonly (number | string)[],
]
export interface Version {
  readonly text: string
  readonly order: VersionOrder
}

const NUMBER = '[0-9]{1,15}'
const WORDS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*'
const VERSION = new RegExp(`^v?(${NUMBER}(?:\\.${NUMBER}){0,7})(?:-(${WORDS}))?(?:\\+${WORDS})?$`)
const MAX_LENGTH = 128

/** Undefined for what cannot be put into an order. Build metadata after `+` does not count. */
export function readVersion(text: string): Version | undefined {
  const [, numbers, words] = (text.length <= MAX_LENGTH && VERSION.exec(text)) || []
  if (numbers === undefined) return undefined
  const order: VersionOrder = [
    withoutZeros(numbers.split('.').map(Number)),
    words === undefined ? 1 : 0,
    words === undefined ? [] : words.split('.').map(word),
  ]
  return { text, order }
}

function withoutZeros(numbers: readonly number[]): readonly number[] {
  return numbers.slice(0, numbers.findLastIndex((number) => number !== 0) + 1)
}

function word(text: string): number | string {
  return new RegExp(`^${NUMBER}$`).test(text) ? Number(text) : text
}

/** The first dotted number in a file's name: the version that a reader takes it for. */
export function versionInName(name: string): Version | undefined {
  const [found] = /[0-9]{1,15}(?:\.[0-9]{1,15}){1,7}/.exec(name) ?? []
  return found === undefined ? undefined : readVersion(found)
}

/**
 * What all versions of an artifact have in common: its name, with `*` for the version that its trusted comment states or, where the name
 * has it not, for the first dotted number.
 */
export function familyOf(name: string, stated: string | undefined): string {
  const version = stated !== undefined && name.includes(stated) ? stated : versionInName(name)?.text
  return version === undefined ? name : name.replace(version, () => '*')
}
