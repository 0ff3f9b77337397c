/** Signed bundles of a small policy, with keys that a test makes, and a kernel that they may serve. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manualClock } from '../adapters/clock/manual.ts'
import { patched } from '../adapters/engine/data/index.ts'
import { createJitEngine } from '../adapters/engine/jit/index.ts'
import type { Value } from '../adapters/engine/value/value.ts'
import { DEFAULT_LIMITS, pack } from '../adapters/policies/bundle/archive.ts'
import { bundleFiles } from '../adapters/policies/bundle/build.ts'
import { BundleCache } from '../adapters/policies/bundle/cache.ts'
import { deltaBetween, type Whole } from '../adapters/policies/bundle/delta.ts'
import { BundleKeeper, type KeeperOptions } from '../adapters/policies/bundle/keeper.ts'
import { policyVkey } from '../adapters/policies/bundle/sign.ts'
import {
  type Ask,
  type BundleSource,
  type Fetched,
  SourceError,
} from '../adapters/policies/bundle/source.ts'
import type { PolicyEvent } from '../adapters/policies/live.ts'
import { openSqlite } from '../adapters/store/sqlite/index.ts'
import type { Json } from '../core/json.ts'
import { createKernel, type Kernel } from '../core/kernel.ts'
import { signatureLine } from '../core/log/note.ts'
import type { Bundle } from '../core/ports/compiler.ts'
import type { LogStore } from '../core/ports/logstore.ts'
import {
  type Files,
  importRoots,
  keyName,
  readPolicyBundle,
  readSignatures,
  SIGNATURES,
  statementOf,
  writeSignatures,
} from '../formats/bundle/index.ts'
import { testCustody } from './kernel/custody.ts'
import { notePlugin, submission } from './kernel/kit.ts'
import { bundle as compiled, compiler } from './rego.ts'

export interface Signer {
  readonly name: string
  readonly vkey: string
  readonly key: KeyObject
  readonly publicKey: Uint8Array
}

/** A key of scope `policy` that is in nobody's custody. */
export function signer(name: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const x = publicKey.export({ format: 'jwk' }).x as string
  const bytes = new Uint8Array(Buffer.from(x, 'base64url'))
  return { name, key: privateKey, publicKey: bytes, vkey: policyVkey({ name, publicKey: bytes }) }
}

const ENTRYPOINT = 'assay/note/decision'
const verdict = (allow: boolean, code: string): string => `decision := {
	"allow": ${allow},
	"reasons": [{"code": "${code}", "message": "", "rule": "note"}],
	"effects": [],
	"obligations": [],
}`

export interface Made {
  readonly counter?: number
  readonly allow?: boolean
  readonly code?: string
  readonly rego?: string
  readonly entrypoint?: string
  readonly data?: Json
  readonly recorded?: Readonly<Record<string, Json>>
  readonly module?: string
}

/** What the compiler gives for it. */
export function compiledPolicy(made: Made = {}): Promise<Bundle> {
  const { allow = true, code = 'fine', data = {}, entrypoint = ENTRYPOINT } = made
  const rego = made.rego ?? verdict(allow, code)
  const sources = { 'note/note.rego': `package assay.note\n\n${rego}\n` }
  return compiled(sources, [entrypoint], data)
}

/** Its files, unsigned. */
export async function policyFiles(made: Made = {}): Promise<Files> {
  const encoder = new TextEncoder()
  const recorded = Object.entries(made.recorded ?? {}).map(
    ([name, value]) => [`tests/recorded/${name}`, encoder.encode(JSON.stringify(value))] as const,
  )
  const { counter = 1, module } = made
  return bundleFiles(await compiledPolicy(made), {
    counter,
    compiler: compiler.version,
    ...(module === undefined ? {} : { module }),
    recorded: new Map(recorded),
  })
}

/** With a signature of each, beside those that are there. */
export function signedBy(files: Files, ...signers: readonly Signer[]): Files {
  const text = statementOf(files)
  const lines = signers.map(({ key, name, publicKey }) =>
    signatureLine(keyName(name), publicKey, sign(null, new TextEncoder().encode(text), key)),
  )
  const found = readSignatures(files.get(SIGNATURES))
  const assay = [...(found.assay ?? []), ...lines]
  return new Map([...files, [SIGNATURES, writeSignatures({ ...found, assay })]])
}

export async function archive(made: Made, ...signers: readonly Signer[]): Promise<Uint8Array> {
  return pack(signedBy(await policyFiles(made), ...signers))
}

