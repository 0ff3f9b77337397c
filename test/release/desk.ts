/** A kernel with the plugin `release` and the package's policies for it, in memory. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ManualClock, manualClock } from '../../adapters/clock/manual.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import { toBase64url } from '../../core/base64.ts'
import type { Json } from '../../core/json.ts'
import { createKernel, type Decision, type Kernel } from '../../core/kernel.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { MAX_SIGNATURE_BYTES, readSignature } from '../../formats/minisign/index.ts'
import { release } from '../../plugins/release/facts.ts'
import type { Stated } from '../../plugins/release/schema.ts'
import { testEngine } from '../engine.ts'
import { testCustody } from '../kernel/custody.ts'
import { bundle } from '../rego.ts'

export const NOW = 1_790_000_000
export const OPERATOR: Peer = { kind: 'operator', id: 'root' }
export const ANYONE: Peer = { kind: 'anonymous', id: 'anonymous' }

export interface Desk {
  readonly kernel: Kernel
  readonly clock: ManualClock
  readonly store: Store
  /** As an operator, unless another peer asks. */
  decide(action: string, payload: object, peer?: Peer): Promise<Decision>
  /** Pins each key. @throws when one is refused */
  pin(...keys: readonly string[]): Promise<void>
}

/** Overrides members of `policies/release/data.json`. */
export type Data = { readonly [member: string]: Json }

export async function openDesk(data: Data = {}): Promise<Desk> {
  const { store, log } = openMemory()
  const clock = manualClock(NOW * 1000)
  const kernel = await createKernel({
    origin: 'assay.test/releases',
    store,
    log,
    custody: await testCustody(),
    logKey: 'log',
    engine: testEngine(),
    clock,
    plugins: [release as Plugin],
    development: true,
  })
  await kernel.activate(await bundle(await sources(data), ['assay/release/decision']))
  const decide = (action: string, payload: object, peer = OPERATOR): Promise<Decision> =>
    kernel.decide({ action, payload: Payload.fromJson(payload), peer }, { seal: 'durable' })
  const pin = async (...keys: readonly string[]): Promise<void> => {
    for (const public_key of keys) {
      const { allow, reasons } = await decide('release.pin', { public_key })
      if (!allow) throw new Error(`a test's own key is refused: ${reasons[0]?.code}`)
    }
  }
  return { kernel, clock, store, decide, pin }
}

async function sources(data: Data): Promise<Readonly<Record<string, string>>> {
  const all = await loadFolder(join(import.meta.dirname, '../../policies'))
  const own = Object.entries(all).filter(([path]) => /^(?:[^/]+$|lib\/|release\/)/.test(path))
  const shipped = JSON.parse(all['release/data.json'] ?? '{}') as object
  return {
    ...Object.fromEntries(own),
    'release/data.json': JSON.stringify({ ...shipped, ...data }),
  }
}

export const code = ({ reasons }: Pick<Decision, 'reasons'>): string =>
  reasons.map((reason) => reason.code).join(' ')

/** A release as it lies in a folder; undefined where a file is not there. */
export interface Served {
  readonly name: string
  readonly artifact: Uint8Array
  readonly artifactSignature: Uint8Array | undefined
  readonly sums: Uint8Array | undefined
  readonly sumsSignature: Uint8Array | undefined
}

/** Undefined without an artifact. */
export async function served(folder: string, name: string): Promise<Served | undefined> {
  const file = (path: string): Promise<Uint8Array | undefined> =>
    readFile(join(folder, path)).catch(() => undefined)
  const [artifact, artifactSignature, sums, sumsSignature] = await Promise.all(
    [name, `${name}.minisig`, 'SHA256SUMS', 'SHA256SUMS.minisig'].map(file),
  )
  return artifact && { name, artifact, artifactSignature, sums, sumsSignature }
}

/** By their names. */
export function filesOf(release: Served): Readonly<Record<string, Uint8Array | undefined>> {
  const { artifact, artifactSignature, name, sums, sumsSignature } = release
  return {
    [name]: artifact,
    [`${name}.minisig`]: artifactSignature,
    SHA256SUMS: sums,
    'SHA256SUMS.minisig': sumsSignature,
  }
}

/** Writes them into a folder that is there. */
export function layOut(release: Served, folder: string): string {
  for (const [name, bytes] of Object.entries(filesOf(release)))
    if (bytes !== undefined) writeFileSync(join(folder, name), bytes)
  return folder
}

export interface Wanted {
  readonly keys?: readonly string[]
  readonly minimum?: Stated
}

/** What an enforcement point asks about it. */
export function question(release: Served, wanted: Wanted = {}): object {
  const { artifact, artifactSignature, name, sums, sumsSignature } = release
  const digest = (algorithm: string): string => createHash(algorithm).update(artifact).digest('hex')
  const signature = artifactSignature && readSignature(artifactSignature)
  const legacy = signature && 'algorithm' in signature && signature.algorithm === 'legacy'
  return {
    artifact: name,
    blake2b512: digest('blake2b512'),
    sha256: digest('sha256'),
    size: artifact.length,
    ...(legacy && { content: toBase64url(artifact) }),
    ...(artifactSignature && { artifact_signature: start(artifactSignature) }),
    ...(sums && { sums: toBase64url(sums) }),
    ...(sumsSignature && { sums_signature: start(sumsSignature) }),
    ...wanted,
  }
}

const start = (file: Uint8Array): string => toBase64url(file.subarray(0, MAX_SIGNATURE_BYTES))
