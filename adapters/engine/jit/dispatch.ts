/** Rules with many bodies that first ask whether one value is this constant or that: only the bodies that it can be are run. */
import { positionOf } from './constant-sets.ts'
import { blockCode, blocksCode } from './flow.ts'
import type { Block, Statement } from './plan.ts'
import { type At, expression, type FunctionScope, label, within } from './scope.ts'

/** One body of a function, with the block that hands its result over. */
interface Body {
  readonly index: number
  readonly blocks: readonly [Block, ...Block[]]
}

/** How a body begins: steps that only read, and a comparison with a constant. */
interface Opening {
  readonly steps: Block
  readonly local: number
  readonly constant: boolean | string
  readonly rest: Block
  /** Equal for bodies that begin alike, the constant aside. */
  readonly key: string
}

/** Fewer bodies are tried one after the other. */
const WORTH_IT = 3

/** More cases are found by their length first. */
const MANY = 4

/** All blocks of a function or entry point. */
export function functionCode(blocks: readonly Block[], scope: FunctionScope): string {
  const bodies = bodiesOf(blocks, scope)
  const parts: string[] = []
  for (let i = 0; i < bodies.length; ) {
    const alike = scope.program.trace ? [] : alikeFrom(bodies, i)
    const at = startAt(bodies[i] as Body, scope)
    if (alike.length < WORTH_IT) parts.push(blocksCode((bodies[i] as Body).blocks, at))
    else parts.push(switchCode(bodies.slice(i, i + alike.length), alike, at))
    i += alike.length < WORTH_IT ? 1 : alike.length
  }
  return parts.join('\n')
}

function startAt({ index, blocks }: Body, scope: FunctionScope): At {
  const data = scope.program.origins.get(blocks[0]) ?? new Set()
  return { scope, labels: [], body: index, data }
}

function bodiesOf(blocks: readonly Block[], { settled }: FunctionScope): readonly Body[] {
  const bodies: Body[] = []
  for (const [index, block] of blocks.entries()) {
    const [first] = block
    const before = bodies.at(-1)
    if (first?.type !== 'IsDefinedStmt' || block.length !== 2 || before === undefined)
      bodies.push({ index, blocks: [block] })
    // A settled rule returns from its bodies: nothing is handed over.
    else if (first.source !== settled)
      bodies[bodies.length - 1] = { ...before, blocks: [...before.blocks, block] }
  }
  return bodies
}

function alikeFrom(bodies: readonly Body[], start: number): readonly Opening[] {
  const found: Opening[] = []
  for (const { blocks } of bodies.slice(start)) {
    const opening = openingOf(blocks[0])
    if (opening === undefined || (found[0] ?? opening).key !== opening.key) break
    found.push(opening)
  }
  return found
}

function openingOf(block: Block): Opening | undefined {
  const end = block.findIndex(({ type }) => !READING.has(type))
  const test = block[end]
  if (test?.type !== 'EqualStmt') return undefined
  const [local, constant] = 'local' in test.a ? [test.a, test.b] : [test.b, test.a]
  if (!('local' in local) || !('constant' in constant)) return undefined
  const steps = block.slice(0, end)
  const key = JSON.stringify([steps.map(withoutPlace), local.local], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return { steps, local: local.local, constant: constant.constant, rest: block.slice(end + 1), key }
}

const READING: ReadonlySet<string> = new Set(['AssignVarStmt', 'DotStmt', 'ResetLocalStmt'])

function withoutPlace({ place, ...statement }: Statement): unknown {
  return statement
}

function switchCode(bodies: readonly Body[], openings: readonly Opening[], at: At): string {
  const end = label(at)
  const inside = within(at, end)
  const { steps, local } = openings[0] as Opening
  const cases = new Map<boolean | string, string[]>()
  for (const [i, { constant, rest }] of openings.entries()) {
    const { index, blocks } = bodies[i] as Body
    const code = blocksCode([rest, ...blocks.slice(1)], { ...inside, body: index })
    cases.set(constant, [...(cases.get(constant) ?? []), code])
  }
  return end.around(`{\n${blockCode(steps, inside)}\n${switchText(cases, `l${local}`, at)}\n}`)
}

function switchText(
  cases: ReadonlyMap<boolean | string, readonly string[]>,
  value: string,
  at: At,
): string {
  const constants = [...cases.keys()]
  const codes = [...cases.values()].map((all) => all.join('\n'))
  const texts = constants.filter((constant) => typeof constant === 'string')
  const many = codes.length > MANY && texts.length === codes.length
  const on = many ? `${at.scope.program.constant(positionOf(texts))}(${value})` : value
  const text = codes.map(
    (code, i) =>
      `case ${many ? i : expression({ constant: constants[i] as boolean | string })}:\n${code}\nbreak;`,
  )
  return `switch(${on}){\n${text.join('\n')}\n}`
}
