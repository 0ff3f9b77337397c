/** `assay key` for keys that the plugin signer manages: every step is a decision in the log. */
import { setTimeout as pause } from 'node:timers/promises'
import type { KeyScope, KeyState } from '../../core/ports/custody.ts'
import { words } from '../decide.ts'
import { type ExitCode, type Out, printable, UsageError } from '../out.ts'
import { type Answer, type Ask, type AskOptions, asking } from './asking.ts'

export interface ManagedOptions extends AskOptions {
  readonly algorithm?: string
  readonly auto?: boolean
  readonly graceFor?: number
  readonly have?: number
  readonly override?: string
  readonly peer?: { readonly id: string; readonly kind: string }
  readonly reason?: string
  readonly rotateAfter?: number
}
/** Verbs as the plugin has them, for one key. */
export type ManagedVerb =
  | 'activate'
  | 'create'
  | 'publish'
  | 'retire'
  | 'revoke'
  | 'rollback'
  | 'rotate'
  | 'schedule'

/** A secret is managed like a key. */
export type ManagedScope = KeyScope | 'secret'
interface Key {
  readonly name: string
  readonly scope: ManagedScope
}
interface Status {
  readonly key: {
    readonly creating: { readonly wanted: boolean }
    readonly pending: { readonly version: number }
    readonly scope: ManagedScope
    readonly set_version: number
    readonly versions: readonly {
      readonly grace_until: number
      readonly kid: string
      readonly published: number
      readonly state: KeyState
      readonly version: number
    }[]
  }
  readonly verifiers: readonly { readonly acknowledged: number; readonly id: string }[]
}

/** 0: it is so now, or custody is at it; 1: the policy refuses it, or custody never will. */
export async function move(
  verb: ManagedVerb,
  options: ManagedOptions,
  out: Out,
  key: Key,
  version?: number,
): Promise<ExitCode> {
  return asking(options, async (ask) => {
    const of = version ?? (await versionFor(verb, ask, key))
    const body = { ...key, ...(of === undefined ? {} : { version: of }), ...saidBy(verb, options) }
    const before = (await statusOf(ask, key))?.key.versions.length ?? 0
    const answer = await ask(`signer.${verb}`, body)
    const status = answer.allow ? await settled(ask, key) : undefined
    const isUndone = status !== undefined && gaveUp(answer, status, before, of)
    tell(answer, status, out, isUndone ? [UNDONE] : [])
    return answer.allow && !isUndone ? 0 : 1
  })
}

const UNDONE =
  'custody did not do it: see its answer in assay log query --action signer.created signer.moved'

/** Whether what was begun is over, and is not so. What custody still tries is not over. */
function gaveUp({ reasons }: Answer, { key }: Status, before: number, version?: number): boolean {
  const begun = new Set(reasons.map(({ code }) => code))
  if (key.creating.wanted || key.pending.version > 0) return false
  if (begun.has('creation_begun') || begun.has('rotation_begun'))
    return key.versions.length === before
  const isMoved = key.versions.some((each) => each.version === version && each.state === 'active')
  return (begun.has('activation_begun') || begun.has('rollback_begun')) && !isMoved
}

function saidBy(verb: ManagedVerb, options: ManagedOptions): object {
  const { algorithm, auto = true, graceFor, override, reason, rotateAfter } = options
  if (verb === 'create') return algorithm === undefined ? {} : { algorithm }
  if (verb === 'schedule') return { auto, grace_for: graceFor, rotate_after: rotateAfter }
  if (verb === 'revoke' || verb === 'rollback') return { reason }
  return override === undefined ? {} : { override }
}

/** The one that a person means who names none: what waits is activated, what is over is retired. */
async function versionFor(verb: ManagedVerb, ask: Ask, key: Key): Promise<number | undefined> {
  const state = ({ activate: 'pre-active', retire: 'grace' } as const)[verb as 'activate']
  if (state === undefined) {
    if (verb === 'revoke' || verb === 'rollback')
      throw new UsageError('usage', `which version? See assay key status ${key.scope} ${key.name}`)
    return undefined
  }
  const status = await statusOf(ask, key)
  const found = status?.key.versions.findLast((each) => each.state === state)
  if (found !== undefined) return found.version
  throw new UsageError('not_found', `${key.scope} ${key.name} has no version that is ${state}`)
}

