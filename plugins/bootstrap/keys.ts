/** Where the plugin's records lie, and what signs for it. */
import type { TrustKind } from '../../formats/trust/index.ts'

/** By the hash of its secret. */
export const tokenRecord = (hash: string): string => `token/${hash}`
/** The newest document of a kind, as it was signed. */
export const trustRecord = (kind: TrustKind): string => `trust/${kind}`
export const NODES = 'node/'
export const nodeRecord = (nodeId: string): string => `${NODES}${nodeId}`

export const BOOTSTRAP_SCOPE = 'bootstrap'
export const BOOTSTRAP_KEY = 'bootstrap-root'
export const BOOTSTRAP_PURPOSE = 'bootstrap.bundle'
