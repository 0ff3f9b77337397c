/** A kernel with the plugin `signer` and its policies, keys in files, and the outbox that has custody make and move them. */
import { createKeyCustody } from '../../adapters/outbound/custody/index.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Custody, KeyState, PublicKey } from '../../core/ports/custody.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Outbound } from '../../core/ports/outbound.ts'
import type { Secrets } from '../../core/ports/secrets.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Peer } from '../../core/request.ts'
import { type Envelope, openEnvelope } from '../../formats/dsse/index.ts'
import { readVerifierSet, type VerifierSet } from '../../formats/task/index.ts'
import { signer } from '../../plugins/signer/facts.ts'
import type { KeyRecord } from '../../plugins/signer/schema.ts'
import { type Real, realKernel } from '../kernel/real.ts'
import { lateKernel } from '../lease/kit.ts'

export const TASK = { name: 'task', scope: 'task' } as const
export const ROOT = { name: 'verifier-root', scope: 'bootstrap' } as const
export const ROTATION: Peer = { kind: 'kernel', id: 'rotation' }

export interface Signing extends Real {
  readonly custody: Custody
  record(partition: string, sort: string): Promise<Json | undefined>
  key(of?: { readonly name: string; readonly scope: string }): Promise<KeyRecord>
  /** As custody has them. */
  states(): Promise<readonly KeyState[]>
  /** The newest set as a reader gets it. */
  set(): Promise<{ readonly envelope: Envelope; readonly set: VerifierSet }>
  /** Waits until custody and records agree: nothing is made or moved any more. */
  settled(): Promise<void>
}

export interface SigningOptions {
  readonly data?: Readonly<Record<string, Json>>
  readonly plugins?: readonly Plugin[]
  readonly outbound?: readonly Outbound[]
  /** With an active key of the log. */
  readonly custody: Custody
  readonly secrets?: Secrets
  readonly pair?: { readonly store: Store; readonly log: LogStore }
}

export async function signing(options: SigningOptions): Promise<Signing> {
  const { custody, secrets } = options
  const kernel = lateKernel()
  let now = (): number => 0
  const outbound = createKeyCustody({
    clock: { now: () => now() as never },
    custody,
    kernel,
    secrets,
  })
  const pair = options.pair ?? openMemory()
  const real = await realKernel([signer as Plugin, ...(options.plugins ?? [])], {
    custody,
    pair,
    outbound: [outbound, ...(options.outbound ?? [])],
    ...(options.data === undefined ? {} : { data: options.data }),
  })
  now = () => real.clock.now()
  kernel.use(real.kernel)
  const key = async ({ name, scope }: { name: string; scope: string } = TASK) =>
    (await real.record('signer', `key/${scope}/${name}`)) as unknown as KeyRecord
  return {
    ...real,
    key,
    async states() {
      return (await versions(custody)).map(({ state }) => state)
    },
    async set() {
      const { output } = await real.decide('signer.set', TASK, ANYBODY)
      const envelope = openEnvelope((output as { envelope: Json }).envelope)
      if (envelope === undefined) throw new Error('the set is an envelope')
      const set = readVerifierSet(envelope.payload)
      if (set === undefined) throw new Error('the envelope holds a set')
      return { envelope, set }
    },
    async settled() {
      await waitUntilEmpty(pair.store)
    },
  }
}
const ANYBODY: Peer = { kind: 'anonymous', id: 'anonymous' }

async function versions(custody: Custody): Promise<readonly PublicKey[]> {
  return (await custody.list(TASK.scope)).filter(({ name }) => name === TASK.name)
}

async function waitUntilEmpty(store: Store): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    let entries = 0
    for await (const _ of store.list('#outbox', '')) entries++
    if (entries === 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('the outbox does not become empty')
}

/** A root that signs sets, and a key with one active version. @throws when the policy refuses a step */
export async function begin(place: Pick<Signing, 'ask' | 'settled'>): Promise<void> {
  for (const key of [ROOT, TASK]) {
    await must(place.ask('signer.create', key))
    await place.settled()
    await must(place.ask('signer.activate', { ...key, version: 1 }))
    await place.settled()
  }
}

async function must(asked: Promise<readonly (boolean | string)[]>): Promise<void> {
  const [allow, ...codes] = await asked
  if (allow !== true) throw new Error(`refused: ${codes.join(' ')}`)
}