async function statusOf(ask: Ask, key: Key): Promise<Status | undefined> {
  const { output } = await ask('signer.status', key)
  return (output as { readonly status: Status } | undefined)?.status
}

const TRIES = 20
const PAUSE_MS = 250

/** Waits a little for custody, which makes and activates keys after the decision. */
async function settled(ask: Ask, key: Key): Promise<Status | undefined> {
  for (let tries = 1; ; tries++) {
    const status = await statusOf(ask, key)
    const busy = status?.key.creating.wanted || status?.key.pending.version
    if (!busy || tries === TRIES) return status
    await pause(PAUSE_MS)
  }
}

function tell(
  { allow, id, output, reasons }: Answer,
  status: Status | undefined,
  out: Out,
  more: readonly string[] = [],
): void {
  const said = [...(status ? lines(status) : []), ...more]
  const text = [words(allow, reasons, out), ...said, `decision ${id}`]
  out.answer({ id, allow, reasons, output, ...(status ? { status } : {}) }, text.join('\n'))
}

/** 0: this is how it is; 1: the policy does not say. */
export async function status(options: AskOptions, out: Out, key: Key): Promise<ExitCode> {
  return asking(options, async (ask) => {
    const answer = await ask('signer.status', key)
    const found = (answer.output as { readonly status: Status } | undefined)?.status
    if (found === undefined) tell(answer, undefined, out)
    else out.answer(found, lines(found).join('\n'))
    return answer.allow ? 0 : 1
  })
}

function lines({ key, verifiers }: Status): readonly string[] {
  const isSecret = key.scope === 'secret'
  const versions = key.versions.map(
    ({ grace_until: until, kid, published, state, version }) =>
      `  ${version}  ${state.padEnd(10)}  ${kid}${published === 0 && !isSecret ? '  in no set yet' : ''}${
        state === 'grace' ? `  until ${new Date(until * 1000).toISOString()}` : ''
      }`,
  )
  const next = key.versions.findLast(({ state }) => state === 'pre-active')
  // Who uses a secret has no set, and acknowledges the version itself.
  const needed = (isSecret ? next?.version : next?.published) ?? 0
  const lag = verifiers.filter(({ acknowledged }) => acknowledged < needed)
  return [
    `set ${key.set_version}, ${verifiers.length} verifiers`,
    ...versions,
    ...(key.pending.version > 0 ? [`custody is activating version ${key.pending.version}`] : []),
    ...(key.creating.wanted ? ['custody is making a version'] : []),
    ...lag.map(
      ({ acknowledged, id }) =>
        `  ${id} has ${isSecret ? 'version' : 'set'} ${acknowledged}: it lags behind`,
    ),
  ].map(printable)
}

/** What a node is given. 0: this is the newest set, or the reader has it; 1: the policy refuses. */
export async function set(options: ManagedOptions, out: Out, key: Key): Promise<ExitCode> {
  return asking(options, async (ask) => {
    const { have } = options
    const answer = await ask('signer.set', { ...key, ...(have === undefined ? {} : { have }) })
    const { envelope } = (answer.output ?? {}) as { readonly envelope?: object }
    if (envelope === undefined) tell(answer, undefined, out)
    else out.answer(envelope, JSON.stringify(envelope))
    return answer.allow ? 0 : 1
  })
}

/** Who verifies what the key signs. */
export async function verifier(
  verb: 'acknowledge' | 'register' | 'unregister',
  options: ManagedOptions,
  out: Out,
  key: Key & { readonly verifier: string },
  version?: number,
): Promise<ExitCode> {
  return asking(options, async (ask) => {
    const peer = verb === 'register' && options.peer ? { peer: options.peer } : {}
    const of = version === undefined ? {} : { version }
    const answer = await ask(`signer.${verb}`, { ...key, ...of, ...peer })
    tell(answer, undefined, out)
    return answer.allow ? 0 : 1
  })
}