/** Decides by its documents: the code is `data.codes.now`. */
export const FROM_DATA = `decision := {
	"allow": object.get(data.codes, "allow", true),
	"reasons": [{"code": data.codes.now, "message": "", "rule": "note"}],
	"effects": [],
	"obligations": [],
}`

/** What leads from one to the other, unsigned. */
export async function deltaFiles(from: Made, to: Made): Promise<Files> {
  const whole = async (made: Made): Promise<Whole> => {
    const files = await policyFiles(made)
    return { files, bundle: readPolicyBundle(files, { maxBytes: 1_000_000 }) }
  }
  return deltaBetween(await whole(from), await whole(to))
}

/** A source that gives what a test put there, once it is asked. */
export class TestSource implements BundleSource {
  readonly name: string = 'test'
  readonly waits: boolean = false
  asked = 0
  /** What it was asked last. */
  last: Ask | undefined
  #offer: Uint8Array | Error = new SourceError('unreachable', 'nothing yet')

  offer(next: Uint8Array | Error): void {
    this.#offer = next
  }

  /** In the place of the offer, for who takes deltas. */
  delta: Uint8Array | undefined

  async ask(ask: Ask): Promise<Fetched> {
    this.asked++
    this.last = ask
    if (ask.deltas === true && this.delta !== undefined)
      return { kind: 'bundle', bytes: this.delta, tag: 'delta' }
    if (this.#offer instanceof Error) throw this.#offer
    return { kind: 'bundle', bytes: this.#offer }
  }

  async close(): Promise<void> {}
}

export interface Served {
  readonly kernel: Kernel
  readonly log: LogStore
  readonly keeper: BundleKeeper
  readonly events: readonly PolicyEvent[]
  stop(): Promise<void>
}

/** A place with keys, a source and a store on disk, in which one server at a time is started. */
export class BundlePlace {
  readonly folder: string
  readonly source: TestSource = new TestSource()
  readonly clock: ReturnType<typeof manualClock> = manualClock(1_790_000_000_000)
  readonly alice: Signer = signer('alice')
  readonly bob: Signer = signer('bob')
  readonly carol: Signer = signer('carol')
  readonly #custody = testCustody()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<BundlePlace> {
    return new BundlePlace(await mkdtemp(join(tmpdir(), 'assay-bundles-')))
  }

  get cacheFolder(): string {
    return join(this.folder, 'bundles')
  }

  /** Two of three keys. */
  async open(options: Partial<KeeperOptions> = {}): Promise<Served> {
    const { log, store } = await openSqlite({ path: join(this.folder, 'log.db') })
    const engine = createJitEngine()
    const kernel = await createKernel({
      origin: 'assay.test/bundles',
      store,
      log,
      custody: await this.#custody,
      logKey: 'log',
      engine,
      clock: this.clock,
      plugins: [notePlugin()],
      development: false,
    })
    const events: PolicyEvent[] = []
    const keys = [this.alice, this.bob, this.carol].map(({ vkey }) => vkey)
    const opened = BundleKeeper.open({
      source: this.source,
      trust: { roots: importRoots({ keys, threshold: 2 }) },
      limits: DEFAULT_LIMITS,
      capabilities: 'trust',
      trial: { engine, entrypoints: [ENTRYPOINT] },
      kernel,
      store,
      cache: new BundleCache(this.cacheFolder),
      patched: (data, operations) => patched(data as Value, operations) as Json,
      clock: this.clock,
      poll: { minMs: 5, maxMs: 20 },
      staleAfterMs: 60_000,
      onPolicy: (event) => events.push(event),
      ...options,
    })
    const keeper = await opened.catch(async (error: unknown) => {
      await kernel.close()
      throw error
    })
    const stop = async (): Promise<void> => {
      await keeper.close()
      await kernel.close()
    }
    return { kernel, log, keeper, events, stop }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

/** The first reason of a decision made now. */
export async function reasonNow(kernel: Kernel): Promise<string | undefined> {
  const { reasons } = await kernel.decide(submission())
  return reasons[0]?.code
}

/** The reasons of the kernel's own decisions about policies, in the log's order. */
export async function policyLeaves(log: LogStore): Promise<readonly string[]> {
  const size = await log.size()
  const found: string[] = []
  for (let at = 0n; at < size; at += 256n) {
    for (const bytes of await log.leaves(at, 256)) {
      const { action, reasons } = JSON.parse(new TextDecoder().decode(bytes)) as {
        readonly action?: string
        readonly reasons?: readonly { readonly code: string }[]
      }
      if (action?.startsWith('kernel.')) found.push(reasons?.[0]?.code ?? '')
    }
  }
  return found
}
