/** A plan as the text of an ES module: no imports, and a default export that takes what it needs. */
import { baseReads } from './base-reads.ts'
import { settledBy } from './constant-rules.ts'
import type { DataPath } from './data-only.ts'
import { dataOnlyRules } from './data-only.ts'
import { functionCode } from './dispatch.ts'
import type { Block, EntryPlan, Func, Plan } from './plan.ts'
import { type ProgramOptions, ProgramScope } from './scope.ts'
import { simplified } from './simplify.ts'
import { quote } from './text.ts'
import type { TraceTable } from './trace.ts'
import { hasKind, reads, visit, writes } from './visit.ts'

export const HEAD = 'export default '

export interface Emitted {
  /** The same plan and options give the same text, byte for byte. */
  readonly text: string
  readonly builtins: readonly string[]
  /** Rules whose values are kept for as long as the data stay, with the paths they look at. */
  readonly dataOnly: ReadonlyMap<number, readonly DataPath[]>
  readonly table: TraceTable
}

export function emit(read: Plan, options: ProgramOptions = {}): Emitted {
  // Whoever follows a trace knows the plan's statements as they were read.
  const plan = options.trace === true ? read : simplified(read)
  const program = new ProgramScope(plan, options)
  const dataOnly = program.trace ? new Map<number, readonly DataPath[]>() : dataOnlyRules(plan)
  const functions = plan.functions.map((func, index) =>
    functionText(func, index, program, dataOnly.has(index)),
  )
  const entries = plan.entries.map((entry, index) => entryText(entry, index, program))
  const names = plan.entries.map(({ name }, index) => `[${quote(name)}]:p${index}`)
  const forget = [...dataOnly.keys()].map((index) => `case ${index}:h${index}=false;break;`)
  const text = [
    `${HEAD}function(R){`,
    `'use strict';`,
    `const{${OPERATIONS}}=R,T=R.trace,MAX=R.maxSteps;`,
    'let S=0,E=0,D;',
    'const C={now:undefined,memo:new Map(),failure:undefined,spend(steps){if((S-=steps)<0)exhausted();}};',
    program.declarations(),
    treeText(plan),
    ...functions,
    ...entries,
    `function forget(rule){switch(rule){${forget.join('')}}}`,
    `return{context:C,forget,entries:{__proto__:null,${names.join()}}};`,
    '}\n',
  ].join('\n')
  return { text, builtins: program.builtins, dataOnly, table: program.table }
}

const OPERATIONS =
  'RegoSet,compare,conflict,count,equal,exhausted,failed,find,get,getBase,insert,isArray,isObject,keysOf,keptKeys,keptMember,keptSorted,lookup,member,merge,sortedKeysOf,upsert'

function functionText(func: Func, index: number, program: ProgramScope, keeps: boolean): string {
  const { name, params, returns, blocks } = func
  const arity = params.length - 2
  const path = name.replace(/^g\d+\./, '')
  const called =
    arity === 0
      ? `rule ${path} produced conflicting values`
      : `function ${path} produced conflicting values for the same inputs`
  const settled = program.trace ? undefined : settledBy(func)
  const scope = { program, index, called, settled, baseReads: baseReads(blocks), fresh: counter() }
  const body = `${declared(blocks, params, [returns])}\n${functionCode(blocks, scope)}`
  const own = params.map((local) => `l${local}`).join()
  if (arity > 0) {
    const enter = program.trace ? tracedArity(index, own, params) : ''
    const name = program.trace ? `g${index}` : `f${index}`
    return `${enter}function ${name}(${own}){if(--S<0)exhausted();${body}}`
  }
  return `${ruleText(index, own, program, keeps)}function g${index}(${own}){${body}}`
}

function tracedArity(index: number, own: string, params: readonly number[]): string {
  const args = params.slice(2).map((local) => `l${local}`)
  return `function f${index}(${own}){T.enter(${index},[${args.join()}]);const v=g${index}(${own});T.leave(${index},v);return v;}\n`
}

/** A rule has one value in an evaluation, as long as no `with` puts another input or other data in place. */
function ruleText(index: number, own: string, program: ProgramScope, keeps: boolean): string {
  const i = index
  const [input, data] = own.split(',')
  const [enter, leave, again] = program.trace
    ? [`T.enter(${i},[]);`, `T.leave(${i},v);`, `T.again(${i},v${i});`]
    : ['', '', '']
  const [same, note, also] = program.replaces
    ? [`&&x${i}===${input}&&y${i}===${data}`, `x${i}=${input};y${i}=${data};`, `,x${i},y${i}`]
    : ['', '', '']
  const once = `if(e${i}===E${same}){${again}return v${i};}`
  const keep = `e${i}=E;${note}v${i}=v;return v;`
  if (!keeps)
    return `let v${i},e${i}=-1${also};function f${i}(${own}){${once}${enter}const v=g${i}(${own});${leave}${keep}}\n`
  const first = `{const s=S;S=MAX;const v=g${i}(${own});S=s;c${i}=v;h${i}=true;return v;}`
  if (!program.replaces)
    return `let c${i},h${i}=false;function f${i}(${own}){if(h${i})return c${i};${first}}\n`
  return `let c${i},h${i}=false,v${i},e${i}=-1${also};function f${i}(${own}){if(${data}===D){if(h${i})return c${i};${first}}${once}const v=g${i}(${own});${keep}}\n`
}

function entryText({ blocks }: EntryPlan, index: number, program: ProgramScope): string {
  const scope = {
    program,
    index: -1,
    called: '',
    settled: undefined,
    baseReads: baseReads(blocks),
    fresh: counter(),
  }
  const code = functionCode(blocks, scope)
  return `function p${index}(l0,l1){E++;S=MAX;D=l1;let r;${declared(blocks, [0, 1], [])}\n${code}\nreturn r;}`
}

/** A `let` for every local that the blocks use. */
function declared(
  blocks: readonly Block[],
  params: readonly number[],
  more: readonly number[],
): string {
  const locals = new Set(more)
  visit(blocks, (statement) => {
    for (const local of [...writes(statement), ...reads(statement)]) locals.add(local)
  })
  for (const local of params) locals.delete(local)
  const names = [...locals].sort((a, b) => a - b).map((local) => `l${local}`)
  return names.length === 0 ? '' : `let ${names.join()};`
}

function counter(): () => number {
  let next = 0
  return () => next++
}

/** Rules by path, for references that compute it: made when the first one asks. */
function treeText(plan: Plan): string {
  if (!hasKind(plan, 'CallDynamicStmt')) return ''
  const rules = plan.functions.flatMap(({ path, params }, index) =>
    path.length > 0 && params.length === 2 ? [`[[${path.map(quote).join()}],f${index}]`] : [],
  )
  return `let t;function tree(){return t??=R.tree([${rules.join()}]);}`
}
