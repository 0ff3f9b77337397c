/** Membership in sets of constant texts, such as `known := {"a", "b"}`: a comparison or two instead of a lookup. */
import type { Func, Operand, Statement } from './plan.ts'
import type { At, ProgramScope } from './scope.ts'
import { quote } from './text.ts'
import { visit, writes } from './visit.ts'

/** More are looked up. */
const MOST = 64

/** A function, made once, that says whether a value is in the set; undefined where `collection` is not known to be such a set. */
export function constantSet(collection: Operand | undefined, at: At): string | undefined {
  if (collection === undefined || !('local' in collection)) return undefined
  const texts = textsIn(collection.local, at)
  return texts === undefined ? undefined : at.scope.program.constant(testOf(texts))
}

function textsIn(local: number, at: At): readonly string[] | undefined {
  const made = onlyWrite(local, at)
  if (made?.type === 'AssignVarStmt' && 'local' in made.source)
    return textsIn(made.source.local, at)
  if (made?.type !== 'CallStmt') return undefined
  return textsOfRule(made.func, at.scope.program)
}

function textsOfRule(name: string, program: ProgramScope): readonly string[] | undefined {
  const func = program.plan.functions[program.functionIndex(name) ?? -1]
  return func === undefined ? undefined : textsOf(func)
}

/** The set that the rule of this name always is; undefined for all other rules. */
export function constantSetOf(name: string, program: ProgramScope): string | undefined {
  const texts = textsOfRule(name, program)
  return texts && program.constant(`RegoSet.of([${texts.map(quote).join()}])`)
}

/** What gives the local its value, where only one statement of the body does. */
function onlyWrite(local: number, at: At): Statement | undefined {
  const { index, program } = at.scope
  const block = program.plan.functions[index]?.blocks[at.body]
  const found: Statement[] = []
  visit(block === undefined ? [] : [block], (statement) => {
    if (writes(statement).includes(local)) found.push(statement)
  })
  return found.length === 1 ? found[0] : undefined
}

/** The members of a rule that is a set of texts and nothing else. */
function textsOf({ blocks, params }: Func): readonly string[] | undefined {
  const [body, handOver, end, ...more] = blocks
  if (params.length !== 2 || end?.[0]?.type !== 'ReturnLocalStmt' || more.length > 0)
    return undefined
  if (handOver?.[0]?.type !== 'IsDefinedStmt') return undefined
  const [reset, make, ...rest] = body ?? []
  const last = rest.pop()
  if (reset?.type !== 'ResetLocalStmt' || make?.type !== 'MakeSetStmt') return undefined
  if (last?.type !== 'AssignVarOnceStmt' || last.target !== reset.target) return undefined
  if (!('local' in last.source) || last.source.local !== make.target) return undefined
  const texts = rest.flatMap((statement) => textAdded(statement, make.target) ?? [])
  return texts.length === rest.length && texts.length <= MOST ? texts : undefined
}

function textAdded(statement: Statement, set: number): string | undefined {
  if (statement.type !== 'SetAddStmt' || statement.set !== set) return undefined
  const { value } = statement
  return 'constant' in value && typeof value.constant === 'string' ? value.constant : undefined
}

function testOf(texts: readonly string[]): string {
  return byLength(texts, (text) => `x===${quote(text)}||`, 'false')
}

/** A function that finds the position of a text among these, -1 for anything else. */
export function positionOf(texts: readonly string[]): string {
  return byLength(texts, (text, i) => `x===${quote(text)}?${i}:`, '-1')
}

/** Most texts are told apart by their length. */
function byLength(
  texts: readonly string[],
  one: (text: string, i: number) => string,
  none: string,
): string {
  const lengths = Map.groupBy([...texts.entries()], ([, { length }]) => length)
  const cases = [...lengths].map(
    ([length, some]) =>
      `case ${length}:return ${some.map(([i, text]) => one(text, i)).join('')}${none};`,
  )
  return `function(x){if(typeof x!=='string')return ${none};switch(x.length){${cases.join('')}default:return ${none};}}`
}
