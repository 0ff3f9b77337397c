/**
 * The newest verifier set on disk, in a file that its version names. A file is made once and never changed, and the highest counts: whatever
 * crashes, and however many processes share the folder, what is known never goes back.
 */
import { join } from 'node:path'
import { JsonError } from '../core/error.ts'
import { parseJson } from '../core/json.ts'
import { type KnownSets, knownSetsSchema, type VerifierKey } from '../formats/task/index.ts'
import { NodeAgentError } from './error.ts'
import { createOnce, namesIn, openFolder, readIfThere, removeAll } from './files.ts'

/** Of an empty file: this key's grace was over at this end. */
const ENDED = /^ended-([0-9a-f]{16})-([0-9]{1,15})$/
const NAME = /^set-([1-9][0-9]{0,15})\.json$/
/** Of a file. A set and the names that may never be forgotten. */
const MAX_BYTES = 4_194_304

export class SetStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    openFolder(folder)
  }

  /** What all files say together, the newest set of them. @throws NodeAgentError `corrupt` */
  load(): KnownSets | undefined {
    const files = this.#names().map((name) => this.#read(name))
    const known = files.filter((file) => file !== undefined)
    const newest = known.at(-1)
    if (newest === undefined) return undefined
    return {
      ...newest,
      published: [...new Set(known.flatMap(({ published }) => published))].sort(),
      revoked: [...new Set(known.flatMap(({ revoked }) => revoked))].sort(),
    }
  }

  /** Of the newest set on disk; 0 for none. */
  newest(): number {
    return versionOf(this.#names().at(-1) ?? '') || 0
  }

  /**
   * Which of these keys are in a grace that is over, or was before the clock was set back. An end that comes to be seen is written down first.
   * @param now UNIX seconds
   * @throws NodeAgentError `unavailable`
   */
  ended(keys: readonly VerifierKey[], now: number): ReadonlySet<string> {
    const graces = keys.filter(({ state }) => state === 'grace')
    if (graces.length === 0) return NONE
    const seen = new Set(namesIn(this.#folder).filter((name) => ENDED.test(name)))
    const over = graces.filter((key) => seen.has(endOf(key)) || now >= (key.grace_until ?? 0))
    for (const end of over.map(endOf)) if (!seen.has(end)) createOnce(this.#folder, end, '')
    return new Set(over.map(({ kid }) => kid))
  }

  /** False where another process has taken a set of this version. Older files go: `known` has what they said. So do ends of a grace that is none now. */
  save(known: KnownSets): boolean {
    const { keys, version } = known.set
    const older = this.#names().filter((one) => versionOf(one) < version)
    const graces = new Set(keys.map(endOf))
    const ends = namesIn(this.#folder).filter((one) => ENDED.test(one) && !graces.has(one))
    if (!createOnce(this.#folder, `set-${version}.json`, `${JSON.stringify(known)}\n`)) return false
    removeAll(this.#folder, [...older, ...ends])
    return true
  }

  /** The oldest first. */
  #names(): readonly string[] {
    return namesIn(this.#folder)
      .filter((name) => NAME.test(name))
      .sort((a, b) => versionOf(a) - versionOf(b))
  }

  /** Undefined for one that another process has just removed, having read it. */
  #read(name: string): KnownSets | undefined {
    const path = join(this.#folder, name)
    const text = readIfThere(path)
    if (text === undefined) return undefined
    try {
      const value = parseJson(text, { maxBytes: MAX_BYTES })
      if (knownSetsSchema.problem(value, '') === undefined) return value as unknown as KnownSets
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
    }
    throw new NodeAgentError(
      'node-agent',
      'corrupt',
      `${path} is damaged; bootstrap the node again`,
    )
  }
}

const NONE: ReadonlySet<string> = new Set()
const endOf = ({ grace_until = 0, kid }: VerifierKey): string => `ended-${kid}-${grace_until}`
const versionOf = (name: string): number => Number(NAME.exec(name)?.[1])
