/** Small policies and their explanations as short lines, for tests. */
import {
  createExplainer,
  type Explained,
  type Explainer,
} from '../adapters/engine/jit/explain/explainer.ts'
import type {
  Explanation,
  Failing,
  Fired,
  Missed,
  Saw,
} from '../adapters/engine/jit/explain/explanation.ts'
import type { Masks } from '../adapters/engine/jit/explain/veil.ts'
import type { Json } from '../core/json.ts'
import { compiler } from './rego.ts'

/** A policy of one file, without its package `t`: its first row is 3. */
export interface Case {
  readonly rego: string
  readonly data?: Json
  readonly input: Json
  readonly entrypoint?: string
  readonly masks?: Masks
}

const explainers = new Map<string, Promise<Explainer>>()

/** Each policy is compiled once. */
function explainerOf({ data = {}, entrypoint = 't/allow', rego }: Case): Promise<Explainer> {
  const sources = { 't.rego': `package t\n\n${rego}`, 'data.json': JSON.stringify(data) }
  const key = JSON.stringify([sources, entrypoint])
  const known = explainers.get(key)
  if (known !== undefined) return known
  const options = { capabilities: 'trust', entrypoints: [entrypoint] } as const
  const made = compiler
    .build(sources, options)
    .then(async (bundle) => createExplainer(bundle, { syntax: await compiler.syntax(sources) }))
  explainers.set(key, made)
  return made
}

export async function explained(given: Case): Promise<Explained> {
  const { entrypoint = 't/allow', input, masks } = given
  return (await explainerOf(given)).explain(entrypoint, JSON.stringify(input), masks)
}

export async function explanationOf(given: Case): Promise<Explanation> {
  return (await explained(given)).explanation
}

function saw(all: readonly Saw[]): string {
  return all
    .map(({ hidden, missing, ref, value }) =>
      missing ? `${ref} missing` : `${ref}=${hidden ? 'hidden' : JSON.stringify(value)}`,
    )
    .join(', ')
}

/** One line for each condition that failed, what is within it indented. */
export function nearest(missed: readonly Missed[]): readonly string[] {
  return missed.flatMap(({ condition, rule, row }) => [
    `${rule}@${row}`,
    ...(condition === undefined ? [] : failing(condition)).map((line) => `  ${line}`),
  ])
}

function failing({
  col,
  fired,
  inner,
  missed,
  row,
  saw: seen,
  text,
  why,
}: Failing): readonly string[] {
  return [
    `${row}:${col} ${why}: ${text.replaceAll(/\s+/g, ' ')} (${saw(seen)})`,
    ...(inner === undefined ? [] : failing(inner).map((line) => `  ${line}`)),
    ...nearest(missed).map((line) => `  ${line}`),
    ...tree(fired).map((line) => `  ${line}`),
  ]
}

export function tree(fired: readonly Fired[]): readonly string[] {
  return fired.flatMap(({ again, because, conditions, row, rule, value }) => [
    `${rule}@${row} = ${value.hidden ? 'hidden' : JSON.stringify(value.value)}${again ? ' again' : ''}`,
    ...conditions.flatMap(({ because: asked, col, missed, row: at, saw: seen, text }) => [
      `  ${at}:${col} ${text.replaceAll(/\s+/g, ' ')} (${saw(seen)})`,
      ...nearest(missed).map((line) => `    ${line}`),
      ...tree(asked).map((line) => `    ${line}`),
    ]),
    ...tree(because).map((line) => `  ${line}`),
  ])
}
