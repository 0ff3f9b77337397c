/** Deltas between bundles: made of two, and held against the bundle that serves before one is applied. */
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../../../core/json.ts'
import type { DataOperation } from '../../../core/ports/engine.ts'
import {
  BundleRefusal,
  contentDigest,
  type Delta,
  difference,
  type Files,
  MANIFEST,
  type PatchOperation,
  type PolicyBundle,
  pointerOf,
  SIGNATURES,
  writeDelta,
} from '../../../formats/bundle/index.ts'

/** A bundle with what it is made of. */
export interface Whole {
  readonly files: Files
  readonly bundle: PolicyBundle
}

/**
 * What leads from one bundle to the other, unsigned.
 *
 * @throws BundleRefusal `delta_not_possible`: they differ in more than documents, or in nothing; `older_revision`
 */
export function deltaBetween(from: Whole, to: Whole): Files {
  const { counter, roots } = to.bundle.manifest
  if (!isDeepStrictEqual(roots, from.bundle.manifest.roots))
    throw impossible('their roots differ, and OPA takes no delta then')
  const differs = [...new Set([...from.files.keys(), ...to.files.keys()])].find(
    (path) => !APART.has(path) && !sameFile(from.files.get(path), to.files.get(path)),
  )
  if (differs !== undefined) throw impossible(`${differs} differs; a delta changes documents only`)
  if (counter <= from.bundle.manifest.counter)
    throw new BundleRefusal('older_revision', 'the new bundle needs the higher revision')
  const operations = difference(members(from), members(to))
  if (operations.length === 0) throw impossible('their documents are the same')
  const [base, result] = [contentDigest(from.files), contentDigest(to.files)]
  return writeDelta({ manifest: { base, counter, result, roots }, operations })
}

/** What may differ: the documents, and what says so. */
const APART: ReadonlySet<string> = new Set([MANIFEST, SIGNATURES, 'data.json'])

function sameFile(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0
}

function members({ bundle: { data } }: Whole): { readonly [name: string]: Json } {
  return data as { readonly [name: string]: Json }
}

function impossible(what: string): BundleRefusal {
  return new BundleRefusal('delta_not_possible', what)
}

/** What a delta is held against. */
export interface Ground {
  /** The content that serves, or that the delta before leads to. */
  readonly content: string
  readonly roots: readonly string[]
  /** Where rules are, from `data` down. */
  readonly rules: readonly (readonly string[])[]
}

/** @throws BundleRefusal `delta_base`, `delta_roots`, `delta_conflict` */
export function checkGround({ manifest, operations }: Delta, ground: Ground | undefined): void {
  if (ground === undefined || manifest.base !== ground.content)
    throw new BundleRefusal('delta_base', `it applies to ${manifest.base}, which does not serve`)
  if (!isDeepStrictEqual(manifest.roots, ground.roots))
    throw new BundleRefusal('delta_roots', 'its roots are not those of the bundle that serves')
  const at = operations.findIndex((each) => ground.rules.some((rule) => covers(each, rule)))
  if (at >= 0)
    throw new BundleRefusal('delta_conflict', `operation ${at} puts a document where a rule is`)
}

/** Whether a document stands at the rule, in it, or as something else than an object above it. */
function covers(operation: PatchOperation, rule: readonly string[]): boolean {
  const { path } = operation
  if (operation.op === 'remove') return false
  if (!path.every((name, i) => i >= rule.length || rule[i] === name)) return false
  let value: Json | undefined = operation.value
  for (const name of rule.slice(path.length)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
    const object: { readonly [name: string]: Json } = value as { readonly [name: string]: Json }
    if (!Object.hasOwn(object, name)) return false
    value = object[name]
  }
  return true
}

/** The rules that can be reached, as OPA's plan names them: `g0`, then the way from `data` down. */
export function rulesOf(plan: Json): readonly (readonly string[])[] {
  const { funcs } = plan as { readonly funcs?: { readonly funcs?: readonly { path: string[] }[] } }
  return (funcs?.funcs ?? []).map(({ path }) => path.slice(1))
}

/** As the kernel takes them. */
export function dataOperations({ operations }: Delta): readonly DataOperation[] {
  return operations.map((each) => ({ ...each, path: pointerOf(each.path) }))
}
