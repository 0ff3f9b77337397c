/**
 * What a node needs to tell its platform's tasks from everybody else's: the verifier set, and nothing else. No network, no clock, no key that
 * signs. docs/tasks.md has the formats.
 */
import { join } from 'node:path'
import { fromBase64url, sha256Hex } from '../core/crypto.ts'
import {
  type Envelope,
  type NamedKey,
  parseEnvelope,
  verifyEnvelope,
} from '../formats/dsse/index.ts'
import {
  describeSet,
  type KnownSets,
  keyIdOf,
  readVerifierSet,
  remember,
  type Task,
  type TaskType,
  VERIFIER_SET_PAYLOAD_TYPE,
  verifyKeyOf,
} from '../formats/task/index.ts'
import { NodeAgentError } from './error.ts'
import { type KeyRing, ringOf } from './ring.ts'
import { refusalOfSet, type SetReason } from './set-rule.ts'
import { SetStore } from './sets.ts'
import { judgeTask, MAX_CLOCK_AHEAD, MAX_TTL, type TaskReason } from './task-rule.ts'
import type { purpose } from './trust.ts'
import { UsedTasks } from './used.ts'

export interface NodeAgentOptions {
  /** A folder of the node's own; it is made. What lies there decides what is a replay and what is old: keep it over restarts. */
  readonly dir: string
  /** The name under which the platform knows the node. */
  readonly nodeId: string
  /** Public keys, base64url, whose signatures make verifier sets: from the node's bootstrap. Task keys are not among them, and CAs are of another type. */
  readonly root: readonly string[] & { readonly [purpose]?: 'verifier-root' }
  /** What the node can be asked to do. */
  readonly types: readonly TaskType[]
  /** Refuse signatures that do not say which key made them; default false. */
  readonly requireKeyId?: boolean
  /** Seconds that the platform's clock may be ahead of the node's; default 300. */
  readonly maxClockAhead?: number
  /** Seconds that a task may live; default 3,600. */
  readonly maxTtl?: number
}

export type SetAnswer =
  | { readonly accepted: true; readonly version: number }
  /** `equivocation` means that somebody with a root key says two things: raise an alarm. */
  | { readonly accepted: false; readonly reason: SetReason }
export type TaskAnswer =
  | { readonly accepted: true; readonly task: Task }
  | { readonly accepted: false; readonly reason: TaskReason }

export interface NodeAgent {
  /** Of the newest set that was taken; 0 before the first. What the node acknowledges to the platform. */
  readonly version: number
  /**
   * A verifier set, as the platform sent it. Taken means that it is on disk.
   * @throws NodeAgentError `unavailable`, `corrupt`
   */
  ingestSet(envelope: string | Uint8Array): SetAnswer
  /**
   * A task, as the platform sent it. Accepted once: it is for the caller to carry out, now.
   * @param now UNIX seconds
   * @throws NodeAgentError `unavailable`: the task was not accepted
   */
  accept(envelope: string | Uint8Array, now: number): TaskAnswer
}

/** @throws NodeAgentError `misconfigured`, `unavailable`, `corrupt` */
export function openNodeAgent(options: NodeAgentOptions): NodeAgent {
  return new Agent(options)
}

/** In UTF-8 bytes, of what is read: base64 of the largest set, and room for signatures. */
const MAX_ENVELOPE_BYTES = 524_288

const DEFAULTS = { maxClockAhead: MAX_CLOCK_AHEAD, maxTtl: MAX_TTL, requireKeyId: false }

class Agent implements NodeAgent {
  readonly #options: NodeAgentOptions
  readonly #roots: readonly NamedKey[]
  readonly #sets: SetStore
  readonly #used: UsedTasks
  #known: KnownSets | undefined
  #ring: KeyRing

  constructor(options: NodeAgentOptions) {
    this.#options = options
    this.#roots = options.root.map(rootKey)
    if (this.#roots.length === 0) throw misconfigured('root', 'names no key')
    this.#sets = new SetStore(join(options.dir, 'verifiers'))
    this.#used = new UsedTasks(join(options.dir, 'used'))
    this.#known = this.#sets.load()
    this.#ring = ringOf(this.#known)
  }

  get version(): number {
    return this.#known?.set.version ?? 0
  }

  ingestSet(text: string | Uint8Array): SetAnswer {
    const envelope = parseEnvelope(text, { maxBytes: MAX_ENVELOPE_BYTES })
    this.#catchUp()
    const judged = this.#judgeSet(envelope)
    if (typeof judged === 'string') return { accepted: false, reason: judged }
    // Made by another process in between: compared with that one.
    if (!this.#sets.save(judged)) return this.ingestSet(text)
    this.#use(judged)
    return { accepted: true, version: judged.set.version }
  }

  accept(text: string | Uint8Array, now: number): TaskAnswer {
    this.#catchUp()
    const envelope = parseEnvelope(text, { maxBytes: MAX_ENVELOPE_BYTES })
    const ended = this.#sets.ended(this.#known?.set.keys ?? [], now)
    const setting = { ...DEFAULTS, ...this.#options, ended, ring: this.#ring }
    const judged = judgeTask(envelope, setting, now)
    if (typeof judged === 'string') return { accepted: false, reason: judged }
    return this.#used.take(judged.task_id, judged.expires_at, now)
      ? { accepted: true, task: judged }
      : { accepted: false, reason: 'replayed' }
  }

  #judgeSet(envelope: Envelope | undefined): KnownSets | SetReason {
    if (envelope === undefined) return 'malformed'
    const results = verifyEnvelope(envelope, this.#roots)
    if (!results.some(({ check }) => check === 'valid')) {
      const unknown = results.length > 0 && results.every(({ check }) => check === 'unknown')
      return unknown ? 'key_unknown' : 'signature_invalid'
    }
    const set =
      envelope.payloadType === VERIFIER_SET_PAYLOAD_TYPE
        ? readVerifierSet(envelope.payload)
        : undefined
    if (set === undefined) return 'malformed'
    const refusal = refusalOfSet(describeSet(set, envelope.payload, this.#known))
    return refusal ?? remember(set, sha256Hex(envelope.payload), this.#known)
  }

  /** Another process may have taken a newer one: a key that it revoked is revoked here too. */
  #catchUp(): void {
    if (this.#sets.newest() > this.version) this.#use(this.#sets.load())
  }

  #use(known: KnownSets | undefined): void {
    this.#known = known
    this.#ring = ringOf(known)
  }
}

function rootKey(text: string): NamedKey {
  const key = verifyKeyOf(text)
  const bytes = fromBase64url(text)
  if (key === undefined || bytes === undefined)
    throw misconfigured('root', 'has a text that is no Ed25519 public key in base64url')
  return { key, kid: keyIdOf(bytes) }
}

const misconfigured = (option: string, what: string): NodeAgentError =>
  new NodeAgentError('node-agent', 'misconfigured', `the option ${option} ${what}`)
