/** Policy bundles as bytes: archive, manifest, digests, signatures. Nothing here reads a file, knows a key or trusts anybody. */
export { TOKEN_ALGORITHMS, type TokenAlgorithm } from './algorithms.ts'
export { type PolicyBundle, type ReadOptions, readPolicyBundle } from './bundle.ts'
export {
  type Delta,
  type DeltaManifest,
  isDelta,
  readDelta,
  readDeltaManifest,
  writeDelta,
} from './delta.ts'
export { difference } from './difference.ts'
export { type Compiled, contentDigest, dataRevision, type Files, policyDigest } from './digest.ts'
export { isStructured, structuredText } from './hash.ts'
export { MANIFEST, type Manifest, MODULES, readManifest, writeManifest } from './manifest.ts'
export { byPath, comparePoints } from './order.ts'
export { PATCH, type PatchOperation, pointerOf } from './patch.ts'
export { RECORDED, type Recorded, readRecorded } from './recorded.ts'
export { BUNDLE_REFUSALS, BundleRefusal, type BundleRefusalCode } from './refusal.ts'
export { readSignatures, SIGNATURES, type Signatures, writeSignatures } from './signatures.ts'
export {
  type ImportedRoots,
  importRoots,
  keyName,
  PURPOSE,
  type Roots,
  statement,
  statementOf,
  verifyStatement,
} from './statement.ts'
export { readTar, safePath } from './tar.ts'
export { writeTar } from './tar-write.ts'
