/**
 * Replaces the log's key: a leaf that names both keys, a head that both sign, and an anchor in which one ends where the other begins. What
 * is under way stands in the store, committed together with the leaf, so that a process that was killed between two steps is followed by
 * one that takes the rest of them; nothing else may sign in between.
 */
import { join } from 'node:path'
import { CustodyError, LogError, StoreError } from '../../core/error.ts'
import type { TrustAnchor } from '../../core/log/anchor.ts'
import { formatAnchor } from '../../core/log/anchor.ts'
import { encodeLeaf } from '../../core/log/leaf.ts'
import { formatVkey } from '../../core/log/note.ts'
import { settledSize } from '../../core/merge.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Custody, KeyAlgorithm, PublicKey } from '../../core/ports/custody.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Key, Store, Write } from '../../core/ports/store.ts'
import { Sealer } from '../../core/seal.ts'
import { readAnchor } from './anchor.ts'
import { replaceFile } from './folder.ts'
import { anchorPath } from './identity.ts'

export interface RotationPorts {
  readonly dataFolder: string
  readonly store: Store
  readonly log: LogStore
  readonly custody: Custody
  readonly clock: Clock
  readonly sealTimeoutMs: number
}
export interface RotationOptions {
  /**
   * The key is in other hands: it signs nothing any more, and heads of more leaves than this that it signed do not count. Receipts under
   * such heads have to be fetched again.
   */
  readonly compromisedSince?: bigint
  /** Of the next key, default that of the one before. Another one is of another name: a key has one algorithm for life. */
  readonly algorithm?: KeyAlgorithm
}
export interface Rotation {
  readonly retired: PublicKey
  readonly next: PublicKey
  /** Leaves under the head at which the keys change. */
  readonly size: bigint
  readonly lastTrustedSize: bigint
  readonly anchor: TrustAnchor
  /** The head at which the keys change, as a checkpoint that both signed; of a compromised key the signature is missing. */
  readonly noteFile: string
}

/** Of versions of one key. */
interface Pending {
  readonly name: string
  /** Of the next key where it is not {@link name}. */
  readonly nextName?: string
  readonly retired: number
  readonly next: number
  readonly size: string
  readonly lastTrustedSize: string
  readonly compromised: boolean
  /** The checkpoint at `size`, once it is signed. */
  readonly note?: string
}

const PENDING: Key = { partition: '#rotation', sort: 'pending' }

/**
 * @throws CustodyError `not_active`: the key signs nothing any more and was not said to be compromised; `unknown_key`: it is gone; StoreError;
 *   LogError `conflict`: there is no anchor; `malformed`: no such size can be the last trusted one. Whatever it throws once it began, the next
 *   start or call goes on where this one ended
 */
export async function rotateKey(
  ports: RotationPorts,
  { algorithm, compromisedSince }: RotationOptions = {},
): Promise<Rotation> {
  // What was begun is ended first: it may have been this very call, tried again.
  const begun = await finishRotation(ports)
  if (begun) return begun
  const anchor = await requireAnchor(ports.dataFolder)
  const { origin } = anchor
  const retired = await retiringKey(ports.custody, anchor)
  if (compromisedSince === undefined && retired.state !== 'active')
    throw new CustodyError(
      ports.custody.name,
      'not_active',
      `the log's key is ${retired.state} and cannot sign the change: say up to which size it is trusted`,
    )
  const { clock, custody, log, store } = ports
  const size = (await settledSize(log)) + 1n
  const lastTrusted = compromisedSince ?? size
  checkLastTrusted(lastTrusted, size, retired, anchor)
  const next = await nextVersion(custody, retired, algorithm ?? retired.algorithm)
  const pending = {
    ...namesOf(retired, next),
    size: size.toString(),
    lastTrustedSize: lastTrusted.toString(),
    compromised: compromisedSince !== undefined,
  }
  const leaf = encodeLeaf({
    type: 'assay.key/v1',
    time: Math.floor(clock.now() / 1000),
    retired: formatVkey(origin, retired.publicKey),
    next: formatVkey(origin, next.publicKey),
    lastTrustedSize: pending.lastTrustedSize,
  })
  await commit(store, { put: PENDING, value: encode(pending), if: 'absent' }, leaf)
  const done = await finishRotation(ports)
  if (!done) throw new StoreError('data', 'corrupt', 'the key change that was just begun is gone')
  return done
}

type Names = Pick<Pending, 'name' | 'next' | 'nextName' | 'retired'>

function namesOf(retired: PublicKey, next: PublicKey): Names {
  const versions = { name: retired.name, retired: retired.version, next: next.version }
  return next.name === retired.name ? versions : { ...versions, nextName: next.name }
}

