/** Everything a kernel needs, in memory, with a plugin and a policy that a test writes as functions. */
import { manualClock } from '../../adapters/clock/manual.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import type { Json } from '../../core/json.ts'
import {
  createKernel,
  type Kernel,
  type KernelOptions,
  type Submission,
} from '../../core/kernel.ts'
import type { FactsSchema, Plugin } from '../../core/plugin.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { Engine, Policy } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload } from '../../core/request.ts'
import { schema } from '../../core/schema.ts'
import type { Verdict } from '../../core/verdict.ts'
import { testCustody } from './custody.ts'

export const ORIGIN = 'assay.test/log'
export const NOW = 1_790_000_000_000

export interface NoteFacts {
  readonly claimed: Json
  readonly evidence: { readonly check: string }
  readonly record: Json
}
const factsSchema: FactsSchema<NoteFacts> = {
  claimed: { trust: 'claimed', schema: schema.json() },
  evidence: {
    trust: 'attested',
    schema: schema.object({ check: schema.string() }),
    evidence: { requiredFor: ['note.sign'] },
  },
  record: { trust: 'verified', schema: schema.json() },
}

/** A plugin with one record, one list, and effects of each sort. */
export function notePlugin(overrides: Partial<Plugin<NoteFacts>> = {}): Plugin<NoteFacts> {
  return {
    name: 'note',
    actions: ['note.read', 'note.sign', 'note.write'],
    schema: factsSchema,
    lists: ['list/'],
    facts: async ({ payload }, read) => ({
      claimed: payload.json(),
      evidence: { check: 'valid' },
      record: (await read.get('record')) ?? null,
    }),
    effects: {
      'note.put': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.put'), value: schema.json() }),
        plan: ({ value }) => ({ writes: [{ put: 'record', value: value as Json }] }),
      },
      'note.burn': {
        onDeny: true,
        schema: schema.object({ kind: schema.literal('note.burn') }),
        plan: () => ({ writes: [{ put: 'record', value: 'burnt' }] }),
      },
      'note.unread': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.unread') }),
        plan: () => ({ writes: [{ put: 'never-read', value: 1 }] }),
      },
      'note.file': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.file') }),
        plan: (_, { decisionId }) => ({ writes: [{ put: `filed/${decisionId}`, value: 1 }] }),
      },
      'note.throw': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.throw') }),
        plan: () => {
          throw new Error('secret text')
        },
      },
      'note.sign': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.sign'), key: schema.string() }),
        plan: ({ key }) => ({
          signatures: [
            {
              name: 'token',
              scope: 'cell',
              key: key as string,
              purpose: 'note.token',
              message: new TextEncoder().encode('signed'),
            },
          ],
        }),
      },
      'note.send': {
        onDeny: false,
        schema: schema.object({ kind: schema.literal('note.send') }),
        plan: () => ({ outbox: [{ kind: 'mail', body: { to: 'ops' } }] }),
      },
    },
    ...overrides,
  }
}

export interface PolicyArgs {
  readonly facts: { readonly [name: string]: Json }
  readonly now: number
  readonly request: { readonly action: string }
}
export type PolicyFunction = (args: PolicyArgs) => unknown

export const ALLOW: Verdict = {
  allow: true,
  reasons: [{ code: 'owner', message: 'the owner may', rule: 'note.owner' }],
  effects: [],
  obligations: [],
}
export const DENY: Verdict = {
  allow: false,
  reasons: [{ code: 'not_owner', message: 'only the owner may', rule: 'note.owner' }],
  effects: [],
  obligations: [],
}

/** An engine whose policies are functions; it parses the text form, so that text and value cannot drift apart unseen. */
export function functionEngine(policy: PolicyFunction): Engine {
  return {
    name: 'function',
    load: async (bundle) => functionPolicy(policy, bundle),
  }
}

/** Without data: a change of it is a new revision and nothing else. */
export function functionPolicy(
  policy: PolicyFunction,
  { digest, entrypoints, revision }: Pick<Bundle, 'digest' | 'entrypoints' | 'revision'>,
): Policy {
  return {
    digest,
    revision,
    entrypoints,
    evaluate: (_entrypoint, input) => {
      const args = JSON.parse(input.text) as PolicyArgs
      // The question that every policy is asked before it serves.
      return args.request.action === '' ? (DENY as unknown as Json) : (policy(args) as Json)
    },
    patch: (_operations, next) => functionPolicy(policy, { digest, entrypoints, revision: next }),
    close: async () => {},
  }
}

export function bundle(
  name = 'a',
  entrypoints: readonly string[] = ['assay/note/decision'],
): Bundle {
  return {
    digest: `sha256:${name.repeat(64).slice(0, 64)}`,
    revision: `sha256:${'0'.repeat(64)}`,
    sources: { 'note.rego': 'package assay.note' },
    data: {},
    capabilities: 'trust',
    entrypoints,
    wasm: new Uint8Array(),
    plan: {},
  }
}

export interface Kit {
  readonly kernel: Kernel
  readonly store: Store
  readonly log: LogStore
  readonly clock: ReturnType<typeof manualClock>
  /** Every leaf, decoded. */
  leaves(): Promise<readonly { readonly [member: string]: Json }[]>
  record(): Promise<Json | undefined>
}

export interface KitOptions extends Partial<Omit<KernelOptions, 'plugins'>> {
  readonly policy?: PolicyFunction
  readonly plugin?: Plugin<NoteFacts>
  readonly activate?: boolean
}

export async function kit(options: KitOptions = {}): Promise<Kit> {
  const memory = openMemory()
  const { store = memory.store, log = memory.log, policy = () => ALLOW, activate = true } = options
  const clock = manualClock(NOW)
  const kernel = await createKernel({
    origin: ORIGIN,
    custody: options.custody ?? (await testCustody()),
    logKey: 'log',
    engine: functionEngine(policy),
    clock,
    development: false,
    ...options,
    store,
    log,
    plugins: [(options.plugin ?? notePlugin()) as Plugin],
  })
  if (activate) await kernel.activate(bundle())
  return { kernel, store, log, clock, leaves: () => leavesOf(log), record: () => recordOf(store) }
}

async function leavesOf(log: LogStore): Promise<readonly { readonly [member: string]: Json }[]> {
  const size = await log.size()
  const texts: Uint8Array[] = []
  for (let at = 0n; at < size; at += 256n) texts.push(...(await log.leaves(at, 256)))
  return texts.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)))
}

async function recordOf(store: Store): Promise<Json | undefined> {
  const stored = await store.get({ partition: 'note', sort: 'record' })
  return stored && (JSON.parse(new TextDecoder().decode(stored.value)) as Json)
}

export function submission(action = 'note.read', payload: Json = { by: 'alice' }): Submission {
  return { action, payload: Payload.fromJson(payload) }
}
