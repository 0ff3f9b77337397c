/** Brings a version to another state: the KMS key first, the alias that says so last. What ends in between is done again by asking again. */
import type { CustodyError } from '../../../core/error.ts'
import type { KeyRef, KeyState } from '../../../core/ports/custody.ts'
import {
  type Alias,
  counting,
  type Mark,
  markAlias,
  nextMark,
  outdated,
  peopleAlias,
  stateOf,
  type Version,
} from './aliases.ts'
import type { Ask, Calls, Deadline } from './calls.ts'
import { CallFailed, refuse } from './failure.ts'
import type { Listing } from './listing.ts'

export const labelOf = ({ scope, name, version }: KeyRef): string =>
  `key ${scope}/${name} version ${version}`

/** The KMS in which something is changed. */
export interface Changing {
  readonly calls: Calls
  readonly listing: Listing
  readonly deadline: Deadline
  readonly prefix: string
}

/** @throws CustodyError `invalid_transition`: somebody else moved it at the same time; `unknown_outcome`: it may have been moved */
export async function move(at: Changing, version: Version, state: KeyState): Promise<void> {
  const { keyId } = version
  if (ends(state)) await enable(at, keyId, false)
  if (state === 'active') {
    await enable(at, keyId, true)
    await point(at, { name: peopleAlias(at.prefix, version), keyId })
  }
  const mark = nextMark(version, state)
  const first = await makeAlias(at, { name: markAlias(at.prefix, version, mark), keyId })
  const [now = version] = await at.listing.ofKey(keyId, at.deadline)
  // Who ended it may have been first with the key, and was last with the alias.
  if (state === 'active' && ends(stateOf(now))) await enable(at, keyId, false)
  if (!first || isOverruled(now, mark)) {
    // What is remembered lacks the other's move.
    at.listing.forget()
    throw refuse(
      'invalid_transition',
      `${labelOf(version)} was moved to ${stateOf(now)} at the same time; look at it and try again`,
    )
  }
  for (const old of outdated(now)) await removeAlias(at, markAlias(at.prefix, version, old))
}

const ends = (state: KeyState): boolean => state === 'retired' || state === 'revoked'

/** Whether another mark of the same number counts, or a revocation. One with a higher number came later, and is no contradiction. */
function isOverruled({ marks }: Version, { n, state }: Mark): boolean {
  const counts = counting(marks)
  return (
    counts !== undefined && counts.state !== state && (counts.n <= n || counts.state === 'revoked')
  )
}

async function enable({ calls, deadline }: Changing, KeyId: string, on: boolean): Promise<void> {
  const { DisableKeyCommand, EnableKeyCommand } = calls.sdk
  const ask: Ask<unknown> = (client, options) =>
    on
      ? client.send(new EnableKeyCommand({ KeyId }), options)
      : client.send(new DisableKeyCommand({ KeyId }), options)
  await calls.call(on ? 'EnableKey' : 'DisableKey', deadline, ask)
}

/** Makes an alias lead to a key, wherever it led before. */
async function point({ calls, deadline }: Changing, { keyId, name }: Alias): Promise<void> {
  const { CreateAliasCommand, UpdateAliasCommand } = calls.sdk
  const input = { AliasName: name, TargetKeyId: keyId }
  try {
    await calls.call('UpdateAlias', deadline, (client, options) =>
      client.send(new UpdateAliasCommand(input), options),
    )
  } catch (error) {
    if (!(error instanceof CallFailed) || error.failure.kind !== 'no_key') throw error
    const create: Ask<unknown> = (client, options) =>
      client.send(new CreateAliasCommand(input), options)
    await calls.call('CreateAlias', deadline, create).catch(ignore('taken'))
  }
}

/**
 * False: there is such an alias already.
 * @throws CustodyError `unknown_outcome`: it may have been made
 */
export async function makeAlias(
  { calls, deadline, listing }: Omit<Changing, 'prefix'>,
  alias: Alias,
): Promise<boolean> {
  const { CreateAliasCommand } = calls.sdk
  const input = { AliasName: alias.name, TargetKeyId: alias.keyId }
  const ask: Ask<unknown> = (client, options) => client.send(new CreateAliasCommand(input), options)
  try {
    await calls.call('CreateAlias', deadline, ask, { fresh: true })
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    const { kind, uncertain } = error.failure
    if (kind === 'taken' && !uncertain) return false
    if (kind !== 'taken' || !(await listing.has(alias, deadline))) throw asUnknown(error)
  }
  listing.add(alias)
  return true
}

function asUnknown(error: CallFailed): CustodyError {
  if (!error.failure.uncertain) return error
  return refuse('unknown_outcome', 'no answer says whether it was done; list the keys again')
}

async function removeAlias({ calls, deadline, listing }: Changing, name: string): Promise<void> {
  const { DeleteAliasCommand } = calls.sdk
  const ask: Ask<unknown> = (client, options) =>
    client.send(new DeleteAliasCommand({ AliasName: name }), options)
  await calls.call('DeleteAlias', deadline, ask).catch(ignore('no_key'))
  listing.remove(name)
}

function ignore(kind: CallFailed['failure']['kind']): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof CallFailed) || error.failure.kind !== kind) throw error
  }
}
