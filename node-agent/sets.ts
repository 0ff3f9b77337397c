/**
 * The newest verifier set on disk, in a file that its version names. A file is made once and never changed, and the highest counts: whatever
 * crashes, and however many processes share the folder, what is known never goes back.
 */
import { join } from 'node:path'
import { JsonError } from '../core/error.ts'
import { parseJson } from '../core/json.ts'
import { type KnownSets, knownSetsSchema } from '../formats/task/index.ts'
import { NodeAgentError } from './error.ts'
import { createOnce, namesIn, openFolder, readIfThere, removeAll } from './files.ts'

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

  /** False where another process has taken a set of this version. Older files go: `known` has what they said. */
  save(known: KnownSets): boolean {
    const name = `set-${known.set.version}.json`
    const older = this.#names().filter((one) => versionOf(one) < known.set.version)
    if (!createOnce(this.#folder, name, `${JSON.stringify(known)}\n`)) return false
    removeAll(this.#folder, older)
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

const versionOf = (name: string): number => Number(NAME.exec(name)?.[1])
