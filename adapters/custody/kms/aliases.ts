/**
 * How versions and their states are written down in KMS: as aliases, whose names are unique in an account and region.
 *
 * `alias/PREFIX/SCOPE/NAME/VERSION` is a version, and `alias/PREFIX/SCOPE/NAME/VERSION/N-STATE` the N-th state that it was brought to: the one
 * with the highest N counts. Whoever moves a version makes an alias with the next N; where two do so at once, what takes more away counts.
 * `revoked` counts whatever N it has, so that nothing undoes it. `alias/PREFIX/SCOPE/NAME`, the version that was activated last, is for people.
 */
import { KEY_NAME } from '../../../core/keyref.ts'
import {
  KEY_SCOPES,
  KEY_STATES,
  type KeyRef,
  type KeyScope,
  type KeyState,
} from '../../../core/ports/custody.ts'
import { refuse } from './failure.ts'

/** An alias, and the id of the KMS key that it leads to. */
export interface Alias {
  readonly name: string
  readonly keyId: string
}

/** One state that a version was brought to. */
export interface Mark {
  readonly n: number
  readonly state: KeyState
}

/** What the aliases say about one version. */
export interface Version extends KeyRef {
  readonly keyId: string
  readonly marks: readonly Mark[]
}

const LARGEST = 999_999_999

export function peopleAlias(
  prefix: string,
  { name, scope }: Pick<KeyRef, 'name' | 'scope'>,
): string {
  return `alias/${prefix}/${scope}/${name}`
}

export function versionAlias(prefix: string, key: KeyRef): string {
  return `${peopleAlias(prefix, key)}/${key.version}`
}

export function markAlias(prefix: string, key: KeyRef, { n, state }: Mark): string {
  return `${versionAlias(prefix, key)}/${n}-${state}`
}

/** By scope, name and version. @throws CustodyError `corrupt`: a state that leads to another key than its version */
export function versionsOf(prefix: string, aliases: readonly Alias[]): readonly Version[] {
  const read = aliases.flatMap((alias) => {
    const parsed = parseAlias(prefix, alias.name)
    return parsed === undefined ? [] : [{ ...parsed, keyId: alias.keyId }]
  })
  const marks = Map.groupBy(
    read.filter(({ mark }) => mark !== undefined),
    ({ key }) => versionAlias(prefix, key),
  )
  return read
    .filter(({ mark }) => mark === undefined)
    .map(({ key, keyId }) => {
      const own = marks.get(versionAlias(prefix, key)) ?? []
      if (own.some((one) => one.keyId !== keyId))
        throw refuse(
          'corrupt',
          `${versionAlias(prefix, key)} and its states lead to different keys; restore the aliases`,
        )
      return { ...key, keyId, marks: own.map(({ mark }) => mark as Mark) }
    })
    .sort(byName)
}

function byName(a: KeyRef, b: KeyRef): number {
  if (a.name === b.name) return a.version - b.version
  return a.name < b.name ? -1 : 1
}

function parseAlias(
  prefix: string,
  alias: string,
): { readonly key: KeyRef; readonly mark: Mark | undefined } | undefined {
  const begin = `alias/${prefix}/`
  if (!alias.startsWith(begin)) return undefined
  const [scope = '', name = '', versionText = '', markText, ...rest] = alias
    .slice(begin.length)
    .split('/')
  const version = decimal(versionText)
  if (!isScope(scope) || !KEY_NAME.test(name) || version === undefined || rest.length > 0)
    return undefined
  const key = { scope, name, version }
  if (markText === undefined) return { key, mark: undefined }
  const dash = markText.indexOf('-')
  const [n, state] = [decimal(markText.slice(0, dash)), markText.slice(dash + 1)]
  if (n === undefined || !isState(state))
    throw refuse('corrupt', `${alias} names no state of a key; restore the aliases`)
  return { key, mark: { n, state } }
}

/** 1, 2, 3 ...; undefined for anything else. */
function decimal(text: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined
}
const isScope = (text: string): text is KeyScope => KEY_SCOPES.includes(text as KeyScope)
const isState = (text: string): text is KeyState => KEY_STATES.includes(text as KeyState)

/** The mark that counts; undefined where there is none: the version is `pre-active`. */
export function counting(marks: readonly Mark[]): Mark | undefined {
  const revoked = marks.find(({ state }) => state === 'revoked')
  const [last] = [...marks].sort((a, b) => b.n - a.n || severity(b.state) - severity(a.state))
  return revoked ?? last
}
const severity = (state: KeyState): number => KEY_STATES.indexOf(state)

export function stateOf({ marks }: Version): KeyState {
  return counting(marks)?.state ?? 'pre-active'
}

/** @throws CustodyError `unavailable`: it was moved as often as numbers reach */
export function nextMark({ marks }: Version, state: KeyState): Mark {
  const n = Math.max(0, ...marks.map((mark) => mark.n)) + 1
  if (n > LARGEST) throw refuse('unavailable', 'the version was moved too often; make a new one')
  return { n, state }
}

/** Those that may go: KMS allows few aliases a key. The one before the last stays, for readers to whom the last one is not shown yet. */
export function outdated({ marks }: Version): readonly Mark[] {
  const last = counting(marks)
  return marks.filter(({ n, state }) => last !== undefined && n < last.n - 1 && state !== 'revoked')
}