/** Takes the steps that are left of a change that was begun. Undefined when there is none. Has to be called before anything is signed. */
export async function finishRotation(ports: RotationPorts): Promise<Rotation | undefined> {
  const { custody, dataFolder, log, store } = ports
  const stored = await store.get(PENDING)
  if (!stored) return undefined
  const pending = JSON.parse(decoder.decode(stored.value)) as Pending
  const size = BigInt(pending.size)
  if ((await settledSize(log)) !== size)
    throw new StoreError('data', 'corrupt', 'the log went on in the middle of a change of its key')
  const anchor = await requireAnchor(dataFolder)
  const versions = await custody.list('log')
  const retired = versionOf(custody, versions, pending.name, pending.retired)
  const created = versionOf(custody, versions, pending.nextName ?? pending.name, pending.next)
  const next =
    created.state === 'pre-active' ? await custody.transition(created, 'active') : created
  const keys = { next, retired, compromised: pending.compromised }
  const note = pending.note ?? (await signHead(ports, anchor.origin, size, keys))
  // In one durable write with the head that was just published, before the old key loses its right to sign it again.
  if (pending.note === undefined)
    await commit(store, { put: PENDING, value: encode({ ...pending, note }), if: stored.version })
  const noteFile = join(dataFolder, `key-change-${size}.note`)
  await replaceFile(noteFile, note)
  const after = rotated(anchor, keys, size, pending.lastTrustedSize)
  await replaceFile(anchorPath(dataFolder), formatAnchor(after))
  if (pending.compromised && retired.state !== 'revoked')
    await custody.transition(retired, 'revoked')
  else if (retired.state === 'active') await custody.transition(retired, 'grace')
  const last = await store.get(PENDING)
  if (last) await commit(store, { remove: PENDING, if: last.version })
  const lastTrustedSize = BigInt(pending.lastTrustedSize)
  return { retired, next, size, lastTrustedSize, anchor: after, noteFile }
}

async function requireAnchor(dataFolder: string): Promise<TrustAnchor> {
  const path = anchorPath(dataFolder)
  const anchor = await readAnchor(path)
  if (anchor) return anchor
  throw new LogError('data', 'conflict', `${path} is gone: restore it`)
}

/** The one that the anchor has without an end, whatever became of it since. */
async function retiringKey(custody: Custody, { keys, origin }: TrustAnchor): Promise<PublicKey> {
  const vkey = keys.findLast(({ to }) => to === undefined)?.vkey
  const all = await custody.list('log')
  const found = all.find(({ publicKey }) => formatVkey(origin, publicKey) === vkey)
  if (found) return found
  const what = 'the key that the anchor names is gone: restore the keys from a backup'
  throw new CustodyError(custody.name, 'unknown_key', what)
}

function checkLastTrusted(
  lastTrusted: bigint,
  size: bigint,
  { publicKey }: PublicKey,
  { keys, origin }: TrustAnchor,
): void {
  const own = keys.find(({ vkey }) => vkey === formatVkey(origin, publicKey))
  if (own === undefined || lastTrusted < BigInt(own.from) || lastTrusted > size)
    throw new LogError(
      'data',
      'malformed',
      `the last trusted size is from ${own?.from ?? 0}, where the key began, to ${size}`,
    )
}

/** One that an earlier try left behind or an operator made, or a new one. */
async function nextVersion(
  custody: Custody,
  retired: PublicKey,
  algorithm: KeyAlgorithm,
): Promise<PublicKey> {
  const all = await custody.list('log')
  const name = nameFor(all, retired, algorithm)
  const left = all.findLast(
    (key) =>
      key.name === name &&
      (name !== retired.name || key.version > retired.version) &&
      (key.state === 'pre-active' || key.state === 'active'),
  )
  return left ?? (await custody.create('log', name, algorithm))
}

/** `log` for keys of the log's first algorithm, `log-ALGORITHM` for those of the other one. */
function nameFor(all: readonly PublicKey[], retired: PublicKey, algorithm: KeyAlgorithm): string {
  if (algorithm === retired.algorithm) return retired.name
  const first = retired.name.replace(`-${retired.algorithm}`, '')
  const fits = all.some((key) => key.name === first && key.algorithm === algorithm)
  return fits ? first : `${first}-${algorithm}`
}

function versionOf(
  custody: Custody,
  versions: readonly PublicKey[],
  name: string,
  version: number,
): PublicKey {
  const found = versions.find((key) => key.name === name && key.version === version)
  if (found) return found
  const what = `version ${version} of the log's key "${name}" is gone: restore the keys from a backup`
  throw new CustodyError(custody.name, 'unknown_key', what)
}

interface Keys {
  readonly next: PublicKey
  readonly retired: PublicKey
  readonly compromised: boolean
}

async function signHead(
  { clock, custody, log, sealTimeoutMs: timeoutMs }: RotationPorts,
  origin: string,
  size: bigint,
  { compromised, next, retired }: Keys,
): Promise<string> {
  const retiring = compromised ? undefined : retired
  const sealer = await Sealer.open({ origin, log, custody, key: next, retiring, timeoutMs, clock })
  await sealer.close()
  const { head } = sealer
  if (head?.size === size) return decoder.decode(head.note)
  throw new CustodyError(
    custody.name,
    'unavailable',
    'the head at which the keys change could not be signed: the next start tries again',
  )
}

function rotated(
  anchor: TrustAnchor,
  { next, retired }: Keys,
  size: bigint,
  to: string,
): TrustAnchor {
  const [ending, begun] = [retired, next].map(({ publicKey }) =>
    formatVkey(anchor.origin, publicKey),
  ) as [string, string]
  const others = anchor.keys.filter(({ vkey }) => vkey !== begun)
  const keys = others.map((key) => (key.vkey === ending ? { ...key, to } : key))
  return { ...anchor, keys: [...keys, { vkey: begun, from: size.toString() }] }
}

async function commit(store: Store, write: Write, leaf?: string): Promise<void> {
  const batch = { writes: [write], ...(leaf === undefined ? {} : { leaf: encoder.encode(leaf) }) }
  const [outcome] = await store.commit([batch])
  if (outcome && 'error' in outcome) throw outcome.error
  if (!outcome || 'conflict' in outcome)
    throw new StoreError('data', 'locked', "another process changes the log's key")
}
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const encode = (pending: Pending): Uint8Array => encoder.encode(JSON.stringify(pending))
