/**
 * What a node trusts, by purpose. Public HTTPS, node certificates and verifier sets have a type, a payload type, a file and a method each:
 * there is no way from one to another.
 */
import { join } from 'node:path'
import { fromBase64url, sha256Hex } from '../core/crypto.ts'
import { JsonError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import { parseJson } from '../core/json.ts'
import { type Schema, schema } from '../core/schema.ts'
import {
  type Envelope,
  openEnvelope,
  parseEnvelope,
  verifyEnvelope,
} from '../formats/dsse/index.ts'
import { keyIdOf, verifyKeyOf } from '../formats/task/index.ts'
import {
  type BootstrapBundle,
  type EnrolmentToken,
  readBundle,
  readToken,
  readTrust,
  TRUST_KINDS,
  type TrustDocument,
  type TrustKind,
} from '../formats/trust/index.ts'
import { NodeAgentError } from './error.ts'
import { openFolder, readIfThere, replace } from './files.ts'

/** Never there at run time. */
export declare const purpose: unique symbol
/** A value that is good for one purpose, and that TypeScript takes for no other. */
type For<Purpose extends TrustKind, T> = T & { readonly [purpose]: Purpose }

/** CA certificates in PEM, for `tls.connect({ ca })` to public HTTPS. */
export type HttpsCa = For<'https', readonly string[]>
/** CA certificates in PEM, for the certificates of nodes. */
export type NodeCa = For<'node-ca', readonly string[]>
/** Public keys in base64url, for {@link NodeAgentOptions.root}. */
export type VerifierRoots = For<'verifier-root', readonly string[]>

export const TRUST_REASONS = [
  'malformed',
  'root_mismatch',
  'signature_invalid',
  'node_mismatch',
  'control_plane_mismatch',
  'digest_mismatch',
  'wrong_kind',
  'trust_rollback',
  'not_newer',
  'equivocation',
] as const
export type TrustReason = (typeof TRUST_REASONS)[number]
export type TrustAnswer =
  | { readonly accepted: true; readonly version: number }
  | { readonly accepted: false; readonly reason: TrustReason }

export interface NodeTrust {
  /**
   * What the platform answered for the token: the output of `bootstrap.fetch`, as JSON. Nothing is kept unless all of it holds.
   * @throws NodeAgentError `misconfigured` for a text that is no token
   */
  enrol(token: string, answer: string): TrustAnswer
  /**
   * A newer document, such as in a rotation of CAs.
   * @throws NodeAgentError `misconfigured` before the node was enrolled; `corrupt`: nobody knows which document would be older
   */
  updateHttps(envelope: string): TrustAnswer
  updateNodeCa(envelope: string): TrustAnswer
  updateVerifierRoot(envelope: string): TrustAnswer
  /** Of each document that the node has: what it acknowledges. */
  versions(): { readonly [Kind in TrustKind]: number }
  /** @throws NodeAgentError `misconfigured` before the node was enrolled; `corrupt` for a file that is not the one that was kept there */
  httpsCa(): HttpsCa
  nodeCa(): NodeCa
  verifierRoots(): VerifierRoots
  /** Where the control plane is. */
  controlPlane(): string
}

/** @throws NodeAgentError `unavailable` */
export function openNodeTrust(dir: string): NodeTrust {
  return new Trust(dir)
}

/** Names of files; each holds the envelope as it was signed, and is verified whenever it is read. */
const FILES: { readonly [Kind in TrustKind]: string } = {
  https: 'https-ca.dsse.json',
  'node-ca': 'node-ca.dsse.json',
  'verifier-root': 'verifier-root.dsse.json',
}
/** The key that signs all of them, as the token named it. */
const ROOT = 'trust-root.json'

interface Pinned {
  readonly control_plane: string
  readonly root: string
}
const pinnedSchema: Schema<Pinned> = schema.object({
  control_plane: schema.string({ maxLength: 2048 }),
  root: schema.string({ maxLength: 128 }),
})

class Trust implements NodeTrust {
  readonly #folder: string

  constructor(dir: string) {
    this.#folder = join(dir, 'trust')
    openFolder(this.#folder)
  }

  enrol(text: string, answer: string): TrustAnswer {
    const token = readToken(text)
    if (token === undefined)
      throw new NodeAgentError('node-agent', 'misconfigured', 'the text is no enrolment token')
    const read = readAnswer(answer)
    if (read === undefined) return refused('malformed')
    const problem = problemOf(read, token)
    if (problem !== undefined) return refused(problem)
    const { root, trust } = read
    for (const kind of TRUST_KINDS) {
      const judged = this.#judge(kind, openEnvelope(trust[kind]), root)
      if (typeof judged === 'string' && judged !== 'not_newer') return refused(judged)
    }
    const pinned: Pinned = { control_plane: token.control_plane, root }
    for (const kind of TRUST_KINDS) replace(this.#folder, FILES[kind], JSON.stringify(trust[kind]))
    // Last: a node without it has not been enrolled.
    replace(this.#folder, ROOT, JSON.stringify(pinned))
    return { accepted: true, version: this.#read('https').version }
  }

  updateHttps(envelope: string): TrustAnswer {
    return this.#update('https', envelope)
  }

  updateNodeCa(envelope: string): TrustAnswer {
    return this.#update('node-ca', envelope)
  }

  updateVerifierRoot(envelope: string): TrustAnswer {
    return this.#update('verifier-root', envelope)
  }

  versions(): { readonly [Kind in TrustKind]: number } {
    return {
      https: this.#read('https').version,
      'node-ca': this.#read('node-ca').version,
      'verifier-root': this.#read('verifier-root').version,
    }
  }

  httpsCa(): HttpsCa {
    return valuesOf(this.#read('https')) as HttpsCa
  }

  nodeCa(): NodeCa {
    return valuesOf(this.#read('node-ca')) as NodeCa
  }

  verifierRoots(): VerifierRoots {
    return valuesOf(this.#read('verifier-root')) as VerifierRoots
  }

  controlPlane(): string {
    return this.#pinned().control_plane
  }

  #update(kind: TrustKind, text: string): TrustAnswer {
    // Without the document that is there, an older one would look new.
    this.#read(kind)
    const envelope = parseEnvelope(text)
    const judged = this.#judge(kind, envelope, this.#pinned().root)
    if (typeof judged === 'string') return refused(judged)
    replace(this.#folder, FILES[kind], text)
    return { accepted: true, version: judged.version }
  }

  #judge<Kind extends TrustKind>(
    kind: Kind,
    envelope: Envelope | undefined,
    root: string,
  ): TrustDocument<Kind> | TrustReason {
    if (envelope === undefined) return 'malformed'
    if (!signedBy(root, envelope)) return 'signature_invalid'
    const document = readTrust(kind, envelope.payloadType, envelope.payload)
    if (document === undefined) return 'wrong_kind'
    const text = readIfThere(join(this.#folder, FILES[kind]))
    const before = text === undefined ? undefined : parseEnvelope(text)
    const known = before && readTrust(kind, before.payloadType, before.payload)
    if (before === undefined || known === undefined) return document
    if (document.version > known.version) return document
    if (document.version < known.version) return 'trust_rollback'
    const same = sha256Hex(before.payload) === sha256Hex(envelope.payload)
    return same ? 'not_newer' : 'equivocation'
  }

  #pinned(): Pinned {
    const text = readIfThere(join(this.#folder, ROOT))
    if (text === undefined)
      throw new NodeAgentError('node-agent', 'misconfigured', 'this node is not enrolled yet')
    const pinned = pinnedIn(text)
    if (pinned !== undefined) return pinned
    throw damaged(join(this.#folder, ROOT), 'the key that signs what it trusts')
  }

  #read<Kind extends TrustKind>(kind: Kind): TrustDocument<Kind> {
    const path = join(this.#folder, FILES[kind])
    const { root } = this.#pinned()
    const envelope = parseEnvelope(readIfThere(path) ?? '')
    const document =
      envelope && signedBy(root, envelope)
        ? readTrust(kind, envelope.payloadType, envelope.payload)
        : undefined
    if (document !== undefined) return document
    throw damaged(path, `what this node trusts for ${kind}`)
  }
}

function damaged(path: string, what: string): NodeAgentError {
  const text = `${path} does not hold ${what}; enrol the node again`
  return new NodeAgentError('node-agent', 'corrupt', text)
}

function pinnedIn(text: string): Pinned | undefined {
  try {
    const value = parseJson(text, { maxBytes: 4096, maxDepth: 1 })
    return pinnedSchema.problem(value, '') === undefined ? (value as unknown as Pinned) : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

const refused = (reason: TrustReason): TrustAnswer => ({ accepted: false, reason })

function valuesOf({ anchors }: TrustDocument): readonly string[] {
  return anchors.map(({ value }) => value)
}

interface Answer {
  readonly bundle: Envelope
  readonly root: string
  readonly trust: { readonly [Kind in TrustKind]: Json }
}

/** The bundle's parts stand beside each other, as a decision's output has them. */
function readAnswer(text: string): Answer | undefined {
  try {
    const value = parseJson(text, { maxBytes: 4_194_304, maxDepth: 8 }) as {
      readonly [member: string]: Json
    }
    const { keyid = '', payload = null, payloadType = null, root, signature = null } = value ?? {}
    const signatures = [{ keyid, sig: signature }]
    const bundle = openEnvelope({ payload, payloadType, signatures })
    const trust = value?.trust as Answer['trust'] | undefined
    if (bundle === undefined || typeof root !== 'string') return undefined
    if (!TRUST_KINDS.every((kind) => openEnvelope(trust?.[kind] ?? null))) return undefined
    return { bundle, root, trust: trust as Answer['trust'] }
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/** The token says which key; that key says everything else. */
function problemOf(
  { bundle, root, trust }: Answer,
  token: EnrolmentToken,
): TrustReason | undefined {
  const key = fromBase64url(root)
  if (key === undefined || sha256Hex(key) !== token.root) return 'root_mismatch'
  if (!signedBy(root, bundle)) return 'signature_invalid'
  const read: BootstrapBundle | undefined = readBundle(bundle.payloadType, bundle.payload)
  if (read === undefined) return 'wrong_kind'
  if (read.node_id !== token.node_id) return 'node_mismatch'
  if (read.control_plane !== token.control_plane) return 'control_plane_mismatch'
  const named = TRUST_KINDS.every((kind) => {
    const payload = openEnvelope(trust[kind])?.payload
    return payload !== undefined && sha256Hex(payload) === read.trust[kind]
  })
  return named ? undefined : 'digest_mismatch'
}

function signedBy(root: string, envelope: Envelope): boolean {
  const key = verifyKeyOf(root)
  if (key === undefined) return false
  const kid = keyIdOf(key.publicKey)
  return verifyEnvelope(envelope, [{ key, kid }]).some(({ check }) => check === 'valid')
}
