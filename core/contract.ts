/** `assay/plugin`: what a plugin is written against. Types, the schema language, strict JSON, hashes and pinned keys; nothing that acts. */
export * from './canonical.ts'
export * from './crypto.ts'
export * from './json.ts'
export * from './plugin.ts'
export type { UnixSeconds } from './ports/clock.ts'
export type { KeyScope } from './ports/custody.ts'
export * from './request.ts'
export { type Infer, type Schema, schema } from './schema.ts'
