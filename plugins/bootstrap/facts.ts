/** The plugin `bootstrap`: how a node that has nothing comes to trust the platform, and how that trust changes. See README.md. */
import { fromBase64 } from '../../core/base64.ts'
import { JsonError } from '../../core/error.ts'
import type { Plugin, ReadPorts } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import type { Request } from '../../core/request.ts'
import { SIGNER, signingKeyFacts } from '../../formats/signingkey/index.ts'
import {
  type Anchor,
  anchoredBy,
  readTrust,
  TRUST_KINDS,
  type TrustDocument,
  type TrustKind,
  tokenHash,
} from '../../formats/trust/index.ts'
import { changeOf } from './change.ts'
import { bootstrapEffects } from './effects.ts'
import {
  BOOTSTRAP_KEY,
  BOOTSTRAP_SCOPE,
  NODES,
  nodeRecord,
  tokenRecord,
  trustRecord,
} from './keys.ts'
import {
  actions,
  anchorsFit,
  type BootstrapFacts,
  bootstrapSchema,
  type NodeRecord,
  type Payload,
  payloads,
  type TokenRecord,
  type TrustRecord,
} from './schema.ts'

async function facts(
  request: Request,
  read: ReadPorts,
  _now: UnixSeconds,
  signal: AbortSignal,
): Promise<BootstrapFacts> {
  signal.throwIfAborted()
  const payload = readPayload(request)
  if ('problem' in payload) return { ...NOTHING, payload: { check: 'malformed', ...payload } }
  const reader = new Reader(read, signal)
  const { anchors = [], node_id = '', reason = '', secret, trust, ttl = 0, version = 0 } = payload
  const token_hash = secret === undefined ? (payload.token_hash ?? '') : tokenHash(secret)
  const documents = await reader.documents()
  const before = trust && documents.get(trust)
  const said = trust ?? 'none'
  const asked = anchors.map(({ id, state, value }) => ({ id, state, value }))
  return {
    change: trust ? changeOf(before?.anchors, asked, elsewhere(documents, trust)) : NOTHING.change,
    claimed: { anchors: asked, node_id, reason, token_hash, trust: said, ttl, version },
    key: await signingKeyFacts(reader.getFrom, BOOTSTRAP_SCOPE, BOOTSTRAP_KEY),
    node: await reader.node(node_id, trust),
    payload: { check: 'valid' },
    token: await reader.token(token_hash),
    trust: {
      complete: documents.size === TRUST_KINDS.length,
      lagging: trust && anchors.length > 0 ? await reader.lagging(trust, before?.version ?? 0) : [],
      version: before?.version ?? 0,
    },
  }
}

function readPayload({ action, payload }: Request): Payload | { readonly problem: string } {
  try {
    const value = payload.json()
    const problem = payloads[action]?.problem(value, '')
    if (problem !== undefined) return { problem: problem.slice(0, MAX_PROBLEM) }
    const read = value as Payload
    const { anchors, trust } = read
    if (anchors === undefined || trust === undefined) return read
    const names = new Set(anchors.map(({ id }) => id))
    const fit = names.size === anchors.length && names.size > 0 && anchorsFit(trust, anchors)
    return fit ? read : { problem: '/anchors: expected anchors of this kind, each id once' }
  } catch (error) {
    if (error instanceof JsonError) return { problem: `/: ${error.code}` }
    throw error
  }
}
/** UTF-16 units: a problem names the member, however long its name is. */
const MAX_PROBLEM = 512

type Documents = ReadonlyMap<TrustKind, TrustDocument>

function elsewhere(documents: Documents, trust: TrustKind): ReadonlySet<string> {
  const others: readonly Anchor[] = [...documents].flatMap(([kind, { anchors }]) =>
    kind === trust ? [] : anchors,
  )
  return new Set(others.flatMap(({ value }) => anchoredBy(value)))
}

/** Reads nothing once the caller has given up. */
class Reader {
  readonly #read: ReadPorts
  readonly #signal: AbortSignal

  constructor(read: ReadPorts, signal: AbortSignal) {
    this.#read = read
    this.#signal = signal
  }

  readonly getFrom: ReadPorts['getFrom'] = async (plugin, sort) => {
    this.#signal.throwIfAborted()
    return this.#read.getFrom(plugin, sort)
  }

  async documents(): Promise<Documents> {
    const documents = new Map<TrustKind, TrustDocument>()
    for (const kind of TRUST_KINDS) {
      const record = await this.#own<TrustRecord>(trustRecord(kind))
      const payload = record && fromBase64(record.payload)
      const document = payload && readTrust(kind, record.payloadType, payload)
      if (document) documents.set(kind, document)
    }
    return documents
  }

  async token(hash: string): Promise<BootstrapFacts['token']> {
    if (hash === '') return NOTHING.token
    const record = await this.#own<TokenRecord>(tokenRecord(hash))
    if (record === undefined) return NOTHING.token
    const { expires_at, node_id, used } = record
    return { expires_at, known: true, node_id, used }
  }

  async node(nodeId: string, trust: TrustKind | undefined): Promise<BootstrapFacts['node']> {
    if (nodeId === '') return NOTHING.node
    const record = await this.#own<NodeRecord>(nodeRecord(nodeId))
    const acknowledged = record && trust ? record.acknowledged[trust] : 0
    return { acknowledged, known: record !== undefined }
  }

  async lagging(trust: TrustKind, version: number): Promise<readonly string[]> {
    this.#signal.throwIfAborted()
    const nodes = await this.#read.listGuarded(NODES)
    return nodes
      .filter(({ value }) => (value as unknown as NodeRecord).acknowledged[trust] < version)
      .slice(0, 10)
      .map(({ sort }) => sort.slice(NODES.length))
  }

  async #own<T>(sort: string): Promise<T | undefined> {
    this.#signal.throwIfAborted()
    return (await this.#read.get(sort)) as T | undefined
  }
}

const NOTHING: BootstrapFacts = {
  change: {
    ...{ added: [], altered: [], current: [], dropped: [] },
    ...{ dropped_current: [], early: [], promoted: [], shared: [] },
  },
  claimed: {
    anchors: [],
    node_id: '',
    reason: '',
    token_hash: '',
    trust: 'none',
    ttl: 0,
    version: 0,
  },
  key: {
    kid: '',
    managed: false,
    name: BOOTSTRAP_KEY,
    public_key: '',
    scope: BOOTSTRAP_SCOPE,
    version: 0,
  },
  node: { acknowledged: 0, known: false },
  payload: { check: 'valid' },
  token: { expires_at: 0, known: false, node_id: '', used: false },
  trust: { complete: false, lagging: [], version: 0 },
}

export const bootstrap: Plugin<BootstrapFacts> = {
  name: 'bootstrap',
  actions,
  schema: bootstrapSchema,
  lists: [NODES],
  reads: [SIGNER],
  effects: bootstrapEffects,
  facts,
}
