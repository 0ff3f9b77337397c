/** Whether a bundle is what it says and comes from who may say so. Nothing of it is used before that is known. */
import { canonicalJson } from '../../../core/canonical.ts'
import { sha256Hex } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle, CapabilitySet } from '../../../core/ports/compiler.ts'
import {
  BundleRefusal,
  contentDigest,
  type Delta,
  type Files,
  type ImportedRoots,
  type Manifest,
  type PolicyBundle,
  readDelta,
  readPolicyBundle,
  readSignatures,
  SIGNATURES,
  statementOf,
  verifyStatement,
} from '../../../formats/bundle/index.ts'
import compat from '../../../policies/capabilities/compat.json' with { type: 'json' }
import trust from '../../../policies/capabilities/trust.json' with { type: 'json' }
import type { Limits } from './archive.ts'
import { type TokenKey, verifyToken } from './token.ts'

/** Who must have signed; where both are named, both. */
export interface BundleTrust {
  readonly roots?: ImportedRoots
  readonly token?: TokenKey
}

export interface VerifiedBundle {
  readonly bundle: PolicyBundle
  /** `sha256:<hex>`, see `contentDigest`. */
  readonly content: string
  /** vkeys of the policy roots that signed. */
  readonly signers: readonly string[]
}

/** @throws BundleRefusal */
export async function verifyBundle(
  files: Files,
  trust: BundleTrust,
  { maxUnpackedBytes: maxBytes }: Pick<Limits, 'maxUnpackedBytes'>,
): Promise<VerifiedBundle> {
  const signers = await verifySignatures(files, trust)
  return { bundle: readPolicyBundle(files, { maxBytes }), content: contentDigest(files), signers }
}

export interface VerifiedDelta {
  readonly delta: Delta
  readonly content: string
  readonly signers: readonly string[]
}

/** @throws BundleRefusal */
export async function verifyDelta(
  files: Files,
  trust: BundleTrust,
  { maxUnpackedBytes: maxBytes }: Pick<Limits, 'maxUnpackedBytes'>,
): Promise<VerifiedDelta> {
  const signers = await verifySignatures(files, trust)
  return { delta: readDelta(files, { maxBytes }), content: contentDigest(files), signers }
}

/** The signatures alone: who signed. @throws BundleRefusal */
async function verifySignatures(
  files: Files,
  { roots, token }: BundleTrust,
): Promise<readonly string[]> {
  const found = readSignatures(files.get(SIGNATURES))
  const text = statementOf(files)
  const signers = roots === undefined ? [] : verifyStatement(text, found.assay ?? [], roots)
  if (token !== undefined) await verifyToken(files, found, token)
  return signers
}

const SETS: Readonly<Record<CapabilitySet, Json>> = { compat, trust }
/** By name: which sets a server takes that allows the built-ins of one. */
const WITHIN: Readonly<Record<CapabilitySet, readonly CapabilitySet[]>> = {
  compat: ['compat', 'trust'],
  trust: ['trust'],
}

/** As the manifest of a bundle names it. */
export function capabilitiesOf(name: CapabilitySet): Manifest['capabilities'] {
  return { name, sha256: sha256Hex(canonicalJson(SETS[name])) }
}

/** @throws BundleRefusal `capabilities_not_allowed` */
export function checkCapabilities({ capabilities }: Manifest, allowed: CapabilitySet): void {
  const known = WITHIN[allowed].map((name) => capabilitiesOf(name))
  if (
    known.some(({ name, sha256 }) => name === capabilities.name && sha256 === capabilities.sha256)
  )
    return
  throw new BundleRefusal(
    'capabilities_not_allowed',
    `it was compiled with other built-ins (${capabilities.name}) than this server allows (${allowed})`,
  )
}

/** What the kernel activates. */
export function served({ bundle, content }: VerifiedBundle): Bundle {
  const { data, manifest, plan, sources, wasm } = bundle
  const { capabilities, counter, digest, entrypoints } = manifest
  return {
    digest,
    revision: manifest.data,
    sources,
    data,
    capabilities: capabilities.name,
    entrypoints,
    plan,
    wasm,
    release: { counter, content },
  }
}
